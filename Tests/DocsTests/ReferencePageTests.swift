import Foundation
import Testing

@Suite struct ReferencePageTests {
    @Test(arguments: ReferencePage.all)
    func `A page of docs/reference says what the program says`(page: ReferencePage) throws {
        let text = try page.text()
        if ProcessInfo.processInfo.environment["UPDATE_DOCS"] == "1" {
            let folder = page.file.deletingLastPathComponent()
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try text.write(to: page.file, atomically: true, encoding: .utf8)
        }
        let committed = (try? String(contentsOf: page.file, encoding: .utf8)) ?? ""
        let difference = zip(text.split(separator: "\n"), committed.split(separator: "\n")).first { $0 != $1 }
        #expect(
            committed == text,
            "docs/reference/\(page.name).md is out of date (\(difference.map { "\($1)" } ?? "its length")): UPDATE_DOCS=1 swift test --filter Docs"
        )
    }
}
