import Foundation

/// A mistake in what was asked for: what is wrong, and what to do about it.
public struct UsageError: LocalizedError, CustomStringConvertible, Sendable, Equatable {
    /// What is wrong and what to do, in one printable line.
    public let description: String
    package let remedy: Remedy?

    /// Escapes the description with `Shown`.
    package init(_ description: String, remedy: Remedy? = nil) {
        self.description = Shown.line(description)
        self.remedy = remedy
    }

    /// The same as `description`.
    public var errorDescription: String? { description }

    /// "There is no model 'x'", with similar names.
    ///
    /// - Parameters:
    ///   - advice: what to do. Nil lists all names, if they are few and `remedy` does not list
    ///     them.
    ///   - remedy: what lists the names.
    package static func unknown(
        _ kind: String, _ name: String, among names: [String], advice: String? = nil, remedy: Remedy? = nil
    ) -> UsageError {
        let isLong = names.isEmpty || names.count > 30 || remedy != nil
        let advice = advice ?? (isLong ? nil : "choose one of: \(names.joined(separator: ", "))")
        let what = "there is no \(kind) '\(Shown.text(name, limit: 100))'"
        // Text longer than any name resembles none, and comparing takes time in proportion to both
        // lengths.
        let near = name.utf8.count <= longest ? names.filter { $0.utf8.count <= longest } : []
        let close = near.map { ($0, distance($0.lowercased(), name.lowercased())) }
            .filter { $0.1 <= max(2, name.count / 3) }.sorted { ($0.1, $0.0) < ($1.1, $1.0) }.prefix(3).map(
                \.0)
        guard !close.isEmpty else {
            return UsageError([what, advice].compactMap(\.self).joined(separator: "; "), remedy: remedy)
        }
        let question = "\(what); did you mean \(close.joined(separator: " or "))?"
        return UsageError(
            question + (advice.map { " \($0.prefix(1).uppercased())\($0.dropFirst())" } ?? ""), remedy: remedy
        )
    }

    /// The longest text that is compared, in bytes.
    private static let longest = 100

    /// - Throws: `UsageError` that names the first repeated word.
    package static func checkUnique(_ words: [String], kind: String) throws {
        var seen: Set<String> = []
        if let twice = words.first(where: { !seen.insert($0).inserted }) {
            throw UsageError("the \(kind) \(Shown.text(twice)) is named twice")
        }
    }

    /// The Levenshtein distance: insertions, deletions and substitutions from one word to the
    /// other.
    private static func distance(_ a: String, _ b: String) -> Int {
        let b = Array(b)
        var row = Array(0...b.count)
        for (i, x) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for j in b.indices {
                let next = min(row[j] + 1, row[j + 1] + 1, diagonal + (x == b[j] ? 0 : 1))
                diagonal = row[j + 1]
                row[j + 1] = next
            }
        }
        return row[b.count]
    }
}
