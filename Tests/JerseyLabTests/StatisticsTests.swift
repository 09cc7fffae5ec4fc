import Foundation
import Jersey
import TestSupport
import Testing

@testable import JerseyLab

@Suite struct StatisticsTests {
    // MARK: Two models

    /// `tracks` tracks of `size` sequences, which are all read alike: right if `isRight` of the
    /// track's index.
    private func group(
        _ name: String, tracks: Int = 24, size: Int = 3, seeds: Int = 3, isRight: (Int) -> Bool
    ) throws -> RunGroup {
        let names = (0..<tracks * size).map { "t\($0 / size)" }
        let row = (0..<tracks * size).map { isRight($0 / size) }
        return try RunGroup(name, [[Bool]](repeating: row, count: seeds), tracks: names)
    }

    private func compare(_ groups: [RunGroup], seed: UInt64 = 1) -> [PairedComparison] {
        PairedComparison.all(among: groups, resamples: 1000, seed: seed)
    }

    @Test func `Two equally good models are not distinguished`() throws {
        let groups = [
            try group("a") { !$0.isMultiple(of: 4) }, try group("b") { !($0 + 1).isMultiple(of: 4) },
        ]
        let pair = try #require(compare(groups).first)
        #expect(isClose(pair.difference, 0) && pair.interval[0] < 0 && pair.interval[1] > 0)
        #expect(pair.onlyFirstRight == 18 && pair.onlySecondRight == 18 && pair.pValue == 1)
        #expect(pair.sequences == 72 && pair.tracks == 24)
        #expect(!pair.isSeparable && pair.verdict == "not separable from noise")
    }

    @Test func `A model that is clearly better is called so, on either side`() throws {
        let (worse, better) = (try group("worse") { $0.isMultiple(of: 2) }, try group("better") { $0 != 1 })
        let pairs = compare([worse, better]) + compare([better, worse])
        #expect(isClose(pairs[0].difference, 11.0 / 24) && isClose(pairs[1].difference, -11.0 / 24))
        #expect(pairs[0].interval[0] > 0 && pairs[1].interval[1] < 0)
        #expect(pairs.allSatisfy { $0.isSeparable && $0.verdict == "better is better" })
        #expect(pairs[0].differenceText.hasPrefix("+45.83 ("))
    }

