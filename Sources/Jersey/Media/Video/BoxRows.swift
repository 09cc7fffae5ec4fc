import Foundation

/// Parses the boxes in a tracker's table. The first line decides which kind of table it is.
struct BoxRows {
    let path: String
    let columns: BoxColumns
    private(set) var found = FoundBoxes()
    private(set) var layout: BoxLayout?

    private var separator = UInt8(ascii: ",")
    /// How many columns the header names; nil without a header.
    private var width: Int?
    private var fields: [Slice<UnsafeRawBufferPointer>] = []

    init(path: String, columns: BoxColumns) {
        self.path = path
        self.columns = columns
    }

    /// Parses all rows of a file.
    ///
    /// - Throws: `FileError` if the first lines show that the file is not a table of boxes.
    mutating func add(lines data: Data) throws {
        try data.withUnsafeBytes { bytes in
            var rest = bytes[...]
            var line: Int32 = 0
            while !rest.isEmpty {
                line += 1
                let text = Self.popLine(&rest)
                if layout == nil {
                    if try begin(text, followedBy: rest) { add(line: line) }
                } else {
                    split(text)
                    add(line: line)
                }
            }
        }
    }

    /// Lines end in LF, CR LF, or CR alone, as old spreadsheets on the Mac write.
    private static func popLine(_ rest: inout Slice<UnsafeRawBufferPointer>) -> Slice<UnsafeRawBufferPointer>
    {
        let end = rest.firstIndex { $0 == 0x0a || $0 == 0x0d } ?? rest.endIndex
        let line = rest[rest.startIndex..<end]
        var next = end
        if next < rest.endIndex {
            next += 1
            if rest[end] == 0x0d, next < rest.endIndex, rest[next] == 0x0a { next += 1 }
        }
        rest = rest[next...]
        return line
    }

    private mutating func add(line: Int32) {
        guard let layout, !fields.isEmpty else { return }
        if let width, fields.count > width,
            let extra = (width..<fields.count).first(where: { !text($0).isEmpty })
        {
            found.leftOut.add(
                .malformed, line: line,
                detail:
                    "it has \(fields.count) cells for \(width) columns, such as '\(Shown.text(text(extra), limit: 40))'"
            )
            return
        }
        // The fields move out and back, so that they are not copied.
        let fields = fields
        found.add(layout, line: line, count: fields.count) { Self.text(fields[$0]) }
    }

    // MARK: The first line

    /// Decides on the layout by a line.
    ///
    /// - Returns: whether the line is a row.
    private mutating func begin(
        _ line: Slice<UnsafeRawBufferPointer>, followedBy rest: Slice<UnsafeRawBufferPointer>
    ) throws -> Bool {
        // Excel's "sep=;" only tells the separator, which the next line tells as well.
        guard !line.starts(with: "sep=".utf8) else { return false }
        let isComment = line.first == UInt8(ascii: "#") || line.first == UInt8(ascii: "%")
        let content = isComment ? line.drop { "#% ".utf8.contains($0) } : line
        separator =
            [",", ";", "\t"].map { (s: Unicode.Scalar) in UInt8(ascii: s) }.first(where: content.contains)
            ?? 0x20
        split(content)
        guard !fields.isEmpty else { return false }
        let header = fields.indices.map { text($0) }
        if isComment {
            // A comment may name the columns; any other is passed over.
            let named = try? BoxLayout(header: header, names: columns.names, samples: [])
            guard let named, named.frame != nil, named.track != nil, named.shape != nil else { return false }
            (layout, width) = (named, header.count)
            return false
        }
        if let numbered = Self.numbered(header) {
            layout = try unnamed(header.count).moved(by: numbered)
            return false
        }
        if header.count >= 10, header[..<9].allSatisfy({ Double($0) != nil }), Double(header[9]) == nil,
            header[6..<9].allSatisfy(["0", "1"].contains), columns.names.isEmpty
        {
            layout = .vatic
            return true
        }
        if Double(header[0]) == nil {
            layout = try named(header, samples: samples(rest))
            width = header.count
            return false
        }
        try checkColumns(header)
        layout = try unnamed(header.count)
        return true
    }

    /// The first rows after the header.
    private mutating func samples(_ rest: Slice<UnsafeRawBufferPointer>) -> [[String]] {
        var (rest, rows) = (rest, [[String]]())
        while !rest.isEmpty, rows.count < 20 {
            split(Self.popLine(&rest))
            if !fields.isEmpty { rows.append(fields.indices.map { text($0) }) }
        }
        return rows
    }

    /// Where the columns begin, if their names are only numbers: "0,1,2,…" of pandas, "V1,V2,…" of
    /// R. Nil for other lines. A number of the row has an empty name.
    private static func numbered(_ header: [String]) -> Int? {
        let start = header[0].isEmpty || header[0].hasPrefix("Unnamed") ? 1 : 0
        let names = header[start...]
        guard names.count >= 6 else { return nil }
        let prefix = names[start].prefix { !$0.isNumber && $0 != "-" }
        let numbers = names.compactMap { $0.hasPrefix(prefix) ? Double($0.dropFirst(prefix.count)) : nil }
        guard numbers.count == names.count, let first = numbers.first, first == 0 || first == 1 else {
            return nil
        }
        // A box of frame 1 and track 2 at 3, 4 may be one, if a small one.
        guard first == 0 || !prefix.isEmpty || names.count > 6 else { return nil }
        return zip(numbers.indices, numbers).allSatisfy { Double($0) + first == $1 } ? start : nil
    }

