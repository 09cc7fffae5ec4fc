import Foundation
import Jersey
import JerseyOutput

/// Two models on the same test sequences.
///
/// Sequences of one track, and runs of one model, are not independent: the interval resamples both (a cluster bootstrap). McNemar's
/// exact test (McNemar 1947) looks at the sequences that most runs of one model read right and most runs of the other wrong. It takes
/// as many runs of both, of the same seeds as far as there are, since a majority of more runs errs less; and it leaves out sequences
/// on which a model's runs are divided. It takes sequences as independent, and therefore a difference counts only where both agree.
/// P-values are adjusted for the number of pairs (Holm 1979).
package struct PairedComparison: Codable, Sendable, Equatable {
    package let first: String
    package let second: String
    /// How many the one of the two has that has fewer.
    package let runs: Int
    /// Test sequences that all runs of both have read, and their tracks.
    package let sequences: Int
    package let tracks: Int
    /// Mean accuracy of the second less that of the first, -1...1.
    package let difference: Double
    /// 95% bootstrap interval of the difference.
    package let interval: [Double]
    package let onlyFirstRight: Int
    package let onlySecondRight: Int
    package let pValue: Double
    /// Over all pairs that were compared.
    package internal(set) var adjustedPValue: Double

    /// Whether the difference is more than noise: the interval leaves out zero, the test says so, too, and there are seeds enough
    /// to know something of the noise between them.
    package var isSeparable: Bool { differs && runs >= Self.fewestRuns }

    /// Runs of each model for a verdict.
    static let fewestRuns = 3

    private var differs: Bool { (interval[0] > 0 || interval[1] < 0) && adjustedPValue < 0.05 }

    /// "b is better", "not separable from noise", or that these runs differ, which says nothing of others.
    package var verdict: String { verdict(better: "\(second) is better", worse: "\(first) is better") }

    /// The same where the first is a baseline: "improves" or "harms".
    var effect: String { verdict(better: "improves", worse: "harms") }

    private func verdict(better: String, worse: String) -> String {
        guard differs else { return "not separable from noise" }
        guard runs >= Self.fewestRuns else {
            return "these runs differ; \(runs == 1 ? "one seed" : "\(runs) seeds") tell too little"
        }
        return difference > 0 ? better : worse
    }

    /// The second of the two first, as seen from the other side.
    var reversed: PairedComparison {
        PairedComparison(
            first: second, second: first, runs: runs, sequences: sequences, tracks: tracks, difference: -difference,
            interval: [-interval[1], -interval[0]], onlyFirstRight: onlySecondRight, onlySecondRight: onlyFirstRight,
            pValue: pValue, adjustedPValue: adjustedPValue)
    }

    /// "b beats a by 1.20 points (0.40 to 2.10)"; for one that is separable.
    package var finding: String {
        let isSecond = difference > 0
        let (winner, loser) = isSecond ? (second, first) : (first, second)
        let bounds = isSecond ? interval : [-interval[1], -interval[0]]
        return "\(winner) beats \(loser) by \(Format.points(abs(difference), places: 2)) points (\(Self.describe(bounds)))"
    }

    /// "+0.42 (-0.13 to 0.98)", in percentage points.
    package var differenceText: String {
        "\(Format.signedPoints(difference, places: 2)) (\(Self.describe(interval)))"
    }

    /// "-0.13 to 0.98", in percentage points.
    private static func describe(_ interval: [Double]) -> String {
        interval.map { Format.points($0, places: 2) }.joined(separator: " to ")
    }
}

