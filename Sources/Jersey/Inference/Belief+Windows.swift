import Foundation

/// Several windows of one track, or several frames of which each is read by itself. They show the same player, shirt and light: when
/// one misleads, the others likely do, too.
extension Belief {
    /// How much of a window's evidence the track's other windows have said already, 0...1. Measured: with it tracks are right about
    /// as often as their confidence says (docs/results.md).
    public static let windowCorrelation = 0.5

    /// The evidence of a track's windows: the mean of their log-probabilities times the number of independent windows that they are
    /// worth, n / (1 + (n − 1) · correlation), which is less than 1 / correlation however long the track.
    ///
    /// Windows that say nothing count for nothing: n is (Σ I)² / Σ I², where I is what a window tells, in nats. The most probable
    /// number is the one that summed evidence gives.
    public init(windows: [Belief], correlation: Double = windowCorrelation) {
        precondition(!windows.isEmpty, "no windows")
        let evidence = windows.dropFirst().reduce(WindowEvidence(windows[0])) { $0.adding($1) }
        self = evidence.belief(correlation: correlation)
    }

    /// The evidence, but `factor` times as much of it; normalised.
    func scaled(by factor: Double) -> Belief {
        Belief(tens: Self.combined([tens.map { $0 * factor }]), ones: Self.combined([ones.map { $0 * factor }]))
    }

    /// Both together, not normalised.
    func adding(_ other: Belief) -> Belief {
        Belief(tens: zip(tens, other.tens).map(+), ones: zip(ones, other.ones).map(+))
    }

    /// How much it says, nats: 0 where all digits are as probable as each other.
    var information: Double {
        func of(_ logs: [Double]) -> Double { log(Double(logs.count)) + logs.reduce(0) { $0 + ($1 > -700 ? exp($1) * $1 : 0) } }
        return max(0, of(tens)) + max(0, of(ones))
    }

    /// Which share each of several looks has in the decision for this belief's number against the next probable one; sum 1. Looks that
    /// speak against it have none; where all do, each has the same.
    func shares(of looks: [Belief]) -> [Double] {
        let best = top(2)
        let margins = looks.map { look in max(0, look.logProbability(of: best[0]) - look.logProbability(of: best[1])) }
        let total = margins.reduce(0, +)
        return margins.map { total > 0 ? $0 / total : 1 / Double(looks.count) }
    }
}

/// What a growing number of windows say together; of fixed size.
struct WindowEvidence {
    private var sum: Belief
    private var information: Double
    private var squares: Double

    init(_ first: Belief) {
        (sum, information) = (first, first.information)
        squares = information * information
    }

    func adding(_ window: Belief) -> WindowEvidence {
        var all = self
        // Not normalised: with many windows that would lose digits.
        all.sum = sum.adding(window)
        let information = window.information
        all.information += information
        all.squares += information * information
        return all
    }

    func belief(correlation: Double = Belief.windowCorrelation) -> Belief {
        let count = squares > 0 ? information * information / squares : 1
        return sum.scaled(by: 1 / (1 + (count - 1) * correlation))
    }
}
