import Foundation
import Jersey
import TestSupport
import Testing

@testable import JerseyLab

/// The values that analyses compute, apart from their presentation.
extension AnalysisTests {
    // MARK: Confusion and failures

    @Test func `The most frequent confusion comes first, with how often its truth occurs`() throws {
        let readings = [
            reading(0, "08", "8"), reading(1, "48", "43"), reading(2, "08", "8"), reading(3, "08", "08"),
            reading(4, "8", "08"),
        ]
        let result = try ConfusionResult(sole(try group(readings)))
        #expect(
            result.full.confusions == [
                .init(truth: "08", prediction: "8", count: 2, total: 3),
                .init(truth: "8", prediction: "08", count: 1, total: 1),
                .init(truth: "48", prediction: "43", count: 1, total: 1),
            ])
        #expect(result.ones.confusions == [.init(truth: "8", prediction: "3", count: 1, total: 5)])
        #expect(result.tens.accuracy == Proportion(2, of: 5) && result.testAccuracy == 0.2)
    }

    @Test func `Examples of failures are drawn by the seed, and are no more than asked for`() throws {
        let right = try group((0..<12).map { reading($0, "4", "4") }, name: "right")
        let wrong = try group((0..<12).map { reading($0, "4", $0 < 8 ? "7" : "4") }, name: "wrong")
        func result(seed: UInt64) throws -> FailuresResult {
            var input = try input([right, wrong])
            input.seed = seed
            return try FailuresResult(input)
        }
        let found = try result(seed: 1)
        #expect(found.count == 12 && found.bothRight == 4 && found.parts.map(\.pairs.count) == [0, 0, 8])
        #expect(isClose(found.p, 2 * pow(0.5, 8), within: 1e-12))
        func examples(_ result: FailuresResult) -> [String] {
            result.parts[2].examples.map(\.first.outcome.sequence)
        }
        #expect(examples(found).count == 3 && Set(examples(found)).isSubset(of: (0..<8).map { "s\($0)" }))
        #expect(try examples(result(seed: 1)) == examples(found))
        #expect(try (2...5).contains { try examples(result(seed: $0)) != examples(found) })
    }

    // MARK: Calibration

    @Test
    func
        `A model without labelled sequences is left out of the calibration, and the first with any is looked into`()
        throws
    {
        let blind = try group(
            [Reading(FrameSequence("s", track: "t", number: nil), read: "4")], name: "blind")
        let sure = try group(
            [reading(0, "4", "4", certainty: 0.99), reading(1, "4", "7", certainty: 0.99)], name: "sure")
        let result = try CalibrationResult(input([blind, sure]))
        #expect(
            result.models.map(\.group.name) == ["sure"] && result.models[0].runs.map(\.answers.count) == [2])
        #expect(result.reliability.map(\.accuracy) == [Proportion(1, of: 2)])
        #expect(throws: UsageError.self) { try CalibrationResult(input([blind])) }
    }

    @Test func `Calibration is what a pencil finds`() {
        let calibration = Calibration([
            .init(confidence: 0.6, isRight: true, truth: 0.6),
            .init(confidence: 0.9, isRight: false, truth: 0.05),
            .init(confidence: 0.3, isRight: false, truth: 0.1),
            .init(confidence: 0.9, isRight: true, truth: 0.9),
        ])
        let tolerance = 1e-12
        let error = 0.5 * 0.4 + 0.25 * 0.4 + 0.25 * 0.3
        #expect(isClose(calibration.expectedError, error, within: tolerance))
        #expect(isClose(calibration.maximumError, 0.4, within: tolerance))
        let brier = (0.16 + 0.81 + 0.09 + 0.01) / 4
        #expect(isClose(calibration.brier, brier, within: tolerance))
        let surprise = -(log(0.6) + log(0.05) + log(0.1) + log(0.9)) / 4
        #expect(isClose(calibration.negativeLogLikelihood, surprise, within: tolerance))
        // The two with equal confidence are answered together.
        #expect(calibration.riskCoverage.map(\.coverage) == [0.5, 0.75, 1])
        let risks = zip(calibration.riskCoverage.map(\.risk), [0.5, 1.0 / 3, 0.5])
        #expect(risks.allSatisfy { isClose($0, $1, within: tolerance) })
        let area = 0.25 + 0.25 / 3 + 0.125
        #expect(isClose(calibration.areaUnderRiskCoverage, area, within: tolerance))
        #expect([0.5, 0.6, 0.7].map(calibration.coverage) == [1, 0.75, 0])
        #expect(
            calibration.bins.filter { $0.count > 0 }.map(\.count) == [1, 1, 2] && calibration.bins.count == 15
        )
    }

    @Test func `A perfect reader is calibrated, and none is refused`() {
        let calibration = Calibration((0..<5).map { _ in .init(confidence: 1, isRight: true, truth: 1) })
        #expect(
            calibration.expectedError == 0 && calibration.brier == 0 && calibration.areaUnderRiskCoverage == 0
        )
        #expect(calibration.coverage(atAccuracy: 1) == 1 && calibration.bins.last?.count == 5)
        let nothing = Calibration([Calibration.Answer]())
        #expect(
            nothing.expectedError == 0 && nothing.riskCoverage.isEmpty
                && nothing.coverage(atAccuracy: 0.9) == 0)
    }

    // MARK: Labels, curves, costs

    @Test func `A wrong label that was planted is found first`() throws {
        let runs = try SampleExperiment.groups().flatMap(\.runs)
        let suspects = LabelSuspect.ranked(runs)
        let first = try #require(suspects.first)
        #expect(
            first.track == SampleExperiment.mislabelled && first.label == "48" && first.suggestion == "99")
        #expect(first.agreeing == 6 && first.runs == 6 && first.sequences == 1)
        #expect(first.probability > 0.99 && first.labelProbability < 1e-3)
        // No other track is misread by enough runs.
        #expect(suspects.count { $0.agreeing == $0.runs } == 1)
    }

    @Test func `Suspects are whole tracks, ranked by how far the label is from what is read`() throws {
        func reading(_ id: String, _ track: String, _ truth: String, _ read: String, _ certainty: Double)
            -> Reading
        {
            Reading(FrameSequence(id, track: track, number: truth), read: read, certainty: certainty)
        }
        let run = try FinishedRun(reading: [
            reading("1", "a", "4", "7", 0.6), reading("2", "b", "48", "99", 0.99),
            reading("3", "c", "48", "40", 0.8),
            reading("4", "c", "48", "48", 0.95), reading("5", "c", "48", "48", 0.9),
            reading("6", "d", "07", "07", 0.9),
        ])
        // In track c, one sequence is outvoted.
        #expect(LabelSuspect.ranked([run]).map(\.track) == ["b", "a"])
    }

    @Test func `A curve is the mean over seeds of each epoch`() throws {
        let (first, second) = (
            try FinishedRun(reading: [reading(0, "4", "4")], seed: 1, validation: 0.6),
            try FinishedRun(reading: [reading(0, "4", "4")], seed: 2, validation: 0.8)
        )
        let curve = LearningCurve(RunGroup(name: "m", runs: [first, second]))
        #expect(curve.epochs.map(\.epoch) == [1, 2, 3] && curve.bestEpochs == [2, 2])
        #expect(
            curve.epochs[1].validationNumber == Summary([0.6, 0.8]) && curve.epochs[1].trainLoss.mean == 1.5)
    }

    @Test func `Encoders are set beside each other with their heads, as in the study`() throws {
        var input = try input()
        input.measuresTimes = false
        let result = try BackbonesResult(input)
        let backbones = Dictionary(uniqueKeysWithValues: result.backbones.map { ($0.encoder, $0) })
        func counts(_ name: String) -> [Int]? {
            backbones[name].map { [$0.parameters, $0.fullyConnected, $0.total, $0.features] }
        }
        #expect(counts("resnet18") == [11_176_512, 10_773, 11_187_285, 512])
        #expect(counts("shufflenet_v2_x1_0") == [1_253_604, 21_525, 1_275_129, 1024])
        let view = try result.view(input)
        #expect(
            view.tables[0].rows.contains {
                $0.starts(with: ["resnet18", "11176512", "10773", "11187285", "512"])
            })
        #expect(view.notes[0].contains("largest: resnet18, 11187285, 29.68 times as many"))
    }

    @Test func `Heads cost what their layers' sizes say`() throws {
        var input = try input()
        input.measuresTimes = false
        let result = try HeadsResult(input)
        #expect(result.heads.count == HeadsResult.places.count * HeadsResult.layouts.count)
        let first = result.heads[0]
        #expect(first.parameters == 256 * 21 + 21 && first.macs == 64 * 256 * 21 && first.seconds == nil)
        let last = try #require(result.heads.last)
        #expect(last.rows == 64 * 8 && last.parameters == 512 * 131 + 131 && last.macs == 64 * 8 * 512 * 131)
        #expect(result.modelSeconds == nil && result.shareOfModel == nil)
    }
}
