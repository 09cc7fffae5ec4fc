import Foundation
import Testing

@testable import Jersey

@Suite struct PlayerTableTests {
    private let red = ShirtColour(red: 200, green: 30, blue: 40)
    private let white = ShirtColour(red: 240, green: 240, blue: 240)

    /// A video of 100 frames at 10 a second, with tracks of given frames and shirts.
    private func video(
        _ tracks: [(frames: ClosedRange<Int>, shirt: ShirtColour)],
        times: [Double] = (0..<100).map { Double($0) / 10 }
    ) -> TrackedVideo {
        let boxes = tracks.enumerated().flatMap { index, track in
            track.frames.map {
                TrackBoxes.Box(
                    frame: Int32($0), track: Int32(index), left: Float(index) * 50, top: 0, width: 30,
                    height: 80, confidence: 1, line: 0)
            }
        }
        return TrackedVideo(
            boxes: TrackBoxes(tracks: tracks.indices.map { "\($0 + 1)" }, boxes: boxes, firstFrame: 1),
            looks: tracks.map { [($0.frames.lowerBound, $0.shirt)] }, cuts: [],
            times: times)
    }

    @Test func momentsAndDurationsFollowFramesOfDifferentLengths() throws {
        // 25 frames a second, then 5, with a gap of a minute.
        let times = (0..<50).map { Double($0) / 25 } + (0..<50).map { 62 + Double($0) / 5 }
        let video = video([(0...49, red), (50...99, red)], times: times)
        let predictions = try [
            prediction(1, "7", span: 1...50), prediction(2, "9", span: 51...100),
        ]
        let players = PlayerTable(predictions, in: video, teams: Teams(video)).players
        #expect(players.map(\.firstSecond) == [0, 62])
        #expect(abs(players[0].lastSecond - 1.96) < 1e-9 && abs(players[1].lastSecond - 71.8) < 1e-9)
        // The frame before the gap counts a second.
        #expect(abs(players[0].seconds - (49.0 / 25 + 1)) < 1e-9 && abs(players[1].seconds - 10) < 1e-9)
    }

    private func prediction(
        _ track: Int, _ number: String?, _ confidence: Double = 0.99, teams: [String] = [],
        span: ClosedRange<Int>
    ) throws -> Prediction {
        var prediction = Prediction(
            UnreadableSequence(
                sequence: FrameSequence(
                    id: "\(track)", track: "\(track)", number: nil, frames: [], anchor: nil),
                problems: []))
        prediction.number = number.flatMap { JerseyNumber($0) }
        prediction.confidence = confidence
        prediction.span = span
        prediction.players =
            teams.isEmpty ? nil : teams.map { Roster.Player(team: $0, name: "\($0) \(number ?? "")") }
        return prediction
    }

    private func table(
        _ tracks: [(frames: ClosedRange<Int>, shirt: ShirtColour)], _ numbers: [(String?, Double, [String])],
        names: [(colour: ShirtColour, name: String)] = []
    ) throws -> PlayerTable {
        let video = video(tracks)
        let predictions = try numbers.enumerated().map { index, read in
            let frames = tracks[index].frames
            return try prediction(
                index + 1, read.0, read.1, teams: read.2, span: frames.lowerBound + 1...frames.upperBound + 1)
        }
        return PlayerTable(predictions, in: video, teams: Teams(video), names: names)
    }

    @Test func tracksOfOneTeamWithOneNumberAreOnePlayer() throws {
        let table = try table(
            [(0...30, red), (50...90, red), (0...99, white), (40...60, white)],
            [("7", 0.99, []), ("7", 0.98, []), ("7", 0.99, []), (nil, 0.3, [])])
        #expect(table.players.count == 2)
        let home = try #require(table.players.first { $0.tracks == ["1", "2"] })
        #expect(home.confidence == 0.99 && home.firstSecond == 0 && home.lastSecond == 9)
        #expect(abs(home.seconds - 7.2) < 1e-9)
        #expect(table.unnumbered.map(\.tracks) == [["4"]])
        #expect(table.predictions.map(\.playerID) == ["1", "1", "3", nil])
    }

    @Test func nobodyIsInTwoPlacesAtOnce() throws {
        let table = try table(
            [(0...80, red), (20...60, red), (0...99, white)],
            [("7", 0.99, []), ("7", 0.981, []), ("3", 0.99, [])])
        #expect(table.players.first { $0.number == JerseyNumber("7") }?.tracks == ["1"])
        #expect(table.unnumbered.map(\.tracks) == [["2"]])
        #expect(table.predictions[1].number == nil)
    }

    @Test(arguments: [false, true])
    func aNumberOnAShirtOfTheOtherTeamIsThatOfSomebodyInFront(isOnOwnShirt: Bool) throws {
        let video = video([(0...80, red), (0...99, white)])
        var seven = try prediction(1, "7", span: 1...81)
        seven.frames = [
            .init(path: "a", weight: 0.8, box: nil, shirt: isOnOwnShirt ? red : white),
            .init(path: "b", weight: 0.2, box: nil, shirt: red),
        ]
        let table = PlayerTable(
            [seven, try prediction(2, "3", span: 1...100)], in: video, teams: Teams(video))
        #expect(table.players.map(\.tracks).contains(["1"]) == isOnOwnShirt)
        #expect(table.unnumbered.map(\.tracks) == (isOnOwnShirt ? [] : [["1"]]))
    }

