import Foundation
import TestSupport
import Testing

@testable import Jersey

@Suite struct TrackPlanTests {
    /// For each count, a track with that many boxes inside the picture.
    private func plan(
        _ counts: [Int], selection: BoxSelection = .every(5), windowSize: Int = 16
    ) throws -> TrackPlan {
        try withFolder { folder in
            let rows = counts.enumerated().flatMap { track, count in
                (1...count).map { "\($0),\(track),0,0,10,10" }
            }
            try folder.add("boxes", Data(rows.joined(separator: "\n").utf8))
            let boxes = try TrackBoxes(contentsOf: folder.appendingPathComponent("boxes").path)
            return TrackPlan(boxes, width: 100, height: 100, selection: selection, windowSize: windowSize)
        }
    }

    @Test func `Short tracks are looked at in full, long ones every few boxes, in windows of equal size`()
        throws
    {
        let plan = try plan([1, 16, 40, 1000])
        #expect(plan.windowsOfTrack == [1, 1, 2, 13])
        #expect(
            plan.windows.map(\.count).reduce(0, +) == 1 + 16 + 20 + 200
                && plan.windows.map(\.count).max()! <= 16)
        #expect(plan.windows.map(\.count)[0..<4] == [1, 16, 10, 10])
        #expect(plan.windows[4...].allSatisfy { 15...16 ~= $0.count })
        #expect(plan.looks.map(\.frame) == plan.looks.map(\.frame).sorted())
        #expect(
            plan.looks.filter { $0.window >= 4 }.map(\.frame) == Array(Swift.stride(from: 0, to: 1000, by: 5))
        )
    }

    @Test func `The best moments of a long track fill windows of equal size, too`() throws {
        let plan = try plan([40, 1000], selection: .bestMoments)
        #expect(plan.windowsOfTrack == [2, 13] && plan.windows.map(\.count).max()! <= 16)
        #expect(plan.windows.allSatisfy { $0.count > 0 } && plan.boxesOfTrack.map(\.count) == [40, 1000])
        #expect(plan.looks.map(\.frame) == plan.looks.map(\.frame).sorted())
    }

    @Test func `A box that is half in the picture is clipped and read, and a sliver is not`() throws {
        func area(_ left: Float) -> PixelArea? {
            TrackBoxes.Box(
                frame: 0, track: 0, left: left, top: 0, width: 20, height: 40, confidence: 1, line: 1
            )
            .legibleArea(width: 100, height: 100)
        }
        #expect(area(-9) == PixelArea(left: 0, top: 0, width: 11, height: 40) && area(-11) == nil)
    }

    @Test func `Ten thousand tracks are planned at once`() throws {
        let plan = try plan(Array(repeating: 3, count: 10_000))
        #expect(plan.windows.count == 10_000 && plan.looks.count == 30_000)
    }
}
