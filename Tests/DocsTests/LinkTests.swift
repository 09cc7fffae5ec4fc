import Foundation
import TestSupport
import Testing

@Suite struct LinkTests {
    private static let paths =
        [
            "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "Benchmarks/README.md",
            "Tools/README.md",
        ]
        + Page.paths(in: "docs")

    @Test(arguments: paths)
    func `Every link of a page leads somewhere`(path: String) throws {
        let page = try Page(path)
        for link in page.links {
            let parts = link.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map(
                String.init)
            let target =
                parts[0].isEmpty
                ? path
                : ((path as NSString).deletingLastPathComponent as NSString).appendingPathComponent(parts[0])
            let isThere = FileManager.default.fileExists(
                atPath: Places.repository.appendingPathComponent(target).path)
            #expect(isThere, "\(path): \(link)")
            guard isThere, parts.count == 2 else { continue }
            #expect(try Page(target).anchors.contains(parts[1]), "\(path): there is no heading for \(link)")
        }
    }

    @Test func `Every page that the sources name is there`() throws {
        for folder in ["Sources", "Tests", "Tools", "Benchmarks", "Examples"] {
            let files = FileManager.default.enumerator(
                atPath: Places.repository.appendingPathComponent(folder).path)
            for file in files?.allObjects as? [String] ?? []
            where file.contains(/\.(swift|h|c|cpp|py|sh|yaml|md)$/) {
                let text = try String(
                    contentsOf: Places.repository.appendingPathComponent("\(folder)/\(file)"), encoding: .utf8
                )
                let parts = text.components(separatedBy: "docs/")
                // A preceding slash means a page of another site.
                for (before, rest) in zip(parts, parts.dropFirst()) where before.last != "/" {
                    guard let page = rest.prefixMatch(of: /[A-Za-z\/-]+\.md/)?.output else { continue }
                    let isThere = FileManager.default.fileExists(
                        atPath: Places.repository.appendingPathComponent("docs/\(page)").path)
                    #expect(isThere, "\(folder)/\(file) names docs/\(page)")
                }
            }
        }
    }
}
