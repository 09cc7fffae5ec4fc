import Foundation
import Jersey
import TestSupport
import Testing

@testable import JerseySynthesis

@Suite struct SyntheticVideoTests {
    /// The boxes of a film: for each track, its heights in time order.
    private func heights(isMatch: Bool) throws -> [[Double]] {
        let folder = try TestFolder()
        var film = SyntheticVideo(numbers: ["7", "23"].compactMap(JerseyNumber.init), frames: 6, seed: 2)
        (film.width, film.height, film.isMatch) = (320, 240, isMatch)
        try film.write(folder.path("a.mp4"), boxes: folder.path("a.txt"))
        let video = try VideoReader(folder.path("a.mp4"))
        while try video.next() != nil {}
        #expect(video.count == 6)
        let rows = try String(contentsOfFile: folder.path("a.txt"), encoding: .utf8).split(separator: "\n")
            .map { $0.split(separator: ",") }
        return (1...2).map { track in
            rows.filter { $0[1] == "\(track)" }.compactMap { Double($0[5]) }
        }
    }

    @Test func `Players of a match come nearer and go away, others keep their size`() throws {
        let (plain, match) = (try heights(isMatch: false), try heights(isMatch: true))
        #expect(plain.map(\.count) == [6, 6] && match.map(\.count) == [6, 6])
        #expect(plain.allSatisfy { ($0.max() ?? 0) < 1.1 * ($0.min() ?? 0) && 100...150 ~= $0[0] })
        #expect(match.joined().allSatisfy { 30...300 ~= $0 })
        let ratios = match.map { heights in (heights.max() ?? 0) / (heights.min() ?? 1) }
        #expect(ratios.contains { $0 > 1.01 })
    }
}