extension PairedComparison {
    /// Every model against every other, or each against a baseline, on the test sequences that all runs of both have read. Pairs
    /// without any are left out.
    ///
    /// - Parameters:
    ///   - baseline: the name of the group that comes first in every pair; there are no other pairs then.
    ///   - seed: of the resampling. A pair's figures depend on its own runs and on nothing else that is compared.
    package static func all(
        among groups: [RunGroup], with baseline: String? = nil, resamples: Int = 10_000, seed: UInt64 = 1
    ) -> [PairedComparison] {
        // As a rule all have read the same, and are resampled once.
        let sets = groups.map { Set(CommonTest.rows([$0]).map(\.sequence)) }
        let shared = sets.allSatisfy { $0 == sets[0] } ? ResampledTest(groups, resamples, seed) : nil
        let base = baseline.flatMap { name in groups.firstIndex { $0.name == name } }
        var comparisons: [PairedComparison] = []
        for first in groups.indices where base == nil || first == base {
            for second in groups.indices where base == nil ? second > first : second != first {
                let pair = [groups[first], groups[second]]
                let places = shared == nil ? [0, 1] : [first, second]
                guard let test = shared ?? ResampledTest(pair, resamples, seed) else { continue }
                comparisons.append(PairedComparison(pair, test, places))
            }
        }
        for (index, p) in holm(comparisons.map(\.pValue)).enumerated() { comparisons[index].adjustedPValue = p }
        return comparisons
    }

    /// - Parameter places: of the two groups in the test.
    private init(_ pair: [RunGroup], _ test: ResampledTest, _ places: [Int]) {
        first = pair[0].name
        second = pair[1].name
        runs = min(pair[0].runs.count, pair[1].runs.count)
        sequences = test.common.sequences.count
        tracks = test.common.trackCount
        difference = test.means[places[1]] - test.means[places[0]]
        let differences = zip(test.resampled.first[places[0]], test.resampled.second[places[1]]).map { $1 - $0 }.sorted()
        interval = [differences.quantile(0.025), differences.quantile(0.975)]
        let chosen = Self.matched(pair.map { $0.runs.map(\.result.seed) })
        let votes = zip(places, chosen).map { test.common.majorities(of: $0, runs: $1) }
        onlyFirstRight = zip(votes[0], votes[1]).count { $0 == true && $1 == false }
        onlySecondRight = zip(votes[0], votes[1]).count { $0 == false && $1 == true }
        pValue = Self.mcNemar(onlyFirstRight, onlySecondRight)
        adjustedPValue = pValue
    }

    /// The runs of two groups that are set against each other: as many of both, those of common seeds first.
    static func matched(_ seeds: [[UInt64]]) -> [[Int]] {
        let count = seeds.map(\.count).min() ?? 0
        let common = Set(seeds[0]).intersection(seeds[1])
        return seeds.map { seeds in
            let order = seeds.indices.sorted {
                (common.contains(seeds[$0]) ? 0 : 1, seeds[$0]) < (common.contains(seeds[$1]) ? 0 : 1, seeds[$1])
            }
            return Array(order.prefix(count))
        }
    }

    /// Two-sided exact p-value of `b` against `c` discordant pairs: a fair coin's.
    static func mcNemar(_ b: Int, _ c: Int) -> Double {
        let n = b + c
        guard n > 0 else { return 1 }
        func logFactorial(_ k: Int) -> Double { lgamma(Double(k) + 1) }
        var tail = 0.0
        for k in 0...min(b, c) {
            tail += exp(logFactorial(n) - logFactorial(k) - logFactorial(n - k) - Double(n) * log(2))
        }
        return min(1, 2 * tail)
    }

    /// Adjusted so that the chance of any false finding stays below the level.
    static func holm(_ values: [Double]) -> [Double] {
        var adjusted = values
        var most = 0.0
        for (rank, index) in values.indices.sorted(by: { (values[$0], $0) < (values[$1], $1) }).enumerated() {
            most = max(most, min(1, values[index] * Double(values.count - rank)))
            adjusted[index] = most
        }
        return adjusted
    }
}

/// What some models made of their common test sequences, and of samples of them.
private struct ResampledTest {
    let common: CommonTest
    let means: [Double]
    let resampled: (first: [[Double]], second: [[Double]])

    /// Nil where there is nothing in common.
    init?(_ groups: [RunGroup], _ resamples: Int, _ seed: UInt64) {
        common = CommonTest(groups)
        guard groups.count > 1, !common.sequences.isEmpty else { return nil }
        means = common.means
        resampled = common.resampledMeans(count: resamples, seed: seed)
    }
}

