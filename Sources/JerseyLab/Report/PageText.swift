import Foundation
import Torch

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

/// Text as a part of a page.
enum HTML {
    static func escaped(_ text: String) -> String {
        Shown.lines(text).replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;").replacing("'", with: "&#39;")
    }
}

/// Rows of RFC 4180.
package enum CSV {
    /// - Parameter isRaw: cells are exactly what they are. Otherwise what could pass for something else is written out, and a cell that a
    ///   spreadsheet would take for a formula has an apostrophe before it.
    package static func row(_ cells: [String], isRaw: Bool = false) -> String {
        cells.map { cell(isRaw ? $0 : defused($0)) }.joined(separator: ",") + "\r\n"
    }

    package static func cell(_ text: String) -> String {
        guard text.utf8.contains(where: { "\",\r\n".utf8.contains($0) }) else { return text }
        return "\"" + text.replacing("\"", with: "\"\"") + "\""
    }

    private static func defused(_ text: String) -> String {
        guard let first = text.unicodeScalars.first else { return text }
        // A space before it does not keep every program from looking further; some take the wide forms, too.
        let start = text.unicodeScalars.first { !$0.properties.isWhitespace } ?? first
        let isFormula = "=+-@\t\r\n|%＝＋－＠".unicodeScalars.contains(first) || "=+-@＝＋－＠".unicodeScalars.contains(start)
        return (isFormula ? "'" : "") + Shown.whole(text)
    }
}
