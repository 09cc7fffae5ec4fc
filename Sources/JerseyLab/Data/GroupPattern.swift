import Jersey

/// Maps a track to the clip or match that it comes from.
package struct GroupPattern {
    private let pattern: String
    private let regex: Regex<AnyRegexOutput>

    /// - Throws: `UsageError` when it is not a regular expression.
    package init(_ pattern: String) throws {
        self.pattern = pattern
        do {
            regex = try Regex(pattern)
        } catch {
            throw UsageError("the group pattern '\(pattern)' is not a regular expression: \(error)")
        }
    }

    /// What the pattern's captures match, joined; the whole match where it has none; the track itself where it does not match.
    package func group(of track: String) -> String {
        guard let match = track.firstMatch(of: regex) else { return track }
        let captures = match.output.dropFirst().compactMap { $0.substring.map(String.init) }
        return captures.isEmpty ? String(track[match.range]) : captures.joined(separator: "/")
    }
}
