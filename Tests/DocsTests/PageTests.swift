import Foundation
import TestSupport
import Testing

/// The commands in pages for users.
@Suite struct PageTests {
    @Test(arguments: ["README.md", "docs/getting-started.md"] + Page.paths(in: "docs/guides"))
    func `Every command of a page runs as printed`(path: String) throws {
        let shell = try PageShell()
        for block in try Page(path).blocks { try shell.run(block) }
    }

    /// `make examples` builds and runs the sources, so the page shows working code.
    @Test func `The Swift that the guide of the library shows is that of an example`() throws {
        for block in try Page("docs/guides/library.md").blocks where block.language == "swift" {
            let name = try #require(block.name, "a block names its file below Examples")
            let file = try String(
                contentsOf: Places.repository.appendingPathComponent("Examples/\(name)"), encoding: .utf8)
            #expect(file.contains(block.lines.joined(separator: "\n")), "\(name)")
        }
    }
}
