import Foundation
import Jersey
import TestSupport
import Testing

@testable import JerseySynthesis

@Suite struct SyntheticVideoTests {
    @Test func `A video has a box of one size for each player in each frame`() throws {
        let folder = try TestFolder()
        var film = SyntheticVideo(numbers: ["7", "23"].compactMap(JerseyNumber.init), frames: 6, seed: 2)
        (film.width, film.height) = (320, 240)
        try film.write(folder.path("a.mp4"), boxes: folder.path("a.txt"))
        let video = try VideoReader(folder.path("a.mp4"))
        while try video.next() != nil {}
        #expect(video.count == 6)
        let rows = try String(contentsOfFile: folder.path("a.txt"), encoding: .utf8).split(separator: "\n")
            .map { $0.split(separator: ",") }
        for track in 1...2 {
            let heights = rows.filter { $0[1] == "\(track)" }.compactMap { Double($0[5]) }
            #expect(heights.count == 6 && (heights.max() ?? 0) < 1.1 * (heights.min() ?? 0))
            #expect(100...150 ~= heights[0])
        }
    }
}