/// The test sequences that all runs of some models have read, and who read which right.
struct CommonTest {
    /// Ids, in the first run's order.
    let sequences: [String]
    let trackCount: Int
    /// Whether group, run, sequence was read right.
    let right: [[[Bool]]]
    /// The track of each sequence, an index below `trackCount`.
    private let trackOf: [Int]

    /// Those that all runs of some groups have, labelled, as the first run has them.
    static func rows(_ groups: [RunGroup]) -> [Outcome] {
        let runs = groups.flatMap(\.runs)
        var common = Set(runs.first?.outcomes.map(\.sequence) ?? [])
        for run in runs.dropFirst() { common.formIntersection(run.outcomes.map(\.sequence)) }
        return (runs.first?.outcomes ?? []).filter { common.contains($0.sequence) && $0.truth != nil }
    }

    init(_ groups: [RunGroup]) {
        let rows = Self.rows(groups)
        sequences = rows.map(\.sequence)
        // Whoever comes first may have read them in another order, and the same tracks are to be drawn.
        let tracks = Dictionary(uniqueKeysWithValues: Set(rows.map(\.track)).sorted().enumerated().map { ($1, $0) })
        trackOf = rows.map { tracks[$0.track]! }
        trackCount = tracks.count
        let ids = rows.map(\.sequence)
        right = groups.map { group in
            group.runs.map { run in
                let outcomes = Dictionary(run.outcomes.map { ($0.sequence, $0) }, uniquingKeysWith: { first, _ in first })
                return ids.map { outcomes[$0]!.isRight }
            }
        }
    }

    /// Mean accuracy of each group over its runs.
    var means: [Double] {
        right.map { runs in
            Double(runs.reduce(0) { $0 + $1.count { $0 } }) / Double(runs.count * sequences.count)
        }
    }

    /// Whether most of some runs of a group read a sequence right; nil where they are divided evenly.
    func majorities(of group: Int, runs: [Int]) -> [Bool?] {
        sequences.indices.map { index in
            let votes = runs.count { right[group][$0][index] }
            return 2 * votes == runs.count ? nil : 2 * votes > runs.count
        }
    }

    /// Mean accuracies of each group, where tracks and runs are drawn anew; the tracks are the same for all groups. A group's runs are
    /// drawn twice, for when it is the first and when it is the second of a pair: so the two are independent, and what else is
    /// compared does not matter.
    func resampledMeans(count: Int, seed: UInt64) -> (first: [[Double]], second: [[Double]]) {
        var sizes = [Int](repeating: 0, count: trackCount)
        for track in trackOf { sizes[track] += 1 }
        let counts = right.map { runs in
            runs.map { row in
                var counts = [Int](repeating: 0, count: trackCount)
                for (index, isRight) in row.enumerated() where isRight { counts[trackOf[index]] += 1 }
                return counts
            }
        }
        var random = RandomStream(seed, 0)
        var (firsts, seconds) = (
            right.map { _ in RandomStream(seed, 1) }, right.map { _ in RandomStream(seed, 2) }
        )
        var means = (first: [[Double]](repeating: [], count: right.count), second: [[Double]](repeating: [], count: right.count))
        for _ in 0..<count {
            let tracks = (0..<trackCount).map { _ in Int.random(in: 0..<trackCount, using: &random) }
            let total = tracks.reduce(0) { $0 + sizes[$1] }
            for (group, runs) in counts.enumerated() {
                let hits = runs.map { run in tracks.reduce(0) { $0 + run[$1] } }
                func mean(_ random: inout RandomStream) -> Double {
                    let sum = hits.indices.reduce(0) { sum, _ in sum + hits[Int.random(in: hits.indices, using: &random)] }
                    return Double(sum) / Double(total * hits.count)
                }
                means.first[group].append(mean(&firsts[group]))
                means.second[group].append(mean(&seconds[group]))
            }
        }
        return means
    }
}
