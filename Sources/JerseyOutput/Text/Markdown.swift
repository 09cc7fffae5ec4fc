import Foundation
import JerseySupport

/// Escapes text for Markdown, so that it makes no link, image, tag or emphasis.
enum Markdown {
    static func escaped(_ text: String) -> String {
        var escaped = ""
        for character in Shown.whole(text).unicodeScalars {
            if "\\`*_[]<>|~&".unicodeScalars.contains(character) { escaped.append("\\") }
            escaped.unicodeScalars.append(character)
        }
        // Some renderers turn bare addresses into links.
        return escaped.replacing("://", with: "\\://").replacing("www.", with: "www\\.")
    }

    /// A code block, with a fence longer than any in the text.
    static func code(_ text: String) -> String {
        let longest = text.split(whereSeparator: { $0 != "`" }).map(\.count).max() ?? 0
        let fence = String(repeating: "`", count: max(3, longest + 1))
        return "\(fence)\n\(Shown.lines(text))\n\(fence)"
    }
}
