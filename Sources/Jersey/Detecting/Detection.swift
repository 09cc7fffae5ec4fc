/// An upright box around somebody in a picture, and how sure the detector is of him.
package struct Detection: Rectangular, Sendable, Equatable {
    /// Pixels of the picture. Boxes may reach past its edges by a little.
    package var left, top, width, height: Double
    /// 0...1.
    package var score: Double

    package init(left: Double, top: Double, width: Double, height: Double, score: Double) {
        self.left = left
        self.top = top
        self.width = width
        self.height = height
        self.score = score
    }
}

extension [Detection] {
    /// Non-maximum suppression: the boxes of which no better one covers too much, best first. Equally good ones
    /// keep their order.
    ///
    /// - Parameter overlap: boxes that share more than this are the same person.
    package func suppressed(overlap: Double) -> [Detection] {
        let order = indices.sorted { (self[$0].score, $1) > (self[$1].score, $0) }
        var kept: [Detection] = []
        for index in order where !kept.contains(where: { $0.overlap(with: self[index]) > overlap }) {
            kept.append(self[index])
        }
        return kept
    }
}
