import Foundation
import Jersey
import TestSupport
import Testing

@testable import JerseyCLI
@testable import JerseyOutput
@testable import JerseyVisualization

/// How tracks in which the player changes are written.
@Suite struct TrackPieceTests {
    /// Track 4 is 7 up to frame 2 and 23 from frame 3, and track 5 is 7 again.
    private let predictions: [Prediction]

    init() throws {
        func row(_ track: String, _ number: String, _ rest: String) -> String {
            """
            {"sequence": "\(track)", "track": "\(track)", "number": "\(number)", "confidence": 0.99, "unreadable": false,
             "top": [], "tens": [], "ones": [], "frames": [], "left_out": [], \(rest)}
            """
        }
        let rows = [
            row("4/a", "7", #""piece_of": "4", "first_frame": 1, "last_frame": 2, "player_id": "4/a""#),
            row("4/b", "23", #""piece_of": "4", "first_frame": 3, "last_frame": 4, "player_id": "4/b""#),
            row("5", "7", #""first_frame": 3, "last_frame": 4, "player_id": "4/a""#),
        ]
        predictions = try JSONDecoder().decode(
            [Prediction].self, from: Data("[\(rows.joined(separator: ","))]".utf8))
    }

    private func written(_ format: OutputFormat) throws -> String {
        try withFolder { folder in
            let rows = (1...4).map { "\($0),4,0,0,20,40\n" }.joined() + "3,5,40,0,20,40\n4,5,40,0,20,40\n"
            try folder.add("boxes.txt", Data(rows.utf8))
            let boxes = try TrackBoxes(contentsOf: folder.appendingPathComponent("boxes.txt").path)
            return try format.text(OutputFormat.Content(predictions: predictions, boxes: boxes))
        }
    }

    @Test func `MOT keeps the tracker's names, and each box has the number of its piece`() throws {
        let rows = try written(.mot).split(separator: "\n").map { $0.split(separator: ",") }
        #expect(
            rows.map { "\($0[0]) \($0[1]) \($0[10])" } == [
                "1 4 7", "2 4 7", "3 4 23", "3 5 7", "4 4 23", "4 5 7",
            ])
    }

    @Test func `JSON has the track of a piece, its frames and its player`() throws {
        let rows = try #require(
            JSONSerialization.jsonObject(with: Data(try written(.json).utf8)) as? [[String: Any]])
        #expect(rows.map { $0["piece_of"] as? String } == ["4", "4", nil])
        #expect(rows.map { $0["first_frame"] as? Int } == [1, 3, 3])
        #expect(rows.map { $0["last_frame"] as? Int } == [2, 4, 4])
        #expect(rows.map { $0["player_id"] as? String } == ["4/a", "4/b", "4/a"])
    }

    @Test func `CSV has columns for them, and the table says who comes again`() throws {
        let rows = try written(.csv).split(whereSeparator: \.isNewline).map {
            $0.split(separator: ",", omittingEmptySubsequences: false)
        }
        #expect(rows[0].suffix(3) == ["first_frame", "last_frame", "player_id"])
        #expect(rows.map(\.count) == Array(repeating: rows[0].count, count: 4))
        #expect(rows[3].suffix(3) == ["3", "4", "4/a"])
        let table = try written(.table).split(separator: "\n").map { $0.split(separator: " ") }
        #expect(table[0].joined(separator: " ").hasSuffix("in frames same player as"))
        #expect(table[2].last == "1-2" && table[4].suffix(2) == ["3-4", "4/a"])
    }

    @Test func `A submission names each track once, so it keeps tracks whole`() {
        #expect(OutputFormat.all.filter(\.needsWholeTracks).map(\.name) == ["soccernet"])
    }
}
