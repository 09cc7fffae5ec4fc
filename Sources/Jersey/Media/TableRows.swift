import Foundation

/// A small table with a header (RFC 4180, or with semicolons or tabs), of which some columns are of interest.
///
/// SwiftCSV does not tell the line of a row, which every error here has to name; hence these few lines.
struct TableRows {
    /// Line of the file, from 1, and the cells of the columns asked for, without spaces around them. Blank lines are passed over.
    let rows: [(line: Int, cells: [String])]

    /// - Parameter columns: in lower case; the header may have them in any case, and others.
    /// - Throws: `FileError` when the file cannot be read, is no text, lacks a column, or has a row without one.
    init(contentsOf path: String, columns: [String]) throws {
        let data = try Data(reading: URL(fileURLWithPath: path))
        let table = "a table with the columns \(columns.joined(separator: ", "))"
        guard data.count <= 16 << 20, !data.contains(0) else {
            throw FileError(path, "is no text file", advice: "give \(table), as CSV in UTF-8")
        }
        guard let text = String(data: data, encoding: .utf8) else {
            let line = String(decoding: data, as: UTF8.self).prefix { $0 != "\u{fffd}" }.count(where: \.isNewline) + 1
            throw FileError(
                path, "is no text in UTF-8: line \(line) has a letter of another encoding",
                advice: "save it anew; spreadsheets call that \"CSV UTF-8\"")
        }
        var lines = try Self.cells(of: text.hasPrefix("\u{feff}") ? String(text.dropFirst()) : text, path)[...]
        let header = lines.popFirst()?.cells.map { $0.lowercased() } ?? []
        let places = try columns.map { column in
            guard let place = header.firstIndex(of: column) else {
                throw FileError(
                    path,
                    header.isEmpty
                        ? "is empty" : "has no column '\(column)' in its first line (\(header.joined(separator: ", ")))",
                    advice: "the first line names the columns: \(columns.joined(separator: ","))")
            }
            return place
        }
        rows = try lines.map { line, cells in
            let missing = places.first { $0 >= cells.count }
            if let missing {
                throw FileError(
                    path, "has no '\(header[missing])' in line \(line)", advice: "every line needs \(header.count) cells")
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
