import Foundation
import JerseySupport

/// CSV as in RFC 4180.
package enum CSV {
    /// - Parameter isRaw: whether to keep cells unchanged. Otherwise deceptive characters are
    ///   escaped, and a cell that a spreadsheet would take for a formula gets a leading apostrophe.
    package static func row(_ cells: [String], isRaw: Bool = false) -> String {
        cells.map { cell(isRaw ? $0 : defused($0)) }.joined(separator: ",") + "\r\n"
    }

    package static func cell(_ text: String) -> String {
        guard text.utf8.contains(where: { "\",\r\n".utf8.contains($0) }) else { return text }
        return "\"" + text.replacing("\"", with: "\"\"") + "\""
    }

    private static func defused(_ text: String) -> String {
        guard let first = text.unicodeScalars.first else { return text }
        // Some programs skip leading spaces, and some accept full-width forms.
        let start = text.unicodeScalars.first { !$0.properties.isWhitespace } ?? first
        let isFormula =
            "=+-@\t\r\n|%＝＋－＠".unicodeScalars.contains(first) || "=+-@＝＋－＠".unicodeScalars.contains(start)
        return (isFormula ? "'" : "") + Shown.whole(text)
    }
}
