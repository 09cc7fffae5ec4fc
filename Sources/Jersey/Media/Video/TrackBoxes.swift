import Foundation

/// What a tracker found in a video: boxes around players, frame by frame.
///
/// The file is MOTChallenge text (`frame,track,left,top,width,height,confidence,…`), a table whose
/// first line names the columns, or JSON or XML in which frame, track and box can be recognised, as
/// of COCO and CVAT. Rows that make no box are left out and counted.
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

    /// What a person should know about how the file was understood.
    package let remarks: [String]

    /// Reads a tracker's file.
    ///
    /// - Parameters:
    ///   - path: MOTChallenge text, a table with a header, JSON or XML; "-" is standard input.
    ///   - columns: the names in the header, where they are not the usual ones.
    ///   - firstFrame: the tracker's number of the first frame. Nil takes 0 where the file mentions
    ///     a frame 0, else 1.
    ///   - strict: whether a row that makes no box is an error.
    /// - Throws: `FileError` when the file is missing, is not a table of boxes, or has no box.
    public init(
        contentsOf path: String, columns: BoxColumns = BoxColumns(), firstFrame: Int? = nil,
        strict: Bool = false
    ) throws {
        try self.init(contentsOf: path, columns: columns, firstFrame: firstFrame, strict: strict, stride: 1) {
            nil
        }
    }

    /// The same, for a video of known size.
    ///
    /// - Parameters:
    ///   - stride: how many frames of the video there are for each that the tracker counts.
    ///   - picture: the video, in shares of whose pictures boxes may be. It is asked for only if it
    ///     matters.
    package init(
        contentsOf path: String, columns: BoxColumns = BoxColumns(), firstFrame: Int? = nil,
        strict: Bool = false, stride: Int, picture: () throws -> VideoFacts?
    ) throws {
        let input = try TextInput(path, wanted: "give a tracker's boxes: MOT text, or a table with a header")
        var (found, shape) = try Self.found(in: input, path, columns)
        if let shape { try found.settle(shape, path, picture: picture) }
        let named = try firstFrame ?? found.firstFrame ?? Self.firstNumber(found, picture)
        let lone = named == nil && found.hasFrameZero ? Self.loneBox(found) : nil
        // Counted from 0, the last frame would not be in the video.
        let isAstray = try lone != nil && picture()?.frames == found.boxes.lazy.map { Int($0.frame) }.max()
        let first = named ?? (found.hasFrameZero && !isAstray ? 0 : 1)
        remarks =
            lone.map { line in
                let unit = found.leftOut.unit
                return [
                    isAstray
                        ? "frames count from 1, though \(unit) \(line) is a box in frame 0; if they count from 0, say so"
                        : "a single box, in \(unit) \(line), decides that frames count from 0; if they count from 1, say so"
                ]
            } ?? []
        if strict, let sentence = found.leftOut.sentences.first { throw FileError(path, sentence) }

        // Results come in the order of tracks, so it is the order in which people look for them.
        let order = found.names.indices.sorted { naturallyPrecedes(found.names[$0], found.names[$1]) }
        var places = [Int32](repeating: 0, count: order.count)
        for (place, index) in order.enumerated() { places[index] = Int32(place) }
        var leftOut = found.leftOut
        var boxes = Self.arranged(found.boxes, places: places, firstFrame: first, &leftOut)
        guard !boxes.isEmpty else {
            let why = leftOut.sentences.first.map { ": \($0)" } ?? ""
            throw FileError(
                path, "holds no boxes\(why)",
                advice: "see docs/guides/predict.md for the format of a tracker's file")
        }
        if stride > 1 {
            for index in boxes.indices {
                boxes[index].frame = Int32(clamping: Int(boxes[index].frame) * stride)
            }
        }
        tracks = order.map { found.names[$0] }
        // Beyond a few dozen they are measurements, and not classes.
        kinds = found.kinds.count > FoundBoxes.mostKinds ? [] : found.kinds
        self.boxes = boxes
        self.firstFrame = first
        self.leftOut = leftOut
    }

    /// The number of the first frame's file, if boxes count as the files do: frames 501 to 620 of
    /// a longer film, say.
    private static func firstNumber(_ found: FoundBoxes, _ picture: () throws -> VideoFacts?) throws -> Int? {
        let frames = found.boxes.map { Int($0.frame) }
        guard let low = frames.min(), let high = frames.max(), low > 1,
            let numbers = try picture()?.fileNumbers, numbers.lowerBound > 1, numbers.contains(low),
            numbers.contains(high), low == numbers.lowerBound || high > numbers.count
        else { return nil }
        return numbers.lowerBound
    }

    private static func found(in input: TextInput, _ path: String, _ columns: BoxColumns) throws -> (
        FoundBoxes, BoxLayout.Shape?
    ) {
        switch input.syntax {
        case .json, .xml:
            var tree = BoxTree(path: path, columns: columns)
            try input.syntax == .json ? tree.add(json: input.bytes) : tree.add(xml: input.bytes)
            return (tree.found, tree.shape)
        case .table:
            var rows = BoxRows(path: path, columns: columns)
            try rows.add(lines: input.bytes)
            return (rows.found, rows.layout?.shape)
        }
    }

    /// The line of the only box in frame 0, if its track does not go on: it may be no box at all,
    /// and all others would be a frame off.
    private static func loneBox(_ found: FoundBoxes) -> Int32? {
        let first = found.boxes.filter { $0.frame == 0 }
        guard first.count == 1, found.boxes.count > 1 else { return nil }
        let goesOn = found.boxes.contains { 1...10 ~= $0.frame && $0.track == first[0].track }
        return goesOn ? nil : first[0].line
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

extension TrackBoxes.Box {
    /// The confidence of a box where nobody was found, but somebody must have been. It is not 0,
    /// with which MOTChallenge marks boxes that do not count.
    static let guessed: Float = 0.01
}
