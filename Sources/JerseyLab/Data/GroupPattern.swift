import Jersey

/// A regular expression that maps a track to its clip or match.
package struct GroupPattern {
    private let pattern: String
    private let regex: Regex<AnyRegexOutput>

    /// - Throws: `UsageError` if it is not a regular expression.
    package init(_ pattern: String) throws {
        self.pattern = pattern
        do {
            regex = try Regex(pattern)
        } catch {
            throw UsageError("the group pattern '\(pattern)' is not a regular expression: \(error)")
        }
    }

    /// The pattern's captures, joined; the whole match if it has no captures; the track itself if
    /// it does not match.
    package func group(of track: String) -> String {
        guard let match = track.firstMatch(of: regex) else { return track }
        let captures = match.output.dropFirst().compactMap { $0.substring.map(String.init) }
        return captures.isEmpty ? String(track[match.range]) : captures.joined(separator: "/")
    }
}
