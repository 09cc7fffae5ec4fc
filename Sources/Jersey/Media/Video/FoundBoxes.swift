/// Boxes gathered from a file of any format. Until `settle`, the sides of a box hold the four
/// numbers that the file has for it, whose form and unit only all boxes together may tell.
struct FoundBoxes {
    /// Frames are numbered as in the file; tracks are in order of appearance.
    private(set) var boxes: [TrackBoxes.Box] = []
    private(set) var names: [String] = []
    /// Classes in order of appearance.
    private(set) var kinds: [String] = []
    var leftOut = LeftOutBoxes()
    /// Whether the file mentions a frame 0. After `settle`, this includes the boxes.
    private(set) var hasFrameZero = false
    /// The number of the first frame, where the format fixes it.
    var firstFrame: Int?

    private var indices: [String: Int32] = [:]

    static let mostKinds = 32

    mutating func note(frame: Double) { hasFrameZero = hasFrameZero || frame == 0 }

    /// Adds a box, or counts why it is none.
    ///
    /// - Parameters:
    ///   - count: how many fields there are.
    ///   - text: the field at an index.
    mutating func add(_ layout: BoxLayout, line: Int32, count: Int, text: (Int) -> String) {
        switch box(layout, line: line, count: count, text: text) {
        case .success(let box): boxes.append(box)
        case .failure(let problem):
            leftOut.add(problem.reason, line: line, detail: problem.detail)
            // A frame without players is a frame; a row of zeros is none.
            if [.empty, .trackless, .absent].contains(problem.reason), let place = layout.frame {
                Double(text(place)).map { note(frame: $0) }
            }
        }
    }

    private struct Problem: Error {
        let reason: LeftOutBoxes.Reason
        var detail: String?
    }

    private mutating func box(_ layout: BoxLayout, line: Int32, count: Int, text: (Int) -> String)
        -> Result<TrackBoxes.Box, Problem>
    {
        func failure(_ reason: LeftOutBoxes.Reason, _ detail: String? = nil) -> Result<
            TrackBoxes.Box, Problem
        > {
            .failure(Problem(reason: reason, detail: detail))
        }
        guard let framePlace = layout.frame, let trackPlace = layout.track, let shape = layout.shape else {
            return failure(.malformed)
        }
        for (name, place) in [("frame", framePlace), ("track", trackPlace)] + shape.named
        where place >= count {
            return failure(.malformed, "column \(place + 1) (\(name)) is missing")
        }
        let frameText = text(framePlace)
        guard let frame = Double(frameText) ?? Self.number(inName: frameText) else {
            return failure(.malformed, "frame is '\(Shown.text(frameText, limit: 40))', not a number")
        }
        if let absent = layout.absent, absent < count, ["1", "true"].contains(text(absent).lowercased()) {
            return failure(.absent)
        }
        let numbers: [Double]
        switch numbersOfBox(shape, text: text) {
        case .success(let found): numbers = found
        case .failure(let problem): return .failure(problem)
        }
        // Boxes are stored as float32, in which larger values are infinite.
        guard Float(frame).isFinite, numbers.allSatisfy({ Float($0).isFinite }) else {
            return failure(.notFinite)
        }
        guard frame == frame.rounded(), abs(frame) < Double(Int32.max) else {
            return failure(.malformed, "\(Shown.text(frameText, limit: 40)) is not a frame number")
        }
        guard let track = track(text(trackPlace)) else { return failure(.trackless) }
        // Trackers write -1 where they know none.
        let confidence = layout.confidence.flatMap { $0 < count ? Double(text($0)) : nil } ?? 1
        return .success(
            TrackBoxes.Box(
                frame: Int32(clamping: frame), track: track, left: Float(numbers[0]), top: Float(numbers[1]),
                width: Float(numbers[2]), height: Float(numbers[3]),
                confidence: confidence.isFinite ? Float(confidence) : 1, line: line,
                kind: layout.kind.map { $0 < count ? kind(text($0)) : -1 } ?? -1))
    }

