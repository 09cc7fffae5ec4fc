import Jersey

/// A sport, which decides the ground, the kits, the bodies and the postures. Lengths are in metres;
/// shares are from 0 to 1.
struct Sport: Sendable {
    enum Ground: Sendable { case grass, court, floor, ice, track }

    let name: String
    /// Share of all players.
    let share: Double
    let grounds: [Ground]
    /// How far the sleeve reaches along the arm: 0 is sleeveless, 1 the elbow, 2 the wrist; and the
    /// share of players in long sleeves.
    var sleeves = 0.55...0.95
    var longSleeves = 0.0
    /// Heights of the numbers on the back and on the chest.
    var backNumber = 0.2...0.3
    var chestNumber = 0.08...0.12
    /// Share of kits with a number on the chest, and of these the share with it beside the middle.
    var chestNumbers = 0.1
    var besides = 0.5
    /// Width of the body, and fit of the shirt; 1 is tight.
    var bulk = 0.95...1.15
    var fit = 1.0...1.2
    /// Forward lean in radians when running.
    var lean = 0.0...0.4
    /// Covered part of the thighs: 0 to 1 (the knee) and beyond.
    var shorts = 0.6...0.9
    /// Shares of kits with the number again on the shorts and on the sleeves.
    var shortsNumbers = 0.1
    var sleeveNumbers = 0.03
    var helmets = false
    var stick = false
    /// The ball: 0 white, 1 orange, 2 yellow.
    var ball = 0
    /// Breadth that pads add to the shoulders.
    var pads = 0.0
    /// Shares of dresses, and of numbers on a patch pinned to the shirt.
    var dresses = 0.0
    var patches = 0.02

    static let football = Sport(
        name: "football", share: 0.26, grounds: [.grass], longSleeves: 0.25, backNumber: 0.2...0.32,
        shortsNumbers: 0.25)

    /// All sports.
    static let all = [
        football,
        Sport(
            name: "rugby", share: 0.14, grounds: [.grass], sleeves: 0.45...0.8, backNumber: 0.19...0.28,
            chestNumbers: 0, bulk: 1.05...1.25, fit: 1...1.08, lean: 0...0.6, shorts: 0.35...0.65),
        Sport(
            name: "basketball", share: 0.17, grounds: [.court, .court, .floor], sleeves: 0...0.05,
            backNumber: 0.17...0.26, chestNumber: 0.13...0.2, chestNumbers: 1, besides: 0.08,
            bulk: 0.95...1.12, fit: 1.05...1.25, lean: 0...0.5, shorts: 0.85...1.05, ball: 1),
        Sport(
            name: "hockey", share: 0.17, grounds: [.ice, .floor], sleeves: 1.8...2,
            backNumber: 0.24...0.38, chestNumbers: 0, bulk: 1.15...1.4, fit: 1.1...1.3,
            lean: 0.15...0.8, shorts: 0.95...1, sleeveNumbers: 0.5,
            helmets: true, stick: true, pads: 0.06),
        Sport(
            name: "volleyball", share: 0.08, grounds: [.court, .floor], sleeves: 0.1...0.6,
            longSleeves: 0.1, backNumber: 0.16...0.24, chestNumber: 0.11...0.16, chestNumbers: 0.95,
            besides: 0.1, bulk: 0.88...1.05, fit: 1...1.06, shorts: 0.25...0.6, ball: 2),
        Sport(
            name: "handball", share: 0.05, grounds: [.court, .floor], sleeves: 0.3...0.8,
            backNumber: 0.18...0.26, chestNumber: 0.09...0.14, chestNumbers: 0.9, besides: 0.3,
            lean: 0...0.5),
        Sport(
            name: "netball", share: 0.03, grounds: [.court, .floor], sleeves: 0...0.05,
            backNumber: 0.14...0.22, chestNumber: 0.13...0.2, chestNumbers: 0.9, besides: 0,
            bulk: 0.85...1, fit: 1...1.05, shorts: 0.2...0.4, dresses: 0.8, patches: 0.2),
        Sport(
            name: "athletics", share: 0.02, grounds: [.track, .grass], sleeves: 0...0.4,
            backNumber: 0.08...0.15, chestNumber: 0.08...0.15, chestNumbers: 0.9, besides: 0,
            bulk: 0.85...1.02, fit: 1...1.1, shorts: 0.2...0.6, patches: 0.8),
        Sport(
            name: "American football", share: 0.08, grounds: [.grass], sleeves: 0.25...0.6,
            backNumber: 0.2...0.3, chestNumber: 0.18...0.26, chestNumbers: 1, besides: 0,
            bulk: 1.05...1.3, fit: 1...1.1, lean: 0...0.7, shorts: 1.05...1.1, sleeveNumbers: 0.4,
            helmets: true, pads: 0.22),
    ]

    /// The sport of easy pictures: short sleeves or none.
    static func plain(using random: inout RandomStream) -> Sport {
        random.chance(0.7) ? football : all[2]
    }

    static func random(using random: inout RandomStream) -> Sport {
        var rest = random.uniform() * all.map(\.share).reduce(0, +)
        return all.first { sport in
            rest -= sport.share
            return rest < 0
        } ?? football
    }
}
