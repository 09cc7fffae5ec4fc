/// Columns of text: the first to the left, those that hold numbers to the right.
struct TextTable: CustomStringConvertible {
    let header: [String]
    let rows: [[String]]

    init(_ header: [String], rows: [[String]]) {
        self.header = header
        self.rows = rows
    }

    var description: String {
        let all = (header.isEmpty ? [] : [header]) + rows
        let count = all.map(\.count).max() ?? 0
        let widths = (0..<count).map { column in all.map { $0.indices.contains(column) ? $0[column].count : 0 }.max() ?? 0 }
        let isNumeric = (0..<count).map { column in
            column > 0
                && rows.allSatisfy { !$0.indices.contains(column) || ($0[column].first.map { $0.isNumber || $0 == "-" } ?? true) }
        }
        func line(_ cells: [String]) -> String {
            let padded = cells.enumerated().map { column, cell in
                let space = String(repeating: " ", count: widths[column] - cell.count)
                return isNumeric[column] ? space + cell : cell + space
            }
            return String(padded.joined(separator: "  ").reversed().drop { $0 == " " }.reversed())
        }
        let rule = header.isEmpty ? [] : [widths.map { String(repeating: "-", count: $0) }.joined(separator: "  ")]
        return ((header.isEmpty ? [] : [line(header)]) + rule + rows.map(line)).joined(separator: "\n")
    }
}
