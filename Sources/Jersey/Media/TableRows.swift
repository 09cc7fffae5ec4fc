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
        let data = try Data(reading: URL(fileURLWithPath: path))
        let table = "a table with the columns \(columns.joined(separator: ", "))"
        guard data.count <= 16 << 20, !data.contains(0) else {
            throw FileError(path, "is not a text file", advice: "give \(table), as CSV in UTF-8")
        }
        guard let text = String(data: data, encoding: .utf8) else {
            let line =
                String(decoding: data, as: UTF8.self).prefix { $0 != "\u{fffd}" }.count(where: \.isNewline)
                + 1
            throw FileError(
                path, "is not UTF-8 text: line \(line) has a character in another encoding",
                advice: "save it again as UTF-8; spreadsheets call this \"CSV UTF-8\"")
        }
        var lines = try Self.cells(of: text.hasPrefix("\u{feff}") ? String(text.dropFirst()) : text, path)[
            ...]
        let header = lines.popFirst()?.cells.map { $0.lowercased() } ?? []
        let places = try columns.map { column in
            guard let place = header.firstIndex(of: column) else {
                throw FileError(
                    path,
                    header.isEmpty
                        ? "is empty"
                        : "has no column '\(column)' in its first line (\(header.joined(separator: ", ")))",
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
            return (line, places.map { cells[$0] })
        }
    }

    private static func cells(of text: String, _ path: String) throws -> [(line: Int, cells: [String])] {
        let first = text.prefix { !$0.isNewline }
        let separator = [Character(";"), "\t"].first(where: first.contains) ?? ","
        var rows: [(line: Int, cells: [String])] = []
        var (cells, cell, line, start, isQuoted): ([String], String, Int, Int, Bool) = ([], "", 1, 1, false)
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
                if cells != [""] { rows.append((start, cells)) }
                line += 1
                cells = []
                start = line
            } else {
                cell.append(character)
            }
        }
        guard !isQuoted else { throw FileError(path, "opens a quote in line \(start) and never closes it") }
        finish()
        if cells != [""] { rows.append((start, cells)) }
        return rows
    }
}
