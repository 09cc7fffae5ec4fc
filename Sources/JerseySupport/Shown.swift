/// Makes untrusted text safe to show: names of files and folders, cells of tables, words in
/// messages.
///
/// Misleading characters are escaped: `\u{1b}` for control characters, invisible characters and
/// marks that change the direction of text, `\n` for a line end, `\xfc` for a byte of a name that
/// is not UTF-8. Escaping text twice gives the same as once. Everything that writes for people
/// applies it: errors, tables, the terminal, pages. JSON is for programs and keeps strings as they
/// are.
package enum Shown {
    /// One name, word or cell, on one line.
    ///
    /// - Parameter limit: the most characters, which also bounds the work. Longer text loses its
    ///   middle.
    package static func text(_ text: String, limit: Int = 300) -> String {
        let scalars = text.unicodeScalars
        // A string has at most as many characters as bytes.
        if text.utf8.count <= limit { return isPlain(text) ? text : escaped(scalars) }
        guard let start = scalars.index(scalars.startIndex, offsetBy: limit, limitedBy: scalars.endIndex),
            start != scalars.endIndex
        else { return escaped(scalars) }
        let tail = limit / 4
        return escaped(scalars.prefix(limit - tail - 1)) + "…" + escaped(scalars.suffix(tail))
    }

    /// A sentence on one line, of at most 4000 characters.
    package static func line(_ text: String) -> String { self.text(text, limit: 4000) }

    /// Text of several lines and any length.
    package static func lines(_ text: String) -> String {
        isPlain(text) ? text : escaped(text.unicodeScalars, keeping: "\n\t")
    }

    /// One line of any length.
    package static func whole(_ text: String) -> String {
        isPlain(text) ? text : escaped(text.unicodeScalars)
    }

    /// Whether a character is invisible, or changes how others are displayed.
    package static func isDeceptive(_ scalar: Unicode.Scalar) -> Bool {
        if 0x20..<0x7f ~= scalar.value { return false }
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: return true
        default: return scalar.properties.isDefaultIgnorableCodePoint || scalar.value == 0x2800
        }
    }

    private static func isPlain(_ text: String) -> Bool { text.utf8.allSatisfy { 0x20..<0x7f ~= $0 } }

    private static func escaped(
        _ scalars: some Sequence<Unicode.Scalar>, keeping kept: String = ""
    ) -> String {
        var shown = String.UnicodeScalarView()
        for scalar in scalars {
            if let byte = FileNames.byte(scalar) {
                shown.append(contentsOf: "\\x\(hex(UInt32(byte)))".unicodeScalars)
            } else if !isDeceptive(scalar) || kept.unicodeScalars.contains(scalar) {
                shown.append(scalar)
            } else {
                let name = ["\n": "\\n", "\r": "\\r", "\t": "\\t"][scalar] ?? "\\u{\(hex(scalar.value))}"
                shown.append(contentsOf: name.unicodeScalars)
            }
        }
        return String(shown)
    }

    private static func hex(_ value: UInt32) -> String { String(value, radix: 16) }
}
