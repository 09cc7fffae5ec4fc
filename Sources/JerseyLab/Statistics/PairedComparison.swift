import Foundation
import Jersey

/// Two models on the same test sequences.
///
/// Sequences of one track, and runs of one model, are not independent: the interval resamples both (a cluster bootstrap). McNemar's
/// exact test (McNemar 1947) looks at the sequences that one model reads right and the other wrong, where a model reads a sequence
/// right if at least half of its runs do; it takes sequences as independent, and therefore a difference counts only where both agree.
/// P-values are adjusted for the number of pairs (Holm 1979).
public struct PairedComparison: Codable, Sendable, Equatable {
    public let first: String
    public let second: String
    /// Of the one of the two that has fewer.
    public let runs: Int
    /// Test sequences that all runs of both have read, and their tracks.
    public let sequences: Int
    public let tracks: Int
    /// Mean accuracy of the second less that of the first, -1...1.
    public let difference: Double
    /// 95% bootstrap interval of the difference.
    public let interval: [Double]
    public let onlyFirstRight: Int
    public let onlySecondRight: Int
    public let pValue: Double
    /// Over all pairs that were compared.
    public internal(set) var adjustedPValue: Double

    /// Whether the difference is more than noise: the interval leaves out zero, the test says so, too, and there is more than one
    /// seed, without which nothing is known of the noise between seeds.
    public var isSeparable: Bool { differs && runs > 1 }

    private var differs: Bool { (interval[0] > 0 || interval[1] < 0) && adjustedPValue < 0.05 }

    /// "b is better", "not separable from noise", or that these runs differ, which says nothing of others.
    public var verdict: String {
        guard differs else { return "not separable from noise" }
        guard runs > 1 else { return "these runs differ; one seed does not tell of others" }
        return difference > 0 ? "\(second) is better" : "\(first) is better"
    }

    /// "b beats a by 1.20 points (0.40 to 2.10)"; for one that is separable.
    public var finding: String {
        let isSecond = difference > 0
        let (winner, loser) = isSecond ? (second, first) : (first, second)
        let (low, high) = isSecond ? (interval[0], interval[1]) : (-interval[1], -interval[0])
        return "\(winner) beats \(loser) by "
            + String(format: "%.2f points (%.2f to %.2f)", abs(difference) * 100, low * 100, high * 100)
    }

    /// "+0.42 (-0.13 to 0.98)", in percentage points.
    public var differenceText: String {
        String(format: "%+.2f (%.2f to %.2f)", difference * 100, interval[0] * 100, interval[1] * 100)
    }
}

extension PairedComparison {
    /// Every model against every other. Models without a test sequence in common with the others are left out.
    ///
    /// - Parameter seed: of the resampling; the same runs give the same figures.
    public static func all(among groups: [RunGroup], resamples: Int = 10_000, seed: UInt64 = 1) -> [PairedComparison] {
        let test = CommonTest(groups)
        guard !test.sequences.isEmpty, groups.count > 1 else { return [] }
        let means = test.resampledMeans(count: resamples, seed: seed)
        let exact = test.means
        let majorities = test.majorities
        var comparisons: [PairedComparison] = []
        for first in groups.indices {
            for second in groups.indices.dropFirst(first + 1) {
                let pairs = zip(majorities[first], majorities[second])
                let (b, c) = (pairs.count { $0 && !$1 }, pairs.count { !$0 && $1 })
                let differences = zip(means[first], means[second]).map { $1 - $0 }.sorted()
                let p = mcNemar(b, c)
                comparisons.append(
                    PairedComparison(
                        first: groups[first].name, second: groups[second].name,
                        runs: min(groups[first].runs.count, groups[second].runs.count), sequences: test.sequences.count,
                        tracks: test.trackCount, difference: exact[second] - exact[first],
                        interval: [differences.quantile(0.025), differences.quantile(0.975)], onlyFirstRight: b,
                        onlySecondRight: c, pValue: p, adjustedPValue: p))
            }
        }
        for (index, p) in holm(comparisons.map(\.pValue)).enumerated() { comparisons[index].adjustedPValue = p }
        return comparisons
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

/// The test sequences that all runs of some models have read, and who read which right.
struct CommonTest {
    /// Ids, in the first run's order.
    let sequences: [String]
    let trackCount: Int
    /// Whether group, run, sequence was read right.
    let right: [[[Bool]]]
    /// Of each sequence, an index below `trackCount`.
    private let trackOf: [Int]

    init(_ groups: [RunGroup]) {
        let runs = groups.flatMap(\.runs)
        var common = Set(runs.first?.outcomes.map(\.sequence) ?? [])
        for run in runs.dropFirst() { common.formIntersection(run.outcomes.map(\.sequence)) }
        let rows = (runs.first?.outcomes ?? []).filter { common.contains($0.sequence) && $0.truth != nil }
        sequences = rows.map(\.sequence)
        var tracks: [String: Int] = [:]
        trackOf = rows.map { row in
            tracks[row.track] = tracks[row.track] ?? tracks.count
            return tracks[row.track]!
        }
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

    /// Of each group: whether at least half of its runs read a sequence right.
    var majorities: [[Bool]] {
        right.map { runs in
            sequences.indices.map { index in 2 * runs.count { $0[index] } >= runs.count }
        }
    }

    /// Mean accuracies of each group, where tracks and runs are drawn anew; the tracks are the same for all groups.
    func resampledMeans(count: Int, seed: UInt64) -> [[Double]] {
        var sizes = [Int](repeating: 0, count: trackCount)
        for track in trackOf { sizes[track] += 1 }
        let counts = right.map { runs in
            runs.map { row in
                var counts = [Int](repeating: 0, count: trackCount)
                for (index, isRight) in row.enumerated() where isRight { counts[trackOf[index]] += 1 }
                return counts
            }
        }
        var random = RandomStream(seed)
        var means = [[Double]](repeating: [], count: right.count)
        for _ in 0..<count {
            let tracks = (0..<trackCount).map { _ in Int.random(in: 0..<trackCount, using: &random) }
            let total = tracks.reduce(0) { $0 + sizes[$1] }
            for (group, runs) in counts.enumerated() {
                var hits = 0
                for _ in runs {
                    let run = runs[Int.random(in: 0..<runs.count, using: &random)]
                    for track in tracks { hits += run[track] }
                }
                means[group].append(Double(hits) / Double(total * runs.count))
            }
        }
        return means
    }
}

extension Outcome {
    /// Whether the number is right; false where no truth is known.
    public var isRight: Bool { prediction == truth }
}
