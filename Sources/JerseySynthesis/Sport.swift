import Jersey

/// The sport, which decides the ground, the kits and the posture.
struct Sport: Sendable {
    enum Ground: Sendable { case grass, court, ice }

    let ground: Ground
    let sleeves, numberHeight, bulk, lean: ClosedRange<Double>
    /// Share of shirts with an additional number on the chest.
    let frontNumbers: Double
    /// Covered part of the thighs: 0 to 1 (the knee) and beyond.
    let shorts: ClosedRange<Double>
    let helmets: Bool

    static let football = Sport(
        ground: .grass, sleeves: 0.55...0.95, numberHeight: 0.22...0.32, bulk: 0.95...1.15, lean: 0...0.35,
        frontNumbers: 0.15,
        shorts: 0.6...0.9, helmets: false)
    static let longSleeves = Sport(
        ground: .grass, sleeves: 1.7...2, numberHeight: 0.22...0.32, bulk: 0.95...1.15, lean: 0...0.35,
        frontNumbers: 0.15,
        shorts: 0.6...0.9, helmets: false)
    static let court = Sport(
        ground: .court, sleeves: 0...0.7, numberHeight: 0.18...0.27, bulk: 0.95...1.1, lean: 0...0.4,
        frontNumbers: 0.6,
        shorts: 0.6...1, helmets: false)
    static let hockey = Sport(
        ground: .ice, sleeves: 1.8...2, numberHeight: 0.25...0.34, bulk: 1.25...1.45, lean: 0.25...0.8,
        frontNumbers: 0,
        shorts: 0.95...1, helmets: true)

    static func random(using random: inout RandomStream) -> Sport {
        switch random.uniform() {
        case ..<0.6: .football
        case ..<0.72: .longSleeves
        case ..<0.88: .court
        default: .hockey
        }
    }
}