    /// A track of which a calibrated model is so sure.
    private func unsure(_ track: Int, _ number: String, _ confidence: Double, span: ClosedRange<Int>) throws
        -> Prediction
    {
        let number = try #require(JerseyNumber(number))
        // Sure of the tens, or that there are none.
        let tens = (0..<11).map { $0 == number.tens ? 1.0 : 0 }
        let ones = (0..<10).map { $0 == number.ones ? confidence : (1 - confidence) / 9 }
        let digits = DigitDistribution(probabilities: tens, ones)
        var prediction = Prediction(
            sequence: "\(track)", track: "\(track)", digits: digits, evidence: TrackEvidence(digits, nil),
            frames: [], leftOut: [],
            calibration: ModelCalibration(
                temperature: 1, threshold: 0.92, precision: 1, coverage: 1, sequences: 1),
            precision: nil)
        prediction.span = span
        return prediction
    }

    @Test(arguments: [
        // What tracks say and how surely, whether they wear one shirt, and whether it is enough.
        ("47", [0.9], true, false), ("47", [0.9, 0.9], true, true), ("47", [0.9, 0.9], false, false),
        ("47", [0.6, 0.55], true, false), ("47", [0.9, 0.45], true, false),
        ("47", [0.85, 0.85, 0.85], true, true), ("7", [0.9, 0.9], true, false),
    ])
    func unsureTracksOfATeamThatAgreeAreAPlayer(
        number: String, confidences: [Double], isOneTeam: Bool, isEnough: Bool
    ) throws {
        let spans = confidences.indices.map { $0 * 30...$0 * 30 + 20 }
        let video = video(
            spans.enumerated().map { ($1, $0 == 0 || isOneTeam ? red : white) } + [(0...99, white)])
        var predictions = try zip(confidences, spans).enumerated().map {
            try unsure($0 + 1, number, $1.0, span: $1.1.lowerBound + 1...$1.1.upperBound + 1)
        }
        predictions.append(try prediction(predictions.count + 1, "3", span: 1...100))
        let table = PlayerTable(predictions, in: video, teams: Teams(video))
        let player = table.players.first { $0.number == JerseyNumber(number) }
        #expect((player != nil) == isEnough)
        if let player {
            #expect(player.tracks == confidences.indices.map { "\($0 + 1)" })
            #expect((player.confidence ?? 0) >= 0.92)
            #expect(table.predictions.dropLast().allSatisfy { $0.number == player.number && !$0.unreadable })
        }
    }

    @Test func unsureTracksAtTheSameTimeDoNotAgree() throws {
        let video = video([(0...60, red), (20...80, red)])
        let predictions = [
            try unsure(1, "47", 0.9, span: 1...61), try unsure(2, "47", 0.9, span: 21...81),
        ]
        #expect(PlayerTable(predictions, in: video, teams: Teams(video)).players.isEmpty)
    }

    @Test func theShirtAroundANumberIsSeenBetweenItsDigits() throws {
        var picture = RGBImage(width: 40, height: 60, pixels: .init(repeating: 90, count: 40 * 60 * 3))
        func fill(_ columns: Range<Int>, _ rows: Range<Int>, _ level: UInt8) {
            for row in rows {
                for column in columns {
                    for channel in 0..<3 { picture.pixels[(row * 40 + column) * 3 + channel] = level }
                }
            }
        }
        fill(8..<32, 10..<40, 30)
        fill(13..<18, 18..<30, 240)
        fill(22..<27, 18..<30, 240)
        let number = NumberBox(left: 12, top: 18, width: 16, height: 12)
        let shirt = try #require(ShirtColour(around: number, in: picture))
        #expect(shirt == ShirtColour(red: 30, green: 30, blue: 30))
        let outside = NumberBox(left: 100, top: 18, width: 16, height: 12)
        #expect(ShirtColour(around: outside, in: picture) == nil)
    }

    @Test func aTrackerMayBeginATrackBeforeTheOldOneEnds() throws {
        let table = try table(
            [(0...40, red), (38...80, red)], [("7", 0.99, []), ("7", 0.99, [])])
        #expect(table.players.map(\.tracks) == [["1", "2"]])
    }

    @Test func theRosterNamesTheTeams() throws {
        let table = try table(
            [(0...90, red), (0...90, white), (0...90, white)],
            [("7", 0.99, ["Reds", "Whites"]), ("9", 0.99, ["Whites"]), ("4", 0.99, ["Whites"])])
        #expect(Set(table.players.compactMap(\.team)) == ["A", "B"])
        let both = try self.table(
            [(0...90, red), (0...90, red), (0...90, white), (0...90, white)],
            [("7", 0.99, ["Reds", "Whites"]), ("5", 0.99, ["Reds"]), ("9", 0.99, ["Whites"]), (nil, 0, [])])
        #expect(both.players.first { $0.number == JerseyNumber("7") }?.names == ["Reds 7"])
        #expect(Set(both.players.compactMap(\.team)) == ["Reds", "Whites"])
    }

    @Test func givenColoursNameTheTeams() throws {
        let table = try table(
            [(0...90, red), (0...60, white)], [("7", 0.99, []), ("9", 0.99, [])],
            names: [(try ShirtColour(named: "white"), "Snow"), (try ShirtColour(named: "maroon"), "Wine")])
        #expect(table.players.map(\.team) == ["Wine", "Snow"])
    }
}
