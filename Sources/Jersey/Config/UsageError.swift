import Foundation

/// Something wrong with what the user asked for: what, and what to do.
public struct UsageError: LocalizedError, CustomStringConvertible, Sendable, Equatable {
    public let description: String

    public init(_ description: String) {
        self.description = description
    }

    public var errorDescription: String? { description }

    /// "There is no model 'x'", with the names that come close.
    public static func unknown(_ kind: String, _ name: String, among names: [String], advice: String? = nil) -> UsageError {
        let close = names.map { ($0, distance($0.lowercased(), name.lowercased())) }
            .filter { $0.1 <= max(2, name.count / 3) }.sorted { ($0.1, $0.0) < ($1.1, $1.0) }.prefix(3).map(\.0)
        let what = "there is no \(kind) '\(name)'"
        guard !close.isEmpty else { return UsageError([what, advice].compactMap(\.self).joined(separator: "; ")) }
        let question = "\(what); did you mean \(close.joined(separator: " or "))?"
        return UsageError(question + (advice.map { " \($0.prefix(1).uppercased())\($0.dropFirst())" } ?? ""))
    }

    /// - Throws: an error that names the first word which is there twice.
    public static func checkUnique(_ words: [String], kind: String) throws {
        if let twice = words.first(where: { word in words.count { $0 == word } > 1 }) {
            throw UsageError("the \(kind) \(twice) is named twice")
        }
    }

    /// Levenshtein's: insertions, deletions and substitutions from one word to the other.
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
