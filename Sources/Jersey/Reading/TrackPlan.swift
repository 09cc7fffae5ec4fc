/// The boxes to look at, and their windows. It is made before the first frame is decoded.
struct TrackPlan {
    struct Look {
        let frame: Int
        let window: Int
        let area: PixelArea
        let line: Int32
    }

    /// In order of frames.
    private(set) var looks: [Look] = []
    /// For each window, its track, its place among the track's windows, and the number of its
    /// looks.
    private(set) var windows: [(track: Int, place: Int, count: Int)] = []
    private(set) var windowsOfTrack: [Int]
    private(set) var leftOut = LeftOutBoxes()

    /// The indices of each track's boxes, in time order.
    let boxesOfTrack: [[Int32]]

    /// - Parameters:
    ///   - width: of the picture, in pixels.
    ///   - windowSize: the most looks of a window.
    init(_ boxes: TrackBoxes, width: Int, height: Int, selection: BoxSelection, windowSize: Int) {
        var boxesOfTrack: [[Int32]] = boxes.tracks.map { _ in [] }
        for (index, box) in boxes.boxes.enumerated() { boxesOfTrack[Int(box.track)].append(Int32(index)) }
        self.boxesOfTrack = boxesOfTrack
        leftOut.unit = boxes.leftOut.unit
        let views = BoxView.ofTracks(in: boxes, width: width, height: height, &leftOut)
        var windowOfBox: [Int32: Int] = [:]
        windowsOfTrack = []
        for (track, views) in views.enumerated() {
            let chosen = selection.chosen(of: views, size: windowSize)
            let plan = TrackWindows(frames: chosen.count, size: windowSize, stride: 1)
            let first = windows.count
            windowsOfTrack.append(plan.count)
            windows += (0..<plan.count).map { (track, $0, 0) }
            for (place, index) in chosen.enumerated() {
                guard let window = plan.window(ofFrame: place) else { continue }
                windows[first + window].count += 1
                windowOfBox[views[index].box] = first + window
            }
        }
        for (box, window) in windowOfBox.sorted(by: { $0.key < $1.key }) {
            let box = boxes.boxes[Int(box)]
            guard let area = box.legibleArea(width: width, height: height) else { continue }
            looks.append(Look(frame: Int(box.frame), window: window, area: area, line: box.line))
        }
    }
}

extension TrackBoxes.Box {
    /// The pixels of the box inside the picture; nil if they are less than half of it. A sliver of
    /// a player shows no number, but a model would still answer one.
    func legibleArea(width: Int, height: Int) -> PixelArea? {
        guard let area = area(width: width, height: height) else { return nil }
        return Double(area.width) * Double(area.height) * 2 >= Double(self.width) * Double(self.height)
            ? area : nil
    }

    /// The pixels of the box inside the picture; nil if there are none.
    package func area(width: Int, height: Int) -> PixelArea? {
        func span(_ start: Float, _ length: Float, _ limit: Int) -> (start: Int, length: Int) {
            let start = Double(start)
            // Clamped before the conversion to integers, which would trap on large values.
            let from = min(max(start.rounded(), 0), Double(limit))
            let to = min(max((start + Double(length)).rounded(), 0), Double(limit))
            return (Int(from), Int(to) - Int(from))
        }
        let (x, y) = (span(left, self.width, width), span(top, self.height, height))
        guard x.length > 0, y.length > 0 else { return nil }
        return PixelArea(left: x.start, top: y.start, width: x.length, height: y.length)
    }
}

extension TrackBoxes {
    /// The class of most of these boxes; nil if they have none.
    ///
    /// - Parameters:
    ///   - indices: in `boxes`.
    ///   - span: frames, as the tracker counts; nil takes all.
    func kind(of indices: [Int32], in span: ClosedRange<Int>?) -> String? {
        guard !kinds.isEmpty else { return nil }
        var counts = kinds.map { _ in 0 }
        for box in indices.lazy.map({ boxes[Int($0)] }) where box.kind >= 0 {
            if span?.contains(Int(box.frame) + firstFrame) ?? true { counts[Int(box.kind)] += 1 }
        }
        return counts.contains { $0 > 0 } ? kinds[counts.indexOfMaximum] : nil
    }
}