    @Test func `Few discordant sequences are not enough, even where the interval leaves out zero`() throws {
        let pair = try #require(
            compare([
                try group("a", tracks: 8, size: 1) { $0 < 4 },
                try group("b", tracks: 8, size: 1) { _ in true },
            ]).first)
        #expect(pair.interval[0] > 0 && pair.pValue == 0.125)
        #expect(!pair.isSeparable)
    }

    @Test func `Many pairs ask for more`() throws {
        // A single 0 : 6 has p = 0.03, but not as one of three pairs.
        let (all, most) = (try group("all", size: 1) { _ in true }, try group("most", size: 1) { $0 >= 6 })
        #expect(compare([most, all])[0].isSeparable)
        let pairs = compare([most, all, RunGroup(name: "same", runs: all.runs)])
        #expect(pairs.map { "\($0.first) \($0.second)" } == ["most all", "most same", "all same"])
        #expect(
            isClose(pairs[0].pValue, 0.03125) && isClose(pairs[0].adjustedPValue, 0.09375)
                && !pairs[0].isSeparable)
    }

    @Test func `The same seed draws the same samples`() throws {
        let groups = [
            try group("a", seeds: 1) { !$0.isMultiple(of: 3) },
            try group("b", seeds: 1) { !$0.isMultiple(of: 5) },
        ]
        #expect(compare(groups) == compare(groups))
        let test = CommonTest(groups)
        #expect(test.resampledMeans(count: 20, seed: 1) != test.resampledMeans(count: 20, seed: 2))
    }

    @Test func `A pair's figures do not depend on what else is compared`() throws {
        let (a, b) = (try group("a") { !$0.isMultiple(of: 3) }, try group("b") { !$0.isMultiple(of: 5) })
        let pair = compare([a, b])[0]
        func figures(_ groups: [RunGroup]) throws -> PairedComparison {
            var pair = try #require(compare(groups).first { $0.first == "a" && $0.second == "b" })
            // This is adjusted for the number of pairs.
            pair.adjustedPValue = pair.pValue
            return pair
        }
        let same = try group("c", seeds: 2) { $0 > 3 }
        let fewer = try group("d", tracks: 20) { $0 > 3 }
        for groups in [[same, a, b], [a, same, b], [fewer, a, b, same]] {
            #expect(try figures(groups) == pair)
        }
        // Nor on the order of the first run's readings.
        let turned = RunGroup(name: "a", runs: a.runs.map { $0.with(outcomes: $0.outcomes.reversed()) })
        #expect(compare([turned, b])[0] == pair)
    }

    @Test
    func
        `A baseline is compared with each other model, and said to be improved on or harmed only where that is known`()
        throws
    {
        let groups = [
            try group("none") { $0.isMultiple(of: 2) }, try group("better") { $0 != 1 },
            try group("worse") { $0 == 2 },
            try group("same") { !($0.isMultiple(of: 2)) },
        ]
        let statistics = ModelStatistics(groups, baseline: "none")
        #expect(
            statistics.reference == "none" && statistics.comparisons.map(\.first) == ["none", "none", "none"])
        let table = try #require(statistics.comparisonTable(allPairs: false))
        #expect(table.title == "Paired comparisons with none, the baseline")
        #expect(
            table.rows.map { [$0[1], $0[7]] } == [
                ["better", "improves"], ["worse", "harms"], ["same", "not separable from noise"],
            ])
        #expect(
            table.note?.contains("Holm's adjustment for 3 pairs") == true
                && table.note?.contains("No common") == false)
        // Whichever comes first, the baseline is the first of a pair.
        let turned = ModelStatistics(groups.reversed(), baseline: "none").comparisons
        #expect(
            Set(turned.map(\.second)) == ["better", "worse", "same"]
                && turned.allSatisfy { $0.first == "none" })
    }

    @Test func `The reference comes first in its pairs, and the difference is that of the other`() throws {
        let groups = [try group("poor") { $0.isMultiple(of: 2) }, try group("good") { $0 != 1 }]
        let pair = compare(groups)[0]
        #expect(pair.reversed.reversed == pair && pair.reversed.verdict == pair.verdict)
        #expect(
            pair.reversed.difference == -pair.difference
                && pair.reversed.interval == [-pair.interval[1], -pair.interval[0]])
    }

    @Test func `Sequences of one track that agree count as one`() throws {
        let (tracks, size) = (30, 5)
        func width(_ names: [String]) throws -> Double {
            let groups = try [3, 4].map { period in
                try RunGroup(
                    "m\(period)", [names.indices.map { !($0 / size).isMultiple(of: period) }], tracks: names)
            }
            let interval = compare(groups)[0].interval
            return interval[1] - interval[0]
        }
        let clustered = try width((0..<tracks * size).map { "t\($0 / size)" })
        let naive = try width((0..<tracks * size).map { "t\($0)" })
        // The textbook standard error of 30 differences of -1, 0 or 1.
        let differences = (0..<tracks).map {
            ($0.isMultiple(of: 3) ? 1.0 : 0) - ($0.isMultiple(of: 4) ? 1.0 : 0)
        }
        let mean = differences.reduce(0, +) / Double(tracks)
        let variance = differences.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(tracks)
        let expected = 2 * 1.96 * (variance / Double(tracks)).squareRoot()
        #expect(isClose(clustered, expected, within: 0.15 * expected))
        #expect(isClose(clustered / naive, Double(size).squareRoot(), within: 0.4))
    }

    @Test func `Seeds are resampled as well`() throws {
        let tracks = (0..<10).map { "t\($0)" }
        let rows = [[Bool](repeating: true, count: 10), [Bool](repeating: false, count: 10)]
        let pair = compare([try RunGroup("a", rows, tracks: tracks), try RunGroup("b", rows, tracks: tracks)]
        )[0]
        #expect(pair.difference == 0 && pair.interval == [-1, 1])
    }

    @Test func `A sequence is read right where most runs do, and divided runs do not count`() throws {
        let tracks = ["a", "b", "c"]
        let half = try RunGroup("half", [[true, true, false], [true, false, false]], tracks: tracks)
        let none = try RunGroup("none", [[false, false, false], [false, false, false]], tracks: tracks)
        let pair = compare([half, none])[0]
        #expect(pair.onlyFirstRight == 1 && pair.onlySecondRight == 0)
    }

    @Test
    func `A model with more runs has no advantage: equally many runs of both count, common seeds first`()
        throws
    {
        #expect(PairedComparison.matched([[1, 2, 3, 4, 5], [4, 2]]) == [[1, 3], [1, 0]])
        #expect(
            PairedComparison.matched([[7], [1, 2, 3]]) == [[0], [0]]
                && PairedComparison.matched([[], [1]]) == [[], []])
        // Seeds 0, 1 and 2 against seed 0: the other two would outvote the first model's first run.
        let three = try RunGroup("three", [[false], [true], [true]], tracks: ["t"])
        let one = try RunGroup("one", [[true]], tracks: ["t"])
        let pair = compare([three, one])[0]
        #expect(pair.onlyFirstRight == 0 && pair.onlySecondRight == 1)
    }

    @Test func `Two seeds are not enough for a verdict`() throws {
        let groups = try [2, 3].map { seeds in
            [
                try group("a", seeds: seeds) { $0.isMultiple(of: 2) },
                try group("b", seeds: seeds) { _ in true },
            ]
        }
        let (two, three) = (compare(groups[0])[0], compare(groups[1])[0])
        #expect(!two.isSeparable && two.verdict == "these runs differ; 2 seeds are not enough for a verdict")
        #expect(three.isSeparable && three.verdict == "b is better")
    }

    @Test func `A model that has read other sequences takes nothing from the comparison of the others`()
        throws
    {
        let tracks = ["t", "u", "v"]
        let groups = [
            try RunGroup("a", [[true, true, true]], tracks: tracks, ids: ["1", "2", "3"]),
            try RunGroup("b", [[false, true, true]], tracks: tracks, ids: ["1", "2", "3"]),
            try RunGroup("c", [[true, true, true]], tracks: tracks, ids: ["3", "4", "5"]),
            try RunGroup("d", [[true, true, true]], tracks: tracks, ids: ["7", "8", "9"]),
        ]
        let pairs = compare(groups)
        #expect(pairs.map { "\($0.first) \($0.second) \($0.sequences)" } == ["a b 3", "a c 1", "b c 1"])
        let note = ModelStatistics(groups).comparisonTable(allPairs: true)?.note
        #expect(
            note?.contains("No common test sequences: a and d; b and d; c and d.") == true, "\(note ?? "")")
    }

    @Test func `Only labelled sequences that all have read are compared`() throws {
        let tracks = ["t", "t", "u"]
        let first = try RunGroup("a", [[true, true, true]], tracks: tracks, ids: ["1", "2", "3"])
        let other = try RunGroup("b", [[false, true, true]], tracks: tracks, ids: ["2", "3", "4"])
        let pair = try #require(compare([first, other]).first)
        #expect(pair.sequences == 2 && pair.tracks == 2 && pair.difference == -0.5)
        let apart = try RunGroup("c", [[true, true, true]], tracks: tracks, ids: ["7", "8", "9"])
        #expect(
            compare([first, apart]).isEmpty
                && ModelStatistics([first, apart]).comparisonTable(allPairs: true)?.rows.isEmpty == true)
        #expect(compare([first]).isEmpty && compare([]).isEmpty)
        let unlabelled = RunGroup(
            name: "d",
            runs: [
                try FinishedRun(reading: [Reading(FrameSequence("1", track: "t", number: nil), read: "4")])
            ])
        #expect(compare([unlabelled, first]).isEmpty)
    }

    // MARK: All models

    @Test func `Tables put the leader first to compare, and name every model and run`() throws {
        let groups = [
            try group("good", size: 1) { $0 > 0 }, try group("poor", size: 1) { $0 > 12 },
            try group("fair", size: 1) { $0 > 2 },
        ]
        let statistics = ModelStatistics(groups)
        #expect(statistics.leaders.map(\.name) == ["good"] && statistics.reference == "good")
        #expect(statistics.summaryTable.rows.map(\.[0]) == ["good", "poor", "fair"])
        #expect(
            statistics.summaryTable.rows[1][2] == "0.4583 ± 0.0000"
                && statistics.summaryTable.emphasis.contains([0, 2]))
        #expect(statistics.runTable.rows.count == 9)
        #expect(
            statistics.comparisonTable(allPairs: false)?.rows.map { $0[0] + " " + $0[1] } == [
                "good poor", "good fair",
            ])
        #expect(statistics.comparisonTable(allPairs: true)?.rows.count == 3)
        #expect(statistics.comparisonTable(allPairs: true)?.rows[0][7] == "good is better")
        #expect(ModelStatistics([groups[0]]).comparisonTable(allPairs: true) == nil)
    }

    @Test func `Validation chooses the run and the rank, and the test set has no say`() throws {
        let right = Reading(FrameSequence("1", track: "t", number: "4"), read: "4")
        let wrong = Reading(FrameSequence("1", track: "t", number: "4"), read: "7")
        let (good, bad) = (
            try FinishedRun(reading: [right], seed: 1, validation: 0.6),
            try FinishedRun(reading: [wrong], seed: 2, validation: 0.8)
        )
        #expect(RunGroup(name: "m", runs: [good, bad]).best.result.seed == 2)
        let groups = [RunGroup(name: "good", runs: [good]), RunGroup(name: "bad", runs: [bad])]
        #expect(RunGroup.ranked(groups).map(\.name) == ["bad", "good"])
        #expect(
            ModelStatistics(groups).leaders.map(\.name) == ["good"]
                && ModelStatistics(groups).reference == "bad")
    }

    @Test func `Models that are equally good lead together`() throws {
        let groups = [
            try group("a", tracks: 10, size: 1) { $0 < 3 },
            try group("b", tracks: 10, size: 1, seeds: 1) { $0 > 6 },
            try group("c", tracks: 10, size: 1) { $0 < 2 },
        ]
        let statistics = ModelStatistics(groups)
        #expect(
            statistics.leaders.map(\.name) == ["a", "b"]
                && statistics.summaryTable.emphasis == [[0, 0], [0, 2], [1, 0], [1, 2]])
        #expect(
            statistics.leaderFinding?.hasPrefix(
                "Highest mean test accuracy, tied: a, 30.00 ± 0.00% of the sequences") == true)
    }

    @Test func `The test loss has a mean and a deviation over seeds, in tables and JSON`() throws {
        let good = Reading(FrameSequence("1", track: "t", number: "4"), read: "4", certainty: 0.9)
        let poor = Reading(FrameSequence("1", track: "t", number: "4"), read: "4", certainty: 0.5)
        let group = RunGroup(
            name: "m",
            runs: [try FinishedRun(reading: [good], seed: 1), try FinishedRun(reading: [poor], seed: 2)])
        let losses = [-2 * log(0.9), -2 * log(0.5)]
        #expect(isClose(group.loss.mean, (losses[0] + losses[1]) / 2) && group.loss.n == 2)
        let statistics = ModelStatistics([group])
        #expect(
            statistics.summaryTable.header[7] == "loss"
                && statistics.summaryTable.rows[0][7] == Summary(losses).text)
        let json = JSON.text(try JSON.output(statistics))
        let decoded = try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
        let loss = try #require(((decoded["models"] as? [[String: Any]])?.first?["loss"] as? [String: Any]))
        #expect(isClose(loss["mean"] as? Double, group.loss.mean!) && loss["standard_deviation"] != nil)
        #expect(statistics.summaryTable.note?.contains("Each loss") == false)
        let other = RunGroup(name: "n", runs: [try FinishedRun(reading: [good], fullWeight: 1)])
        #expect(ModelStatistics([group, other]).summaryTable.note?.contains("do not compare losses") == true)
    }

    // MARK: Parts of the test set

    /// Numbers, lengths and heights of seven sequences. The last two are misread.
    private func mixed() throws -> RunGroup {
        let plan = [
            ("4", 1, 10), ("4", 2, 16), ("04", 4, 23), ("48", 5, 24), ("48", 16, 64), ("48", 17, 127),
            ("48", 40, 128),
        ]
        let readings = plan.enumerated().map { index, item in
            Reading(
                FrameSequence("s\(index)", track: "t\(index)", number: item.0, frames: item.1),
                read: index < 5 ? item.0 : "77",
                heights: [item.2, 1, 999])
        }
        return RunGroup(name: "m", runs: [try FinishedRun(reading: readings, seen: [JerseyNumber("4")!])])
    }

    @Test(arguments: [
        (Breakdown.Kind.number, ["4", "04", "48"], [2, 1, 4]),
        (.length, ["1", "2-4", "5-8", "13-16", "17 or more"], [1, 2, 1, 1, 2]),
        (.height, ["1-15", "16-23", "24-31", "64-95", "96-127", "128 or more"], [1, 2, 1, 1, 1, 1]),
        (.seen, ["seen", "never seen"], [2, 5]),
    ])
    func `Parts are ranges that leave nothing out`(kind: Breakdown.Kind, labels: [String], counts: [Int])
        throws
    {
        let group = try mixed()
        let parts = try #require(Breakdown(group, by: kind))
        #expect(parts.rows.map(\.label) == labels && parts.rows.map(\.sequences) == counts)
        #expect(counts.reduce(0, +) == group.runs[0].outcomes.count)
        let right = parts.rows.reduce(0) { $0 + ($1.accuracy.mean ?? 0) * Double($1.sequences) }
        #expect(isClose(right, 5))
        let table = try #require(Breakdown.table([group], by: kind))
        #expect(table.rows.map(\.[0]) == labels && table.header.last == "m")
    }

    @Test func `What runs do not tell is not broken down, and a model without a part has a dash there`()
        throws
    {
        let group = try self.group("m", tracks: 2) { _ in true }
        #expect(Breakdown(group, by: .height) == nil && Breakdown(group, by: .seen) == nil)
        let table = try #require(Breakdown.table([try mixed(), group], by: .number))
        #expect(table.rows.map { $0.last } == ["100.00 ± 0.00% (61-100)", "-", "-"])
    }
}
