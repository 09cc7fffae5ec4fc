import Foundation
import Jersey
import JerseyOutput

/// The people of a match, in the order of `MatchPlay`: what they look like and wear.
struct MatchCast: Sendable {
    struct Member: Sendable {
        let athlete: Athlete
        let number: JerseyNumber?
        /// The shirt at increasing fineness, as it is seen from afar and near.
        private let shirts: [(density: Double, texture: ShirtTexture)]

        fileprivate init(_ kit: Kit, number: JerseyNumber?, using random: inout RandomStream) {
            // Nobody in a match carries a second ball.
            let athlete = Athlete(kit: kit, sport: .football, difficulty: .easy, using: &random)
            self.athlete = athlete
            self.number = number
            shirts = [60.0, 120, 240].map { density in
                let texture = ShirtTexture(
                    kit, girth: athlete.girth, length: athlete.length, skin: athlete.skinColour,
                    density: density)
                return (density, texture)
            }
        }

        /// - Parameter density: pixels per metre.
        func shirt(_ density: Double) -> ShirtTexture {
            (shirts.first { $0.density >= 0.8 * density } ?? shirts[shirts.count - 1]).texture
        }
    }

    let members: [Member]

    init(people: [MatchPlay.Person], using random: inout RandomStream) {
        var kits: [Kit] = []
        // Two teams, their goalkeepers, and the officials.
        for index in 0..<5 {
            kits.append(Self.kit(hasNumber: index < 4, unlike: kits, using: &random))
        }
        var numbers = (0..<2).map { _ in Self.numbers(using: &random) }
        members = people.map { person in
            var kit = kits[4]
            switch (person.team, person.duty) {
            case (let team?, .goal): kit = kits[2 + team]
            case (let team?, _): kit = kits[team]
            case (_, .beside): kit = Kit(number: nil, sport: .football, difficulty: .match, using: &random)
            default: break
            }
            let number = person.team.map { numbers[$0].removeFirst() }
            return Member(
                kit.worn(with: number?.description, using: &random), number: number, using: &random)
        }
    }

    /// The most different from the others of some.
    private static func kit(hasNumber: Bool, unlike others: [Kit], using random: inout RandomStream) -> Kit {
        func difference(_ kit: Kit) -> Double {
            others.map { other in
                let (one, two) = (kit.impression, other.impression)
                return abs(one.red - two.red) + abs(one.green - two.green) + abs(one.blue - two.blue)
            }.min() ?? 0
        }
        let kits = (0..<(others.isEmpty ? 1 : 16)).map { _ in
            Kit(number: hasNumber ? "8" : nil, sport: .football, difficulty: .match, using: &random)
        }
        return kits.max { difference($0) < difference($1) } ?? kits[0]
    }

    /// Numbers for a goalkeeper and ten players.
    private static func numbers(using random: inout RandomStream) -> [JerseyNumber] {
        let keepers = ["1", "1", "1", "12", "13", "22"]
        var numbers = [keepers.randomElement(using: &random) ?? "1"]
        while numbers.count < 11 {
            let range = random.chance(0.55) ? 2...11 : random.chance(0.7) ? 12...33 : 34...99
            let number = Int.random(in: range, using: &random).description
            if !numbers.contains(number) { numbers.append(number) }
        }
        return numbers.compactMap(JerseyNumber.init)
    }
}

extension Kit {
    /// The colour of the shirt from afar.
    fileprivate var impression: Colour { pattern == nil ? shirt : shirt.mixed(with: trim, 0.4) }
}

extension Difficulty {
    /// Numbers that one can read: two teams have few kits, and a bad one would spoil the match.
    fileprivate static let match = {
        var difficulty = real
        (difficulty.faint, difficulty.hollow, difficulty.fancy) = (0, 0, 0.3)
        return difficulty
    }()
}
