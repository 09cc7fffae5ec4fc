import Foundation

/// Which columns of a tracker's table hold what.
///
/// A box is left, top, width and height, or left, top, right and bottom, in pixels. The usual names
/// of trackers are known, such as `track_id`, `x1` or `bb_left`.
public struct BoxColumns: Sendable, Equatable {
    package enum Role: String, CaseIterable, Sendable {
        case frame, track, left, top, width, height, right, bottom, confidence
        case kind = "class"

        /// The names that trackers use, in lower case.
        var usualNames: [String] {
            switch self {
            case .frame: ["frame", "frame_id", "frame_number", "frameid", "f"]
            case .track: ["track", "track_id", "trackid", "id", "player_id", "player"]
            case .left: ["left", "x", "x1", "xmin", "bb_left", "bbox_left"]
            case .top: ["top", "y", "y1", "ymin", "bb_top", "bbox_top"]
            case .width: ["width", "w", "bb_width", "bbox_width"]
            case .height: ["height", "h", "bb_height", "bbox_height"]
            case .right: ["right", "x2", "xmax"]
            case .bottom: ["bottom", "y2", "ymax"]
            case .confidence: ["confidence", "conf", "score"]
            case .kind: ["team", "team_id", "class", "class_id", "cls", "category"]
            }
        }
    }

    /// Names in the header that are not the usual ones.
    package var names: [Role: String] = [:]

    /// Columns with the usual names.
    public init() {}

    /// Columns with names of their own.
    ///
    /// - Parameter text: kind and name of each column whose name is not a usual one, such as
    ///   "frame=f,track=id,left=x,top=y,width=w,height=h". A kind may also have a usual name, such
    ///   as x2 for right.
    /// - Throws: `UsageError` for a text of another form, and for an unknown kind of column.
    public init(_ text: String) throws {
        for pair in text.split(separator: ",") {
            let parts = pair.split(separator: "=", maxSplits: 1).map {
                $0.trimmingCharacters(in: .whitespaces)
            }
            guard parts.count == 2, !parts[1].isEmpty else {
                throw UsageError(
                    "'\(pair)' names no column; write columns as in frame=f,track=id,left=x,top=y,width=w,height=h"
                )
            }
            guard let role = Role.allCases.first(where: { $0.usualNames.contains(parts[0].lowercased()) })
            else {
                throw UsageError.unknown("kind of column", parts[0], among: Role.allCases.map(\.rawValue))
            }
            names[role] = parts[1]
        }
    }
}

/// Parses the boxes in a tracker's file. The first line decides which kind of file it is.
struct BoxRows {
    let path: String
    let columns: BoxColumns
    /// Frames are numbered as in the file; tracks are in order of appearance.
    private(set) var boxes: [TrackBoxes.Box] = []
    private(set) var names: [String] = []
    /// Classes in order of appearance.
    private(set) var kinds: [String] = []
    private(set) var leftOut = LeftOutBoxes()

    private var indices: [String: Int32] = [:]
    private var separator = UInt8(ascii: ",")
    /// Nil before the first line.
    private var places: [BoxColumns.Role: Int]?
    private var fields: [Slice<UnsafeRawBufferPointer>] = []

    init(path: String, columns: BoxColumns) {
        self.path = path
        self.columns = columns
    }

    /// Parses all rows of a file.
    mutating func add(lines data: Data) throws {
        try data.withUnsafeBytes { bytes in
            var rest = bytes[...]
            if rest.starts(with: [0xEF, 0xBB, 0xBF]) { rest = rest.dropFirst(3) }
            var line: Int32 = 0
            while !rest.isEmpty {
                line += 1
                let end = rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.endIndex
                try add(rest[rest.startIndex..<end], line: line)
                rest = rest[min(end + 1, rest.endIndex)...]
            }
        }
    }

    /// Parses one line, without its line end.
    ///
    /// - Throws: `FileError` if the first line shows that the file is not a table of boxes.
    mutating func add(_ line: Slice<UnsafeRawBufferPointer>, line number: Int32) throws {
        if places == nil {
            guard line.count < 65_536, !line.contains(0) else {
                throw FileError(
                    path, "is not a text file",
                    advice: "give the tracker's output: MOT text, or a table with a header")
            }
            separator =
                [",", ";", "\t"].map { (s: Unicode.Scalar) in UInt8(ascii: s) }.first(where: line.contains)
                ?? 0x20
            split(line)
            guard !fields.isEmpty else { return }
            if Double(text(0)) == nil {
                places = try header()
                return
            }
            guard columns.names.isEmpty else {
                throw FileError(
                    path, "has numbers instead of column names in its first line",
                    advice: "leave out the column names",
                    remedy: .boxColumns)
            }
            places = [
                .frame: 0, .track: 1, .left: 2, .top: 3, .width: 4, .height: 5, .confidence: 6, .kind: 7,
            ]
        } else {
            split(line)
        }
        guard !fields.isEmpty else { return }
        switch box(line: number) {
        case .success(let box): boxes.append(box)
        case .failure(let problem): leftOut.add(problem.reason, line: number, detail: problem.detail)
        }
    }

