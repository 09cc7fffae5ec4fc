import Foundation
import Testing

@testable import Jersey

@Suite struct PlayerGroupingTests {
    /// A track with a number, between two frames.
    private func track(
        _ name: String, _ number: String?, _ span: ClosedRange<Int>?, kind: String? = nil,
        players: [Roster.Player]? = nil
    ) -> Prediction {
        let known = number.flatMap(JerseyNumber.init)
        let sequence = FrameSequence(id: name, track: name, number: nil, frames: [], anchor: nil)
        var prediction = Prediction(UnreadableSequence(sequence: sequence, problems: []))
        prediction.number = known
        prediction.span = span
        prediction.kind = kind
        prediction.players = players
        return prediction
    }

    private func players(_ tracks: Prediction...) -> [String?] {
        Prediction.grouped(tracks).map(\.playerID)
    }

    @Test func `Tracks with one number that are never seen together may be one player`() {
        #expect(
            players(
                track("1", "8", 1...50), track("2", "9", 1...50), track("3/b", "8", 51...80),
                track("7", "8", 200...210)) == ["1", "2", "1", "1"])
    }

    @Test func `If two are seen together, two players wear the number, and all are left apart`() {
        #expect(
            players(track("1", "8", 1...50), track("2", "8", 50...90), track("3", "8", 100...120))
                == ["1", "2", "3"])
    }

    @Test func `Players of two classes, such as teams, are two players`() {
        #expect(
            players(
                track("1", "8", 1...50, kind: "red"), track("2", "8", 30...90, kind: "white"),
                track("3", "8", 100...120, kind: "red")) == ["1", "2", "1"])
    }

    @Test func `A number that two players of the roster wear is left apart`() {
        let two = [Roster.Player(team: "Reds", name: "Ann"), .init(team: "Blues", name: "Bo")]
        #expect(
            players(track("1", "8", 1...50, players: two), track("2", "8", 60...90, players: two))
                == ["1", "2"])
        let one = [two[0]]
        #expect(
            players(track("1", "8", 1...50, players: one), track("2", "8", 60...90, players: one))
                == ["1", "1"])
    }

    @Test func `07 is not 7, and tracks without a number or a video have no player`() {
        #expect(
            players(
                track("1", "7", 1...50), track("2", "07", 60...90), track("3", nil, 1...2),
                track("4", "7", nil)) == ["1", "2", nil, nil])
    }
}
