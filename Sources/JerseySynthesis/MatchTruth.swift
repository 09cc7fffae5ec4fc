import Foundation
import Jersey
import JerseyOutput

/// What a rendered match shows, for comparison with what was read.
package struct MatchTruth: Codable, Sendable, Equatable {
    package struct Player: Codable, Sendable, Equatable {
        package enum Role: String, Codable, Sendable {
            case player, goalkeeper, referee
            /// A coach, a substitute, or somebody else beside the pitch.
            case beside
        }

        package var track: Int
        package var role: Role
        /// "A" or "B"; nil for those of no team.
        package var team: String?
        package var number: JerseyNumber?

        /// The class in MOT text: 1 and 2 for the players of the teams, 3 for goalkeepers, 4 for
        /// referees, 5 for people beside the pitch.
        package var kind: Int {
            switch role {
            case .player: team == "A" ? 1 : 2
            case .goalkeeper: 3
            case .referee: 4
            case .beside: 5
            }
        }
    }

    package var frames: Int
    /// Frames per second.
    package var rate: Double
    package var width, height: Int
    /// The first frame of every shot but the first; frames count from 1.
    package var cuts: [Int]
    package var players: [Player]

    init(_ match: SyntheticMatch, cuts: [Int], people: [MatchPlay.Person], cast: MatchCast) {
        (frames, rate, width, height) = (match.frames, match.rate, match.width, match.height)
        self.cuts = cuts.map { $0 + 1 }
        players = zip(people, cast.members).enumerated().map { index, both in
            let role: Player.Role =
                switch both.0.duty {
                case .field: .player
                case .goal: .goalkeeper
                case .referee, .assistant: .referee
                case .beside: .beside
                }
            return Player(
                track: index + 1, role: role, team: both.0.team.map { ["A", "B"][$0] }, number: both.1.number)
        }
    }

    /// Lines `frame,track,left,top,width,height,counts,class,visibility`. As in MOTChallenge, people
    /// who are not to be counted, because they are beside the pitch, have a 0 in the seventh column.
    func rows(_ appearances: [MatchPainter.Appearance], frame: Int) -> String {
        appearances.map { seen in
            let player = players[seen.person]
            let box = [seen.box.left, seen.box.top, seen.box.width, seen.box.height].map {
                Format.decimal($0, places: 1)
            }
            let fields =
                ["\(frame + 1)", "\(player.track)"] + box
                + [
                    player.role == .beside ? "0" : "1", "\(player.kind)",
                    Format.decimal(seen.visibility, places: 3),
                ]
            return fields.joined(separator: ",") + "\n"
        }.joined()
    }
}
