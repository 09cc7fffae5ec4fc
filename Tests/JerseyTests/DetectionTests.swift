import Jersey
import TestSupport
import Testing

@Suite("Detections")
struct DetectionTests {
    private func box(_ left: Double, _ top: Double, _ width: Double, _ height: Double, _ score: Double = 0.5)
        -> Detection
    {
        Detection(left: left, top: top, width: width, height: height, score: score)
    }

    @Test(
        arguments: [
            // The second box, and its overlap with one of 20 by 10 at (10, 10).
            ([10, 10, 20, 10], 1), ([40, 10, 20, 10], 0), ([10, 20, 20, 10], 0), ([20, 10, 20, 10], 1 / 3),
            ([15, 12, 5, 5], 0.125), ([10, 10, 0, 0], 0),
        ] as [([Double], Double)])
    func `Boxes overlap by the share of their union that both cover`(other: [Double], share: Double) {
        let first = box(10, 10, 20, 10)
        let second = box(other[0], other[1], other[2], other[3])
        #expect(isClose(first.overlap(with: second), share))
        #expect(isClose(second.overlap(with: first), share))
    }

    @Test func `Boxes without an area do not overlap`() {
        #expect(box(3, 3, 0, 0).overlap(with: box(3, 3, 0, 0)) == 0)
    }

    @Test func `Of boxes that cover each other the best stays, and the others are sorted`() {
        let boxes = [
            box(0, 0, 10, 20, 0.4), box(1, 0, 10, 20, 0.9), box(50, 0, 10, 20, 0.3), box(2, 1, 10, 20, 0.8),
            box(52, 30, 10, 20, 0.6),
        ]
        #expect(boxes.suppressed(overlap: 0.5) == [boxes[1], boxes[4], boxes[2]])
        #expect(boxes.suppressed(overlap: 1).map(\.score) == [0.9, 0.8, 0.6, 0.4, 0.3])
        #expect([Detection]().suppressed(overlap: 0.5).isEmpty)
    }

    @Test func `Of equally good boxes the first stays`() {
        let boxes = [box(0, 0, 10, 20), box(1, 0, 10, 20)]
        #expect(boxes.suppressed(overlap: 0.5) == [boxes[0]])
    }
}