    /// The layout of a table without names, in which a person names columns by number.
    private func unnamed(_ count: Int) throws -> BoxLayout {
        guard !columns.names.isEmpty else { return .mot }
        var header = ["frame", "track", "left", "top", "width", "height", "confidence", "class"]
        header += (0..<max(0, count - header.count)).map { "\($0 + 9)" }
        var names: [BoxColumns.Role: String] = [:]
        for (role, number) in columns.names {
            guard let place = Int(number), 1...header.count ~= place else {
                throw FileError(
                    path,
                    "has no names of columns in its first line, so '\(Shown.text(number, limit: 40))' cannot be one",
                    advice: "leave out the column names, or give the columns' numbers, from 1",
                    remedy: .boxColumns)
            }
            names[role] = header[place - 1]
        }
        return try layout(header, names, samples: [])
    }

    private func named(_ header: [String], samples: [[String]]) throws -> BoxLayout {
        let layout = try layout(header, columns.names, samples: samples)
        var missing: [String] = []
        if layout.frame == nil { missing.append("frame") }
        if layout.track == nil { missing.append("track") }
        if layout.shape == nil { missing += missingSides(header) }
        guard missing.isEmpty else {
            let plain = Set(header.map(BoxColumns.plain))
            let isRoster = plain.isSuperset(of: ["number", "name"])
            throw FileError(
                path,
                "has no column for \(missing.joined(separator: ", ")); its columns are \(TextInput.listed(header))",
                advice: isRoster
                    ? "it looks like a roster; give a tracker's boxes"
                    : "name them, as in \(BoxColumns.example), or x1=xmin,y1=ymin,x2=xmax,y2=ymax",
                remedy: isRoster ? nil : .boxColumns)
        }
        return layout
    }

    private func missingSides(_ header: [String]) -> [String] {
        // Single letters may mean anything.
        let plain = header.map(BoxColumns.plain).filter { $0.count > 1 || "xywh".contains($0) }
        func has(_ role: BoxColumns.Role) -> Bool {
            columns.names[role] != nil
                || plain.contains { name in
                    role.knows(name)
                        || ["bbox", "bb"].contains {
                            name.hasPrefix($0) && role.knows(String(name.dropFirst($0.count)))
                        }
                }
        }
        var missing = [BoxColumns.Role.left, .top].filter { !has($0) }
        if !has(.width) && !has(.right) { missing.append(.width) }
        if !has(.height) && !has(.bottom) { missing.append(.height) }
        return missing.isEmpty ? ["box"] : missing.map(\.rawValue)
    }

    private func layout(_ header: [String], _ names: [BoxColumns.Role: String], samples: [[String]]) throws
        -> BoxLayout
    {
        do {
            return try BoxLayout(header: header, names: names, samples: samples)
        } catch {
            throw FileError(error, path, header: header)
        }
    }

    /// Finds labels of one picture, as YOLO writes them: a class and four shares.
    private func checkColumns(_ row: [String]) throws {
        let numbers = row.compactMap(Double.init)
        guard row.count == 5 || row.count == 6, numbers.count == row.count, columns.names.isEmpty,
            numbers[1...].allSatisfy({ 0...1 ~= $0 }), numbers[1] != numbers[1].rounded()
        else { return }
        throw FileError(
            path,
            "looks like YOLO's labels of one picture: a class and shares of the picture, but no frame and track",
            advice: "track the players first; boxes are MOT text, or a table with a header")
    }

    // MARK: Fields

    /// Splits a line at its separators, except within quotes. A blank line has no fields.
    private mutating func split(_ line: Slice<UnsafeRawBufferPointer>) {
        fields.removeAll(keepingCapacity: true)
        var start = line.startIndex
        var isQuoted = false
        for index in line.indices {
            let byte = line[index]
            if byte == UInt8(ascii: "\"") {
                isQuoted.toggle()
            } else if byte == separator && !isQuoted {
                // Several spaces count as one separator.
                if separator != 0x20 || index > start { fields.append(line[start..<index]) }
                start = index + 1
            }
        }
        let last = line[start...]
        if last.contains(where: { $0 > 0x20 }) || (!fields.isEmpty && separator != 0x20) {
            fields.append(last)
        }
    }

    private func text(_ index: Int) -> String { Self.text(fields[index]) }

    /// A field without the quotes and spaces around it.
    private static func text(_ field: Slice<UnsafeRawBufferPointer>) -> String {
        var field = field
        while let byte = field.first, byte <= 0x20 || byte == UInt8(ascii: "\"") { field = field.dropFirst() }
        while let byte = field.last, byte <= 0x20 || byte == UInt8(ascii: "\"") { field = field.dropLast() }
        return String(decoding: field, as: UTF8.self)
    }
}

extension FileError {
    /// Columns or keys that cannot be told apart.
    init(_ problem: BoxLayout.Problem, _ path: String, header: [String]) {
        switch problem {
        case .unknown(let name):
            self.init(
                path, "has no column '\(Shown.text(name, limit: 100))'",
                advice: "its columns are \(TextInput.listed(header))", remedy: nil)
        case .ambiguous(let role, let names):
            let example =
                role == "box" ? "left=…,top=…,width=…,height=…" : "\(role)=\(Shown.text(names[0], limit: 40))"
            self.init(
                path,
                "has several columns that may be the \(role), and they differ: \(TextInput.listed(names))",
                advice: Set(names).count < names.count
                    ? "rename or remove all but one" : "name the right one, as in \(example)",
                remedy: .boxColumns)
        }
    }
}
