import Foundation

/// What a tracker found in a video: boxes around players, frame by frame.
///
/// The file is MOTChallenge text (`frame,track,left,top,width,height,confidence,…`) or, where its
/// first line has names instead of numbers, a table with a header. Rows that make no box are left
/// out and counted.
public struct TrackBoxes: Sendable {
    package struct Box: Sendable, Equatable {
        /// From 0.
        package var frame: Int32
        /// Index in `tracks`.
        package var track: Int32
        /// Pixels of the upright picture. Parts of the box may be outside it.
        package var left, top, width, height: Float
        /// The tracker's confidence; 1 if it gives none.
        package var confidence: Float
        /// The line in the file, from 1.
        package var line: Int32
        /// Index in `kinds`; -1 if the tracker gives no class.
        package var kind: Int16 = -1
    }

    /// The tracker's names of players, in natural order: "2" before "10".
    public let tracks: [String]
    /// The classes of boxes, such as teams, where the file has some.
    package let kinds: [String]
    /// In order of frames, at most one box of each track in a frame.
    package let boxes: [Box]
    /// The tracker's number of the first frame: 1, or 0 if a box is in frame 0.
    package let firstFrame: Int
    /// The rows of the file that made no box.
    public let leftOut: LeftOutBoxes

    /// Reads a tracker's file.
    ///
    /// - Parameters:
    ///   - path: MOTChallenge text, or a table with a header.
    ///   - columns: the names in the header, where they are not the usual ones.
    ///   - firstFrame: the tracker's number of the first frame. Nil takes 0 where a box is in a
    ///     frame 0, else 1.
    ///   - strict: whether a row that makes no box is an error.
    /// - Throws: `FileError` when the file is missing, is not a table of boxes, or has no box.
    public init(
        contentsOf path: String, columns: BoxColumns = BoxColumns(), firstFrame: Int? = nil,
        strict: Bool = false
    ) throws {
        guard FileNames.exists(path) else { throw FileError(path, "does not exist") }
        var rows = BoxRows(path: path, columns: columns)
        try rows.add(lines: Data(reading: URL(fileURLWithPath: path)))
        let first = firstFrame ?? (rows.boxes.contains { $0.frame == 0 } ? 0 : 1)
        if strict, let sentence = rows.leftOut.sentences.first { throw FileError(path, sentence) }

        // Results come in the order of tracks, so it is the order in which people look for them.
        let order = rows.names.indices.sorted { naturallyPrecedes(rows.names[$0], rows.names[$1]) }
        var places = [Int32](repeating: 0, count: order.count)
        for (place, index) in order.enumerated() { places[index] = Int32(place) }
        var leftOut = rows.leftOut
        let boxes = Self.arranged(rows.boxes, places: places, firstFrame: first, &leftOut)
        guard !boxes.isEmpty else {
            let why = leftOut.sentences.first.map { ": \($0)" } ?? ""
            throw FileError(
                path, "holds no boxes\(why)",
                advice: "see docs/guides/predict.md for the format of a tracker's file")
        }
        tracks = order.map { rows.names[$0] }
        // Beyond a few dozen they are measurements, and not classes.
        kinds = rows.kinds.count > BoxRows.mostKinds ? [] : rows.kinds
        self.boxes = boxes
        self.firstFrame = first
        self.leftOut = leftOut
    }

    /// Sorts the boxes by frame, counts frames from 0, and keeps one box of each track in a frame.
    ///
    /// - Parameter places: for each track of `rows`, its index in `tracks`.
    private static func arranged(
        _ rows: [Box], places: [Int32], firstFrame first: Int, _ leftOut: inout LeftOutBoxes
    ) -> [Box] {
        var boxes: [Box] = []
        boxes.reserveCapacity(rows.count)
        for var box in rows {
            box.track = places[Int(box.track)]
            guard box.frame >= first else {
                leftOut.add(.early, line: box.line)
                continue
            }
            box.frame -= Int32(first)
            boxes.append(box)
        }
        boxes.sort { ($0.frame, $0.track, $0.line) < ($1.frame, $1.track, $1.line) }
        var kept = 0
        for index in boxes.indices {
            if kept > 0,
                (boxes[kept - 1].frame, boxes[kept - 1].track) == (boxes[index].frame, boxes[index].track)
            {
                leftOut.add(.duplicate, line: boxes[index].line)
            } else {
                boxes[kept] = boxes[index]
                kept += 1
            }
        }
        boxes.removeSubrange(kept...)
        return boxes
    }
}

/// Boxes that were not used, counted by what is wrong with them.
public struct LeftOutBoxes: Sendable, Equatable {
    package enum Reason: Int, CaseIterable, Sendable {
        case malformed, notFinite, sizeless, trackless, early, duplicate, outside, late, undecodable
    }

    package private(set) var counts: [Reason: Int] = [:]
    /// The first line of the file for each reason.
    package private(set) var firstLines: [Reason: Int] = [:]
    /// What exactly is wrong, if there is more to say.
    private var details: [Reason: String] = [:]

    package init() {}

    /// How many boxes were not used.
    package var total: Int { counts.values.reduce(0, +) }

    mutating func add(_ reason: Reason, line: Int32, detail: String? = nil) {
        counts[reason, default: 0] += 1
        if details[reason] == nil { details[reason] = detail }
        firstLines[reason] = min(firstLines[reason] ?? .max, Int(line))
    }

    mutating func add(_ other: LeftOutBoxes) {
        counts.merge(other.counts, uniquingKeysWith: +)
        firstLines.merge(other.firstLines, uniquingKeysWith: min)
        details.merge(other.details) { first, _ in first }
    }

    /// A sentence for each thing that is wrong, in a fixed order, such as "2 boxes without width or
    /// height (first: line 7)".
    public var sentences: [String] {
        Reason.allCases.compactMap { reason in
            guard let count = counts[reason], let line = firstLines[reason] else { return nil }
            let detail = details[reason].map { ": \($0)" } ?? ""
            return count == 1
                ? "1 box \(reason.description) (line \(line)\(detail))"
                : "\(count) boxes \(reason.description) (first: line \(line)\(detail))"
        }
    }
}

extension LeftOutBoxes.Reason: CustomStringConvertible {
    /// Follows "1 box" or "7 boxes" in a sentence.
    package var description: String {
        switch self {
        case .malformed: "that cannot be understood"
        case .notFinite: "with NaN or infinity"
        case .sizeless: "without width or height"
        case .trackless: "without a track (-1)"
        case .early: "before the first frame"
        case .duplicate: "in addition to another of the same track in the same frame"
        case .outside: "less than half inside the picture"
        case .late: "past the end of the video"
        case .undecodable: "in damaged frames"
        }
    }
}
