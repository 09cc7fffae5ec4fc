import Foundation

/// An entry of a list of named things: models, data formats, analyses, output formats.
///
/// Commands, errors, help and docs/reference read the list. To add an entry, write a file and a
/// line in `all`.
package protocol Catalogued: Sendable {
    /// All entries, in the order in which they are listed.
    static var all: [Self] { get }
    /// Older and alternative names, with the name that each stands for.
    static var aliases: [String: String] { get }
    /// What errors call an entry, such as "data format".
    static var kind: String { get }
    /// What lists the entries; nil if errors list them.
    static var remedy: Remedy? { get }
    /// The entry of that name or alias; nil if there is none.
    static func find(_ word: String) -> Self?

    var name: String { get }
    /// A few words about the entry.
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

    /// All entries with their summaries: "folders (…), soccernet (…)".
    package static var list: String { all.map { "\($0.name) (\($0.summary))" }.joined(separator: ", ") }

    /// One line for each entry, for a command's help.
    package static var lines: String {
        let width = names.map(\.count).max() ?? 0
        return all.map {
            "  \($0.name.padding(toLength: width + 2, withPad: " ", startingAt: 0))\($0.summary)"
        }
        .joined(separator: "\n")
    }
}
