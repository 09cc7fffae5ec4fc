import Foundation
import TestSupport
import Testing

/// A Markdown page of the repository.
struct Page: Sendable, CustomTestStringConvertible {
    /// A fenced block: its language, an optional name after it, and its lines.
    struct Block {
        let language: String
        let name: String?
        var lines: [String] = []
    }

    /// Relative to the root of the repository.
    let path: String
    /// The lines outside blocks.
    let prose: [String]
    let blocks: [Block]

    init(_ path: String) throws {
        var (prose, blocks): ([String], [Block]) = ([], [])
        var isInBlock = false
        let text = try String(contentsOf: Places.repository.appendingPathComponent(path), encoding: .utf8)
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            if line.hasPrefix("```") {
                isInBlock.toggle()
                let words = line.dropFirst(3).split(separator: " ").map(String.init)
                if isInBlock {
                    blocks.append(Block(language: words.first ?? "", name: words.dropFirst().first))
                }
            } else if isInBlock {
                blocks[blocks.count - 1].lines.append(line)
            } else {
                prose.append(line)
            }
        }
        try #require(!isInBlock, "\(path): a block has no end")
        (self.path, self.prose, self.blocks) = (path, prose, blocks)
    }

    var testDescription: String { path }

    /// All pages in a folder and below it.
    static func paths(in folder: String) -> [String] {
        let files = FileManager.default.enumerator(
            atPath: Places.repository.appendingPathComponent(folder).path)
        return (files?.allObjects as? [String] ?? []).filter { $0.hasSuffix(".md") }.sorted().map {
            "\(folder)/\($0)"
        }
    }
}

// MARK: - Links

extension Page {
    /// The targets of its links, except links to other sites.
    var links: [String] {
        // Text between backticks is not a link.
        prose.map { $0.replacing(/`[^`]*`/, with: "") }
            .flatMap { $0.matches(of: /\]\(([^)\s]+)\)/).map { String($0.output.1) } }
            .filter { !$0.contains("://") }
    }

    /// The anchors of this page, by GitHub's rule for headings.
    var anchors: Set<String> {
        var anchors: Set<String> = []
        for heading in prose where heading.hasPrefix("#") {
            let title = heading.drop { $0 == "#" }.trimmingCharacters(in: .whitespaces).lowercased()
            let anchor = title.filter { $0.isLetter || $0.isNumber || " -_".contains($0) }.replacing(
                " ", with: "-")
            // A second heading with the same words gets "-1", the next one "-2".
            var (name, count) = (anchor, 0)
            while !anchors.insert(name).inserted {
                count += 1
                name = "\(anchor)-\(count)"
            }
        }
        return anchors
    }
}
