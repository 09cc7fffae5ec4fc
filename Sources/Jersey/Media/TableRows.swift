import Foundation

/// Some columns of a small table with a header (RFC 4180, or with semicolons or tabs).
///
/// SwiftCSV does not give the line of a row, which every error here names.
struct TableRows {
    /// The line in the file, from 1, and the trimmed cells of the requested columns. Blank lines
    /// are skipped.
    let rows: [(line: Int, cells: [String])]

    /// - Parameter columns: names in lower case. The header may have them in any case, and other
    ///   columns.
    /// - Throws: `FileError` if the file cannot be read, is not text, lacks a column, or has a row
    ///   that lacks one.
    init(contentsOf path: String, columns: [String]) throws {
        try self.init(TextInput(path, wanted: Self.wanted(columns)), path, columns: columns)
    }

    /// - Parameter path: what errors call the table.
    /// - Throws: `FileError`, as for a file.
    init(_ content: Data, named path: String, columns: [String]) throws {
        try self.init(
            TextInput(content, named: path, wanted: Self.wanted(columns)), path, columns: columns)
    }

    private static func wanted(_ columns: [String]) -> String {
        "give a table with the columns \(columns.joined(separator: ", ")), as CSV in UTF-8"
    }

    private init(_ input: TextInput, _ path: String, columns: [String]) throws {
        let wanted = Self.wanted(columns)
        let data = input.bytes
        guard data.count <= 16 << 20 else {
            throw FileError(path, "is too large for a table", advice: wanted)
        }
        guard input.syntax == .table else {
            throw FileError(path, "is \(input.syntax == .json ? "JSON" : "XML"), not a table", advice: wanted)
        }
        guard let text = String(data: data, encoding: .utf8) else {
            let line =
                String(decoding: data, as: UTF8.self).prefix { $0 != "\u{fffd}" }.count(where: \.isNewline)
                + 1
            throw FileError(
                path, "is not UTF-8 text: line \(line) has a character in another encoding",
                advice: "save it again as UTF-8; spreadsheets call this \"CSV UTF-8\"")
        }
        // Excel's "sep=;" only tells the separator, which the header tells as well.
        let isPlain = !text.hasPrefix("sep=")
        var lines = try Self.cells(
            of: isPlain ? text[...] : text.drop { !$0.isNewline }.dropFirst(), from: isPlain ? 1 : 2, path)[
                ...]
        let header = lines.popFirst()?.cells.map { $0.lowercased() } ?? []
        let places = try columns.map { column in
            guard let place = header.firstIndex(of: column) else {
                throw FileError(
                    path,
                    header.isEmpty
                        ? "is empty"
                        : "has no column '\(column)' in its first line (\(TextInput.listed(header)))",
                    advice: "the first line names the columns: \(columns.joined(separator: ","))")
            }
            return place
        }
        rows = try lines.map { line, cells in
            let missing = places.first { $0 >= cells.count }
            if let missing {
                throw FileError(
                    path, "has no '\(header[missing])' in line \(line)",
                    advice: "every line needs \(header.count) cells")
            }
            if let extra = cells[min(header.count, cells.count)...].first(where: { !$0.isEmpty }) {
                throw FileError(
                    path,
                    "has \(cells.count) cells for \(header.count) columns in line \(line), such as '\(Shown.text(extra, limit: 40))'",
                    advice: "put a cell with the separator in it into quotes")
            }
            return (line, places.map { cells[$0] })
        }
    }

    private static func cells(of text: Substring, from firstLine: Int, _ path: String) throws
        -> [(line: Int, cells: [String])]
    {
        let first = text.prefix { !$0.isNewline }
        let separator = [Character(";"), "\t"].first(where: first.contains) ?? ","
        var rows: [(line: Int, cells: [String])] = []
        var (cells, cell, line, start, isQuoted): ([String], String, Int, Int, Bool) = (
            [], "", firstLine, firstLine, false
        )
        func finish() {
            cells.append(cell.trimmingCharacters(in: .whitespaces))
            cell = ""
        }
        var rest = text[...]
        while let character = rest.popFirst() {
            if isQuoted {
                if character.isNewline { line += 1 }
                if character == "\"" && rest.first == "\"" {
                    cell.append(rest.removeFirst())
                } else if character == "\"" {
                    isQuoted = false
                } else {
                    cell.append(character)
                }
            } else if character == "\"" && cell.allSatisfy(\.isWhitespace) {
                isQuoted = true
                cell = ""
            } else if character == separator {
                finish()
            } else if character.isNewline {
                finish()
                if !cells.allSatisfy(\.isEmpty) { rows.append((start, cells)) }
                line += 1
                cells = []
                start = line
            } else {
                cell.append(character)
            }
        }
        guard !isQuoted else { throw FileError(path, "opens a quote in line \(start) and never closes it") }
        finish()
        // Spreadsheets end with rows of separators only.
        if !cells.allSatisfy(\.isEmpty) { rows.append((start, cells)) }
        return rows
    }
}
