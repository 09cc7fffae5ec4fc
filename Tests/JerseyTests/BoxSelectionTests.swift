import Foundation
import TestSupport
import Testing

@testable import Jersey

@Suite struct BoxSelectionTests {
    private func box(_ left: Float, _ top: Float, _ width: Float, _ height: Float) -> TrackBoxes.Box {
        TrackBoxes.Box(
            frame: 0, track: 0, left: left, top: top, width: width, height: height, confidence: 1, line: 1)
    }

    /// Views in successive frames.
    private func views(_ qualities: [Float]) -> [BoxView] {
        qualities.enumerated().map {
            BoxView(frame: Int32($0.offset), box: Int32($0.offset), height: $0.element, visible: 1)
        }
    }

    @Test func `A player behind another is hidden, as far as the torso is behind the other's box`() {
        // The second stands in front: its lower edge is lower.
        let shares = BoxView.hiddenShares(of: [box(0, 0, 40, 100), box(20, 20, 40, 100)])
        #expect(abs(shares[0] - 0.5) < 1e-6 && shares[1] == 0)
        // Only the legs are hidden.
        #expect(BoxView.hiddenShares(of: [box(0, 0, 40, 100), box(0, 60, 40, 100)]) == [0, 0])
        // The most that one player hides, and not more than all.
        let crowd = BoxView.hiddenShares(of: [
            box(0, 0, 40, 100), box(30, 5, 40, 100), box(-10, 10, 80, 100), box(500, 0, 40, 100),
        ])
        #expect(crowd[0] == 1 && crowd[2] == 0 && crowd[3] == 0)
    }

    @Test func `All rows of a box around a number count`() {
        let shares = BoxView.hiddenShares(of: [box(0, 0, 20, 20), box(0, 10, 20, 20)])
        #expect(abs(shares[0] - 0.5) < 1e-6)
    }

    @Test func `A view is as good as it is high, in the picture, and in front`() throws {
        try withFolder { folder in
            let rows = "1,1,0,0,20,50\n1,2,-8,0,20,50\n2,1,0,0,20,50\n2,2,0,20,20,60\n3,2,-15,0,20,50\n"
            try folder.add("boxes", Data(rows.utf8))
            let boxes = try TrackBoxes(contentsOf: folder.appendingPathComponent("boxes").path)
            var leftOut = LeftOutBoxes()
            let views = BoxView.ofTracks(in: boxes, width: 100, height: 100, &leftOut)
            #expect(views.map { $0.map(\.frame) } == [[0, 1], [0, 1]] && leftOut.counts[.outside] == 1)
            #expect(views[0][0].quality == 50 && abs(views[1][0].quality - 50 * 0.6) < 1e-4)
            // The torso is 10 to 27.5, and the box in front begins at 20.
            #expect(abs(views[0][1].quality - 50 * 10 / 17.5) < 1e-3 && views[1][1].quality == 60)
        }
    }

    @Test func `A frame with thousands of boxes on one place takes no longer than its boxes`() {
        let start = ContinuousClock.now
        #expect(BoxView.hiddenShares(of: Array(repeating: box(0, 0, 40, 100), count: 5000)).count == 5000)
        #expect(ContinuousClock.now - start < .seconds(20))
    }

    @Test func `The best view of each slot is read, and where all are bad none`() {
        var qualities = (0..<100).map { Float(100 + $0 % 5) }
        for hidden in 40..<60 { qualities[hidden] = 10 }
        let chosen = BoxSelection.bestMoments.chosen(of: views(qualities), size: 12)
        #expect(chosen == (0..<20).filter { !(8..<12).contains($0) }.map { $0 * 5 + 4 })
    }

    @Test func `What the model reads at once is read, however bad`() {
        let qualities = (0..<100).map { Float($0 == 50 ? 100 : $0 % 5) }
        let chosen = BoxSelection.bestMoments.chosen(of: views(qualities), size: 16)
        #expect(chosen.count == 16 && chosen.contains(50) && chosen == chosen.sorted())
    }

    @Test func `Slots are times, and frames without a box are not made up for`() {
        let kept = views(Array(repeating: 100, count: 100)).filter { !(20..<80).contains($0.frame) }
        let chosen = BoxSelection.bestMoments.chosen(of: kept, size: 4).map { Int(kept[$0].frame) }
        #expect(chosen == [0, 5, 10, 15, 80, 85, 90, 95])
    }

    @Test(arguments: [0, 1, 16, 20])
    func `All good views of a short track are read`(count: Int) {
        let chosen = BoxSelection.bestMoments.chosen(
            of: views(Array(repeating: 90, count: count)), size: 16)
        #expect(chosen == Array(0..<count))
    }

    @Test(arguments: [(16, 16, 1), (100, 17, 6), (1000, 200, 5)])
    func `Every n-th box is read whatever it shows, of short tracks more`(
        count: Int, looks: Int, step: Int
    ) {
        let bad = views((0..<count).map { Float($0 % 2 == 0 ? 1 : 100) })
        let chosen = BoxSelection.every(step).chosen(of: bad, size: 16)
        #expect(chosen.count == looks && chosen == (0..<looks).map { $0 * step })
    }
}
