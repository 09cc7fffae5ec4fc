import Foundation
import Jersey
import JerseyOutput

/// A comparison of two models on the same test sequences.
///
/// Sequences of one track and runs of one model are not independent, so the interval resamples both
/// (a cluster bootstrap). McNemar's exact test (McNemar 1947) counts the sequences that most runs
/// of one model read right and most runs of the other wrong. It uses equally many runs of both,
/// because a majority of more runs errs less, and prefers runs of common seeds. It skips sequences
/// on which a model's runs are evenly divided. The test assumes independent sequences, so a
/// difference counts only if the interval agrees. P-values are adjusted for the number of pairs
/// (Holm 1979).
package struct PairedComparison: Codable, Sendable, Equatable {
    package let first: String
    package let second: String
    /// The smaller of the two models' run counts.
    package let runs: Int
    /// Test sequences that all runs of both models read. `tracks` counts their tracks.
    package let sequences: Int
    package let tracks: Int
    /// Mean accuracy of the second minus the first, -1...1.
    package let difference: Double
    /// 95% bootstrap interval of the difference.
    package let interval: [Double]
    package let onlyFirstRight: Int
    package let onlySecondRight: Int
    package let pValue: Double
    /// Adjusted for all compared pairs.
    package internal(set) var adjustedPValue: Double

    /// Whether the difference exceeds the noise: the interval excludes zero, the test agrees, and
    /// there are enough seeds to estimate the noise between them.
    package var isSeparable: Bool { differs && runs >= Self.fewestRuns }

    /// Minimum runs of each model for a verdict.
    static let fewestRuns = 3

    private var differs: Bool { (interval[0] > 0 || interval[1] < 0) && adjustedPValue < 0.05 }

    /// "b is better", "not separable from noise", or that only these runs differ.
    package var verdict: String { verdict(better: "\(second) is better", worse: "\(first) is better") }

    /// The verdict if the first is a baseline: "improves" or "harms".
    var effect: String { verdict(better: "improves", worse: "harms") }

    private func verdict(better: String, worse: String) -> String {
        guard differs else { return "not separable from noise" }
        guard runs >= Self.fewestRuns else {
            return
                "these runs differ; \(runs == 1 ? "one seed is" : "\(runs) seeds are") not enough for a verdict"
        }
        return difference > 0 ? better : worse
    }

    /// The comparison with the models swapped.
    var reversed: PairedComparison {
        PairedComparison(
            first: second, second: first, runs: runs, sequences: sequences, tracks: tracks,
            difference: -difference,
            interval: [-interval[1], -interval[0]], onlyFirstRight: onlySecondRight,
            onlySecondRight: onlyFirstRight,
            pValue: pValue, adjustedPValue: adjustedPValue)
    }

    /// "b beats a by 1.20 points (0.40 to 2.10)", for separable pairs.
    package var finding: String {
        let isSecond = difference > 0
        let (winner, loser) = isSecond ? (second, first) : (first, second)
        let bounds = isSecond ? interval : [-interval[1], -interval[0]]
        return
            "\(winner) beats \(loser) by \(Format.points(abs(difference), places: 2)) points (\(Self.describe(bounds)))"
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
    /// Compares every model with every other, or each with a baseline, on the test sequences that
    /// all runs of both read. Pairs without common sequences are skipped.
    ///
    /// - Parameters:
    ///   - baseline: the name of the group that comes first in every pair; nil for all pairs.
    ///   - seed: seed of the resampling. A pair's figures depend only on its own runs.
    package static func all(
        among groups: [RunGroup], with baseline: String? = nil, resamples: Int = 10_000, seed: UInt64 = 1
    ) -> [PairedComparison] {
        // Usually all models read the same sequences, so resampling once suffices.
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
        for (index, p) in holm(comparisons.map(\.pValue)).enumerated() {
            comparisons[index].adjustedPValue = p
        }
        return comparisons
    }

    /// - Parameter places: indices of the two groups in the test.
    private init(_ pair: [RunGroup], _ test: ResampledTest, _ places: [Int]) {
        first = pair[0].name
        second = pair[1].name
        runs = min(pair[0].runs.count, pair[1].runs.count)
        sequences = test.common.sequences.count
        tracks = test.common.trackCount
        difference = test.means[places[1]] - test.means[places[0]]
        let differences = zip(test.resampled.first[places[0]], test.resampled.second[places[1]]).map {
            $1 - $0
        }.sorted()
        interval = [differences.quantile(0.025), differences.quantile(0.975)]
        let chosen = Self.matched(pair.map { $0.runs.map(\.result.seed) })
        let votes = zip(places, chosen).map { test.common.majorities(of: $0, runs: $1) }
        onlyFirstRight = zip(votes[0], votes[1]).count { $0 == true && $1 == false }
        onlySecondRight = zip(votes[0], votes[1]).count { $0 == false && $1 == true }
        pValue = Self.mcNemar(onlyFirstRight, onlySecondRight)
        adjustedPValue = pValue
    }

    /// Selects equally many runs of two groups, those with common seeds first.
    static func matched(_ seeds: [[UInt64]]) -> [[Int]] {
        let count = seeds.map(\.count).min() ?? 0
        let common = Set(seeds[0]).intersection(seeds[1])
        return seeds.map { seeds in
            let order = seeds.indices.sorted {
                (common.contains(seeds[$0]) ? 0 : 1, seeds[$0]) < (
                    common.contains(seeds[$1]) ? 0 : 1, seeds[$1]
                )
            }
            return Array(order.prefix(count))
        }
    }

    /// Two-sided exact p-value of `b` against `c` discordant pairs, from a binomial distribution
    /// with p = 1/2.
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

    /// Holm's adjustment, which bounds the probability of any false finding.
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

/// Mean accuracies of models on their common test sequences and on resamples of them.
private struct ResampledTest {
    let common: CommonTest
    let means: [Double]
    let resampled: (first: [[Double]], second: [[Double]])

    /// Nil without common sequences.
    init?(_ groups: [RunGroup], _ resamples: Int, _ seed: UInt64) {
        common = CommonTest(groups)
        guard groups.count > 1, !common.sequences.isEmpty else { return nil }
        means = common.means
        resampled = common.resampledMeans(count: resamples, seed: seed)
    }
}

/// The test sequences that all runs of some models read, and which run read which right.
struct CommonTest {
    /// Sequence ids in the first run's order.
    let sequences: [String]
    let trackCount: Int
    /// Whether a sequence was read right, indexed by group, run and sequence.
    let right: [[[Bool]]]
    /// Track index of each sequence, below `trackCount`.
    private let trackOf: [Int]

    /// The first run's labelled outcomes of sequences that all runs read.
    static func rows(_ groups: [RunGroup]) -> [Outcome] {
        let runs = groups.flatMap(\.runs)
        var common = Set(runs.first?.outcomes.map(\.sequence) ?? [])
        for run in runs.dropFirst() { common.formIntersection(run.outcomes.map(\.sequence)) }
        return (runs.first?.outcomes ?? []).filter { common.contains($0.sequence) && $0.truth != nil }
    }

    init(_ groups: [RunGroup]) {
        let rows = Self.rows(groups)
        sequences = rows.map(\.sequence)
        // Sorted, so that the draws do not depend on the first run's order.
        let tracks = Dictionary(
            uniqueKeysWithValues: Set(rows.map(\.track)).sorted().enumerated().map { ($1, $0) })
        trackOf = rows.map { tracks[$0.track]! }
        trackCount = tracks.count
        let ids = rows.map(\.sequence)
        right = groups.map { group in
            group.runs.map { run in
                let outcomes = Dictionary(
                    run.outcomes.map { ($0.sequence, $0) }, uniquingKeysWith: { first, _ in first })
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

    /// Whether most of these runs of a group read a sequence right; nil if they are evenly divided.
    func majorities(of group: Int, runs: [Int]) -> [Bool?] {
        sequences.indices.map { index in
            let votes = runs.count { right[group][$0][index] }
            return 2 * votes == runs.count ? nil : 2 * votes > runs.count
        }
    }

    /// Mean accuracies of each group on resampled tracks and runs. All groups share the resampled
    /// tracks. A group's runs are drawn twice, once for each position in a pair, so the two members
    /// of a pair are independent and other comparisons have no influence.
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
        var means = (
            first: [[Double]](repeating: [], count: right.count),
            second: [[Double]](repeating: [], count: right.count)
        )
        for _ in 0..<count {
            let tracks = (0..<trackCount).map { _ in Int.random(in: 0..<trackCount, using: &random) }
            let total = tracks.reduce(0) { $0 + sizes[$1] }
            for (group, runs) in counts.enumerated() {
                let hits = runs.map { run in tracks.reduce(0) { $0 + run[$1] } }
                func mean(_ random: inout RandomStream) -> Double {
                    let sum = hits.indices.reduce(0) { sum, _ in
                        sum + hits[Int.random(in: hits.indices, using: &random)]
                    }
                    return Double(sum) / Double(total * hits.count)
                }
                means.first[group].append(mean(&firsts[group]))
                means.second[group].append(mean(&seconds[group]))
            }
        }
        return means
    }
}
