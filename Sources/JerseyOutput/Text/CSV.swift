import Foundation
import JerseySupport

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
