/// Text of strangers, made fit to be shown: names of files and folders, cells of tables, words in messages.
///
/// What could pass for something else is written out: `\u{1b}` for a control character, a mark that turns the direction of letters or one
/// that cannot be seen, `\n` for a line's end, `\xfc` for a byte of a name that is not UTF-8. What is shown once is shown the same again.
/// Whatever writes for people applies it: errors, tables, the terminal, pages. JSON is for programs, and has texts as they are.
package enum Shown {
    /// One name, word or cell, on one line.
    ///
    /// - Parameter limit: most characters; of a longer one the middle is left out. The work is bounded by it, too.
    package static func text(_ text: String, limit: Int = 300) -> String {
        let scalars = text.unicodeScalars
        // As many bytes are as many characters at most.
        if text.utf8.count <= limit { return isPlain(text) ? text : escaped(scalars) }
        guard let start = scalars.index(scalars.startIndex, offsetBy: limit, limitedBy: scalars.endIndex),
            start != scalars.endIndex
        else { return escaped(scalars) }
        let tail = limit / 4
        return escaped(scalars.prefix(limit - tail - 1)) + "…" + escaped(scalars.suffix(tail))
    }

    /// A sentence on one line, with all that it names.
    package static func line(_ text: String) -> String { self.text(text, limit: 4000) }

    /// Text of several lines, whole.
    package static func lines(_ text: String) -> String { isPlain(text) ? text : escaped(text.unicodeScalars, keeping: "\n\t") }

    /// One line, whole, however long.
    package static func whole(_ text: String) -> String { isPlain(text) ? text : escaped(text.unicodeScalars) }

    /// Whether a character cannot be seen, or changes how others are.
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
