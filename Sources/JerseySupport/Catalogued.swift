import Foundation

/// One of a list of things that have names: models, data formats, analyses, output formats.
///
/// Commands, errors, help and the pages of docs/reference read the list; a new one is a file and a line in `all`.
package protocol Catalogued: Sendable {
    /// All there are.
    static var all: [Self] { get }
    /// Older and other names, and what they stand for.
    static var aliases: [String: String] { get }
    /// What errors call one of them: "data format".
    static var kind: String { get }
    /// What lists them; nil where errors do.
    static var remedy: Remedy? { get }
    /// Nil for a word that names none.
    static func find(_ word: String) -> Self?

    var name: String { get }
    /// A few words on it.
    var summary: String { get }
}

extension Catalogued {
    package static var aliases: [String: String] { [:] }
    package static var remedy: Remedy? { nil }

    package static func find(_ word: String) -> Self? {
        let name = aliases[word] ?? word
        return all.first { $0.name == name }
    }

    /// - Throws: `UsageError` with close matches.
    package static func named(_ word: String) throws -> Self {
        guard let found = find(word) else {
            throw UsageError.unknown(kind, word, among: names + aliases.keys, remedy: remedy)
        }
        return found
    }

    package static var names: [String] { all.map(\.name) }

    /// "folders (…), soccernet (…)".
    package static var list: String { all.map { "\($0.name) (\($0.summary))" }.joined(separator: ", ") }

    /// A line for each, for a command's help.
    package static var lines: String {
        let width = names.map(\.count).max() ?? 0
        return all.map { "  \($0.name.padding(toLength: width + 2, withPad: " ", startingAt: 0))\($0.summary)" }
            .joined(separator: "\n")
    }
}
