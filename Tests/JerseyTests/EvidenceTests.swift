import Foundation
import TestSupport
import Testing
import Torch

@testable import Jersey

@Suite("Evidence of frames")
struct EvidenceTests {
    private static let specs = ModelSpec.all.filter { $0.phase == .evidence }

    private func entry(_ model: JerseyModel, _ name: String) throws -> Tensor {
        try #require(model.store.tensors[name], "\(name)")
    }

    @Test(arguments: specs)
    func `A sequence says what its frames say, each weighted by the square of its readability`(
        _ spec: ModelSpec
    ) {
        let model = JerseyModel(spec, seed: 1)
        withoutGradients {
            let frames = Tensor.normal([5, 3, 48, 48], deviation: 1, seed: 2)
            let (whole, single) = (model(frames, lengths: [5]), model(frames, lengths: [1, 1, 1, 1, 1]))
            let parts = model.exported(frames)
            #expect(parts.map(\.shape) == [[5, 1], [5, 96], [5, 11], [5, 10]])
            let weights = parts[0] * parts[0]
            func mean(_ rows: Tensor) -> Tensor {
                (rows * weights).sum(over: 0) / weights.sum(over: 0)
            }
            #expect(isClose(whole.tens.floats, mean(single.tens).floats, within: 1e-4))
            #expect(isClose(whole.ones.floats, mean(single.ones).floats, within: 1e-4))
        }
    }

    @Test(arguments: specs)
    func `Frames that cannot be read say nothing`(_ spec: ModelSpec) throws {
        let model = JerseyModel(spec, seed: 1)
        try entry(model, "fc_readability.bias").copy(from: Tensor([-60] as [Float]))
        withoutGradients {
            let output = model(.normal([3, 3, 48, 48], deviation: 1, seed: 2), lengths: [3])
            #expect(isClose(output.tens.floats, Array(repeating: 0, count: 11), within: 1e-6))
            #expect(output.attention?.isFinite == true)
            let read = model.frozen().sequenceOutputs(output, lengths: [3])[0]
            let calibration = ModelCalibration(
                temperature: 1, threshold: 0, precision: 1, coverage: 1, sequences: 1,
                looks: .init(variety: 1, readability: 1))
            #expect(calibration.calibrated(read.digits, read.sum).confidence < 0.01)
        }
    }

    @Test
    func `One classifier reads tens and ones: looked at in one place, they are the same digit`() throws {
        let model = JerseyModel(try ModelSpec.named("evidence_tied"), seed: 1)
        let queries = try entry(model, "digits.queries")
        let rows = withoutGradients { queries.detached() * 1 }
        queries.copy(
            from: .concatenated([rows.narrowed(0, to: 0..<1), rows.narrowed(0, to: 0..<1)], over: 0))
        try withoutGradients {
            let maps = model.maps(.normal([2, 3, 48, 48], deviation: 1, seed: 2))
            let frames = try #require(model.head as? EvidenceHead).encoded(maps, .evaluation).logits
            #expect(isClose(frames.tens.narrowed(1, to: 0..<10).floats, frames.ones.floats, within: 1e-4))
        }
    }

    // MARK: Calibration

    /// A reading that gives `number` odds of e^`evidence` against every other digit.
    private func reading(_ number: String, _ evidence: Double, truth: String?) -> Reading {
        let number = JerseyNumber(number)!
        func row(_ count: Int, _ place: Int) -> [Double] { (0..<count).map { $0 == place ? evidence : 0 } }
        return Reading(
            sequence: FrameSequence(
                id: "s", track: "t", number: truth.flatMap { JerseyNumber($0) }, frames: ["1"], anchor: nil),
            digits: DigitDistribution(tens: row(11, number.tens), ones: row(10, number.ones)), used: [0],
            attention: nil,
            problems: [])
    }

    @Test func `Overconfident answers are cooled until they are right as often as they say`() throws {
        // Both digits are nearly certain, and every fourth answer is wrong in both.
        let readings = (0..<40).map { reading($0 % 4 == 0 ? "11" : "42", 12, truth: "42") }
        let calibration = try ModelCalibration(readings, precision: 0.7)
        let cooled = readings[1].digits.temperatureScaled(calibration.temperature)
        #expect(calibration.temperature > 2)
        #expect(abs(exp(cooled.tens[4]) - 0.75) < 0.02)
        #expect(calibration.precision == 0.75 && calibration.coverage == 1 && calibration.sequences == 40)
    }

    @Test
    func
        `The threshold is as low as the precision allows, and an answer where no number is seen is a wrong one`()
        throws
    {
        let sure = (0..<18).map { reading("42", 9 - Double($0) * 0.1, truth: "42") }
        let doubtful = [reading("11", 2, truth: nil), reading("42", 1, truth: "42")]
        let calibration = try ModelCalibration(sure + doubtful, precision: 0.99)
        #expect(calibration.precision == 1 && calibration.coverage == 18.0 / 19)
        #expect(try ModelCalibration(sure + doubtful, precision: 0.9).coverage == 1)
        #expect(throws: UsageError.self) {
            try ModelCalibration([reading("1", 3, truth: nil)], precision: 0.9)
        }
        #expect(throws: UsageError.self) {
            try ModelCalibration([reading("1", 3, truth: "2")], precision: 0.9)
        }
    }

    @Test func `Below the threshold a prediction has no number, and is not one without frames`() throws {
        func prediction(_ evidence: Double) -> Prediction {
            let plain = reading("42", evidence, truth: nil)
            return Prediction(
                Reading(
                    sequence: plain.sequence, digits: plain.digits, used: [0], attention: nil, problems: [],
                    calibration: ModelCalibration(
                        temperature: 1, threshold: 0.8, precision: 1, coverage: 1, sequences: 1)))
        }
        let (sure, doubtful) = (prediction(9), prediction(2.5))
        #expect(sure.number?.description == "42" && !sure.unreadable)
        #expect(doubtful.number == nil && doubtful.unreadable && doubtful.top[0].number.description == "42")
        #expect(try #require(doubtful.confidence) < 0.8)
        let json = String(decoding: try JSONEncoder().encode(doubtful), as: UTF8.self)
        #expect(json.contains(#""unreadable":true"#) && !json.contains("threshold"))
    }

    // MARK: Whole players

    @Test func `Of whole players the rows with the number are left, of number crops everything`() {
        let player = picture(1, width: 40, height: 100)
        #expect(WholePlayers.areShown(in: [player, player, picture(2, width: 50, height: 50)]))
        #expect(
            !WholePlayers.areShown(in: [picture(1, width: 20, height: 30)]) && !WholePlayers.areShown(in: []))
        let cut = WholePlayers.torso(of: player)
        #expect(
            (cut.width, cut.height) == (40, 35) && cut.pixels == Array(player.pixels[20 * 120..<55 * 120]))
        #expect(WholePlayers.torso(of: picture(1, width: 1, height: 2)).height > 0)
    }

    @Test func `The bundled model is small, calibrated, and says what it is`() throws {
        let checkpoint = try Checkpoint.bundled()
        let model = try checkpoint.model(on: .cpu, path: Checkpoint.bundledName)
        #expect(model.spec.family == .evidence(.tied) && model.store.parameterCount < 1_000_000)
        #expect(checkpoint.card.numbers.count == 110)
        let calibration = try #require(checkpoint.card.calibration)
        #expect(
            calibration.precision >= 0.98 && 0.5...1 ~= calibration.threshold && calibration.looks != nil)
    }
}
