import JerseySupport

/// A table for a terminal, Markdown and HTML. The first column is aligned left, numeric columns
/// right.
package struct Table: Sendable, Equatable, CustomStringConvertible {
    /// Empty for no header.
    package var header: [String]
    package var rows: [[String]]
    package var title: String?
    /// What a reader needs to know to understand the figures.
    package var note: String?
    /// Row and column of emphasised cells.
    package var emphasis: Set<[Int]> = []

    package init(_ header: [String], rows: [[String]], title: String? = nil, note: String? = nil) {
        self.header = header
        self.rows = rows
        self.title = title
        self.note = note
    }

    /// For a terminal, without title and note.
    package var description: String {
        let header = header.map { Shown.text($0) }
        let rows = rows.map { $0.map { Shown.text($0) } }
        let all = (header.isEmpty ? [] : [header]) + rows
        let widths = (0..<columns).map { column in
            all.map { $0.indices.contains(column) ? $0[column].count : 0 }.max() ?? 0
        }
        func line(_ cells: [String]) -> String {
            let padded = cells.enumerated().map { column, cell in
                let space = String(repeating: " ", count: widths[column] - cell.count)
                return isNumeric(column) ? space + cell : cell + space
            }
            return String(padded.joined(separator: "  ").reversed().drop { $0 == " " }.reversed())
        }
        let rule =
            header.isEmpty ? [] : [widths.map { String(repeating: "-", count: $0) }.joined(separator: "  ")]
        return ((header.isEmpty ? [] : [line(header)]) + rule + rows.map(line)).joined(separator: "\n")
    }

    /// With title and note.
    package var text: String {
        [title.map(Shown.line), description, note.map(Shown.line)].compactMap { $0 }.joined(separator: "\n")
    }

    package var markdown: String {
        func line(_ cells: [String]) -> String {
            "| " + (0..<columns).map { cells.indices.contains($0) ? cells[$0] : "" }.joined(separator: " | ")
                + " |"
        }
        let body = rows.enumerated().map { row, cells in
            line(
                cells.enumerated().map { column, cell in
                    let text = Markdown.escaped(cell)
                    return emphasis.contains([row, column]) && !cell.isEmpty ? "**\(text)**" : text
                })
        }
        let rule = "|" + (0..<columns).map { isNumeric($0) ? "---:|" : "---|" }.joined()
        let table = ([line(header.map(Markdown.escaped)), rule] + body).joined(separator: "\n")
        return [title.map { "**\(Markdown.escaped($0))**" }, table, note.map(Markdown.escaped)].compactMap {
            $0
        }.joined(
            separator: "\n\n")
    }

    /// A `<table>` without title and note. Wrap it in a scrolling element for narrow screens.
    package var html: String {
        func cells(_ cells: [String], _ tag: String, row: Int? = nil) -> String {
            cells.enumerated().map { column, cell in
                let isStrong = row.map { emphasis.contains([$0, column]) } ?? false
                let text = isStrong ? "<strong>\(HTML.escaped(cell))</strong>" : HTML.escaped(cell)
                return "<\(tag)\(isNumeric(column) ? " class=\"n\"" : "")>\(text)</\(tag)>"
            }
            .joined()
        }
        let label = title.map { " aria-label=\"\(HTML.escaped($0))\"" } ?? ""
        let head = header.isEmpty ? "" : "<thead><tr>\(cells(header, "th"))</tr></thead>"
        let body = rows.enumerated().map { "<tr>\(cells($1, "td", row: $0))</tr>" }.joined(separator: "\n")
        return "<table\(label)>\(head)<tbody>\n\(body)\n</tbody></table>"
    }

    private var columns: Int { ([header] + rows).map(\.count).max() ?? 0 }

    private func isNumeric(_ column: Int) -> Bool {
        column > 0 && rows.allSatisfy { !$0.indices.contains(column) || Self.isNumeric($0[column]) }
    }

    /// Numbers with signs and units; a sequence's id does not count.
    private static func isNumeric(_ cell: String) -> Bool {
        guard let first = cell.first else { return true }
        return (first.isNumber || "-+−<".contains(first)) && !cell.contains("/")
    }
}