    private struct Problem: Error {
        let reason: LeftOutBoxes.Reason
        var detail: String?
    }

    private func header() throws -> [BoxColumns.Role: Int] {
        let header = fields.indices.map { text($0) }
        var places: [BoxColumns.Role: Int] = [:]
        for role in BoxColumns.Role.allCases {
            if let name = columns.names[role] {
                guard let place = header.firstIndex(of: name) else {
                    throw FileError(
                        path, "has no column '\(name)'",
                        advice: "its columns are \(header.joined(separator: ", "))")
                }
                places[role] = place
            } else {
                places[role] = header.firstIndex { role.usualNames.contains($0.lowercased()) }
            }
        }
        var missing = [BoxColumns.Role.frame, .track, .left, .top].filter { places[$0] == nil }
        if places[.width] == nil && places[.right] == nil { missing.append(.width) }
        if places[.height] == nil && places[.bottom] == nil { missing.append(.height) }
        guard missing.isEmpty else {
            throw FileError(
                path,
                "has no column for \(missing.map(\.rawValue).joined(separator: ", ")); its columns are \(header.joined(separator: ", "))",
                advice: "name them, as in frame=f,track=id,left=x,top=y,width=w,height=h", remedy: .boxColumns
            )
        }
        return places
    }

    private mutating func box(line: Int32) -> Result<TrackBoxes.Box, Problem> {
        func value(_ role: BoxColumns.Role) -> Double? {
            guard let place = places?[role], place < fields.count else { return nil }
            return Double(text(place))
        }
        guard let place = places?[.track], place < fields.count, let frame = value(.frame),
            let left = value(.left),
            let top = value(.top), let width = value(.width) ?? value(.right).map({ $0 - left }),
            let height = value(.height) ?? value(.bottom).map({ $0 - top })
        else { return .failure(Problem(reason: .malformed, detail: misunderstanding)) }
        // Boxes are stored as float32, in which larger values are infinite.
        guard [frame, left, top, width, height].allSatisfy({ Float($0).isFinite }) else {
            return .failure(Problem(reason: .notFinite))
        }
        guard frame == frame.rounded(), abs(frame) < Double(Int32.max) else {
            return .failure(
                Problem(
                    reason: .malformed,
                    detail: "\(text(places?[.frame] ?? 0).prefix(40)) is not a frame number"))
        }
        guard width >= 1, height >= 1 else { return .failure(Problem(reason: .sizeless)) }
        guard let track = track(text(place)) else { return .failure(Problem(reason: .trackless)) }
        let kind = kind()
        return .success(
            TrackBoxes.Box(
                frame: Int32(clamping: frame), track: track, left: Float(left), top: Float(top),
                width: Float(width),
                height: Float(height),
                confidence: value(.confidence).map { $0.isFinite ? Float($0) : 1 } ?? 1, line: line,
                kind: kind))
    }

    /// The index of a box's class, which is added if it is new; -1 without one. Trackers write -1
    /// where they know none.
    private mutating func kind() -> Int16 {
        guard let place = places?[.kind], place < fields.count else { return -1 }
        let name = text(place)
        guard !name.isEmpty, Double(name).map({ $0 >= 0 }) ?? true else { return -1 }
        if let index = kinds.firstIndex(of: name) { return Int16(index) }
        guard kinds.count <= Self.mostKinds else { return -1 }
        kinds.append(name)
        return Int16(kinds.count - 1)
    }

    static let mostKinds = 32

    /// Why a line is not a box.
    private var misunderstanding: String {
        let wanted = (places ?? [:]).filter { ![.confidence, .kind].contains($0.key) }.sorted {
            $0.value < $1.value
        }
        if let (role, place) = wanted.first(where: { $0.value >= fields.count }) {
            return "column \(place + 1) (\(role.rawValue)) is missing"
        }
        let wrong = wanted.first { $0.key != .track && Double(text($0.value)) == nil }
        return wrong.map { "\($0.key.rawValue) is '\(text($0.value).prefix(40))', not a number" }
            ?? "a column is missing"
    }

    /// The index of a track's name, which is added if it is new. Nil for a negative number or an
    /// empty name, which mean that there is no track. "3.0" is "3".
    private mutating func track(_ name: String) -> Int32? {
        if let index = indices[name] { return index }
        var plain = name
        if let number = Double(name) {
            guard number >= 0 else { return nil }
            if number == number.rounded(), number < 1e15, name.contains(".") {
                plain = String(Int(clamping: number))
            }
        }
        guard !plain.isEmpty else { return nil }
        let index = indices[plain] ?? Int32(names.count)
        if Int(index) == names.count { names.append(plain) }
        indices[plain] = index
        indices[name] = index
        return index
    }

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

    /// A field without the quotes and spaces around it.
    private func text(_ index: Int) -> String {
        var field = fields[index]
        while let byte = field.first, byte <= 0x20 || byte == UInt8(ascii: "\"") { field = field.dropFirst() }
        while let byte = field.last, byte <= 0x20 || byte == UInt8(ascii: "\"") { field = field.dropLast() }
        return String(decoding: field, as: UTF8.self)
    }
}
