import Foundation
import JerseySupport

/// Text as a part of a Markdown page, where it is text and nothing else: no link, picture, tag or emphasis.
enum Markdown {
    static func escaped(_ text: String) -> String {
        var escaped = ""
        for character in Shown.whole(text).unicodeScalars {
            if "\\`*_[]<>|~&".unicodeScalars.contains(character) { escaped.append("\\") }
            escaped.unicodeScalars.append(character)
        }
        // Some readers make links of bare addresses.
        return escaped.replacing("://", with: "\\://").replacing("www.", with: "www\\.")
    }

    /// Lines as they are, in a fence that is longer than any within.
    static func code(_ text: String) -> String {
        let longest = text.split(whereSeparator: { $0 != "`" }).map(\.count).max() ?? 0
        let fence = String(repeating: "`", count: max(3, longest + 1))
        return "\(fence)\n\(Shown.lines(text))\n\(fence)"
    }
}