    private func numbersOfBox(_ shape: BoxLayout.Shape, text: (Int) -> String) -> Result<[Double], Problem> {
        var numbers: [Double] = []
        numbers.reserveCapacity(4)
        if shape.places.count == 1 {
            let cell = text(shape.places[0])
            if BoxColumns.isNothing(cell) { return .failure(Problem(reason: .empty)) }
            guard let list = BoxNumbers.list(cell) else {
                let shown = Shown.text(cell, limit: 40)
                return .failure(
                    Problem(reason: .malformed, detail: "the box is '\(shown)', not four numbers"))
            }
            return .success(list)
        }
        for (name, place) in shape.named {
            let cell = text(place)
            guard let number = Double(cell) else {
                if BoxColumns.isNothing(cell) { return .failure(Problem(reason: .empty)) }
                let shown = Shown.text(cell, limit: 40)
                return .failure(Problem(reason: .malformed, detail: "\(name) is '\(shown)', not a number"))
            }
            numbers.append(number)
        }
        return .success(numbers)
    }

    /// The last number in the name of a picture: 7 for "img1/000007.jpg".
    static func number(inName name: String) -> Double? {
        let last = name.lastName.utf8
        let stem = last.lastIndex(of: UInt8(ascii: ".")).map { last[..<$0] } ?? last[...]
        func isDigit(_ byte: UInt8) -> Bool { 0x30...0x39 ~= byte }
        guard let end = stem.lastIndex(where: isDigit) else { return nil }
        let start = stem[...end].lastIndex { !isDigit($0) }.map(stem.index(after:)) ?? stem.startIndex
        return Double(String(decoding: stem[start...end], as: UTF8.self))
    }

    /// The index of a box's class, which is added if it is new; -1 without one. Trackers write -1
    /// where they know none.
    private mutating func kind(_ name: String) -> Int16 {
        guard !BoxColumns.isNothing(name), Double(name).map({ $0 >= 0 }) ?? true else { return -1 }
        if let index = kinds.firstIndex(of: name) { return Int16(index) }
        guard kinds.count <= Self.mostKinds else { return -1 }
        kinds.append(name)
        return Int16(kinds.count - 1)
    }

    /// The index of a track's name, which is added if it is new. Nil for a negative number, an
    /// empty name and words for nothing, which mean that there is no track. "3.0" is "3".
    private mutating func track(_ name: String) -> Int32? {
        if let index = indices[name] { return index }
        var plain = name
        if let number = Double(name) {
            guard number >= 0 else { return nil }
            if number == number.rounded(), number < 1e15, name.contains(".") {
                plain = String(Int(clamping: number))
            }
        }
        guard !BoxColumns.isNothing(plain) else { return nil }
        let index = indices[plain] ?? Int32(names.count)
        if Int(index) == names.count { names.append(plain) }
        indices[plain] = index
        indices[name] = index
        return index
    }
}

extension FoundBoxes {
    /// Makes the numbers of all boxes left, top, width and height in pixels, and leaves out boxes
    /// without a size, and tracks without boxes.
    ///
    /// - Parameters:
    ///   - path: what an error names.
    ///   - picture: the size of the video's pictures, asked for only if it matters.
    /// - Throws: `FileError` if the numbers may be of two forms, or are shares of an unknown
    ///   picture.
    mutating func settle(_ shape: BoxLayout.Shape, _ path: String, picture: () throws -> VideoFacts?) throws {
        let numbers = BoxNumbers(path: path, shape: shape)
        boxes = try numbers.settled(boxes, picture: picture)
        var used = [Bool](repeating: false, count: names.count)
        var kept: [TrackBoxes.Box] = []
        kept.reserveCapacity(boxes.count)
        for box in boxes {
            guard box.width >= 1, box.height >= 1 else {
                leftOut.add(.sizeless, line: box.line)
                continue
            }
            used[Int(box.track)] = true
            note(frame: Double(box.frame))
            kept.append(box)
        }
        boxes = kept
        guard used.contains(false) else { return }
        var places = [Int32](repeating: 0, count: names.count)
        var seen: [String] = []
        for (index, name) in names.enumerated() where used[index] {
            places[index] = Int32(seen.count)
            seen.append(name)
        }
        names = seen
        for index in boxes.indices { boxes[index].track = places[Int(boxes[index].track)] }
    }
}

extension BoxLayout.Shape {
    /// The columns with the names that errors call them.
    var named: [(String, Int)] {
        guard places.count == 4 else { return places.map { ("box", $0) } }
        return zip((forms.first ?? .sized).roles, places).map { ($0.rawValue, $1) }
    }
}
