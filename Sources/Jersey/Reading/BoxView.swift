/// A box as a view of its player: how well it shows the player, as far as boxes tell.
struct BoxView: Sendable, Equatable {
    /// From 0.
    let frame: Int32
    /// The index of the box in `TrackBoxes.boxes`.
    let box: Int32
    /// The height in pixels.
    let height: Float
    /// The share inside the picture that no player in front hides, 0...1.
    let visible: Float

    /// How much there is to see: the height of what is visible.
    var quality: Float { height * visible }
}

extension BoxView {
    /// The boxes of each track that are at least half inside the picture, in time order.
    ///
    /// - Parameters:
    ///   - width: of the picture, in pixels.
    ///   - leftOut: gets the others.
    static func ofTracks(
        in boxes: TrackBoxes, width: Int, height: Int, _ leftOut: inout LeftOutBoxes
    ) -> [[BoxView]] {
        var views: [[BoxView]] = boxes.tracks.map { _ in [] }
        var start = 0
        while start < boxes.boxes.count {
            let frame = boxes.boxes[start].frame
            var end = start
            while end < boxes.boxes.count, boxes.boxes[end].frame == frame { end += 1 }
            let together = Array(boxes.boxes[start..<end])
            let hidden = hiddenShares(of: together)
            for (place, box) in together.enumerated() {
                guard let area = box.legibleArea(width: width, height: height) else {
                    leftOut.add(.outside, line: box.line)
                    continue
                }
                let inside = Float(area.width * area.height) / (box.width * box.height)
                views[Int(box.track)].append(
                    BoxView(
                        frame: frame, box: Int32(start + place), height: Float(area.height),
                        visible: box.confidence <= TrackBoxes.Box.guessed
                            ? 0 : min(inside, 1) * (1 - hidden[place])))
            }
            start = end
        }
        return views
    }

    /// For each box of one frame, the share of it that the one box in front hides most of, 0...1.
    /// The lower edge tells who is in front: cameras look down on a field. Only the rows of the
    /// torso count in whole players, for a number is there.
    static func hiddenShares(of boxes: [TrackBoxes.Box]) -> [Float] {
        let order = boxes.indices.sorted { boxes[$0].left < boxes[$1].left }
        var shares = [Float](repeating: 0, count: boxes.count)
        for (place, first) in order.enumerated() {
            // Nearby boxes only: a frame with thousands of boxes must not take forever.
            for second in order[(place + 1)...].prefix(mostNeighbours) {
                guard boxes[second].left < boxes[first].left + boxes[first].width else { break }
                guard boxes[first].bottom != boxes[second].bottom else { continue }
                let isInFront = boxes[first].bottom > boxes[second].bottom
                let (front, back) = isInFront ? (first, second) : (second, first)
                shares[back] = max(shares[back], boxes[back].share(behind: boxes[front]))
            }
        }
        return shares
    }

    private static let mostNeighbours = 64
}

extension TrackBoxes.Box {
    fileprivate var bottom: Float { top + height }

    /// The share of the rows that show a number which lies in another box, 0...1.
    fileprivate func share(behind other: Self) -> Float {
        let isPlayer = width < Float(WholePlayers.greatestAspect) * height
        let rows = isPlayer ? WholePlayers.torsoRows : 0...1
        let (from, to) = (
            top + Float(rows.lowerBound) * height, top + Float(rows.upperBound) * height
        )
        let across = min(left + width, other.left + other.width) - max(left, other.left)
        let down = min(to, other.bottom) - max(from, other.top)
        return across > 0 && down > 0 ? min(1, across / width * (down / (to - from))) : 0
    }
}
