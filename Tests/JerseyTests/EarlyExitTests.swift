import Foundation
import TestSupport
import Testing

@testable import Jersey

@Suite struct EarlyExitTests {
    /// - Parameter confidence: where reading stops; nil reads all frames.
    private func reader(_ spec: ModelSpec, until confidence: Double? = nil, pads: Bool? = nil)
        -> SequenceReader
    {
        var spec = spec
        spec.encoder = .mobilenetV3Small
        let loader = SequenceLoader(
            preprocessor: FramePreprocessor(height: 32, width: 24), maximumFrames: 16, sampling: .even,
            singleFrame: spec.readsAnchorOnly ? .anchorOrAll : nil)
        let exit = confidence.map {
            EarlyExit(confidence: $0, frames: 1, accuracy: 1, fullAccuracy: 1, sequences: 1)
        }
        return SequenceReader(
            model: JerseyModel(spec, seed: 5).frozen(), loader: loader, workers: 1, pads: pads,
            earlyExit: exit)
    }

    /// Sequences of one, five and sixteen frames.
    private let sequences = [1, 5, 16].map { count in
        FrameSequence(
            id: "\(count)", track: "\(count)", number: nil, frames: (0..<count).map { "\($0)" },
            images: (0..<count).map { picture($0 * 7 + count, width: 10 + $0, height: 16) }, anchor: nil)
    }

    @Test(arguments: 1...40)
    func `Every frame comes once in the order of use, and the last stage has them all`(count: Int) {
        #expect(EarlyExit.order(count).sorted() == Array(0..<count))
        let stages = EarlyExit.stages(count)
        #expect(
            stages.first == min(2, count) && stages.last == count
                && zip(stages, stages.dropFirst()).allSatisfy { $0 < $1 })
    }

    @Test func `The frames used first lie far from each other`() {
        #expect(EarlyExit.order(16).prefix(4) == [0, 8, 4, 12])
        #expect(EarlyExit.order(5).prefix(3) == [0, 2, 1])
    }

    @Test(arguments: ModelSpec.all)
    func `A reader that is never sure reads what one does that looks at all frames`(spec: ModelSpec) throws {
        let (full, _) = try reader(spec).readAll(sequences)
        let (stepwise, _) = try reader(spec, until: 1.0.nextDown).readAll(sequences)
        for (a, b) in zip(full, stepwise) {
            #expect(a.used == b.used && a.heights == b.heights && a.sequence.id == b.sequence.id)
            #expect(
                zip(a.digits.tens + a.digits.ones, b.digits.tens + b.digits.ones).allSatisfy {
                    abs($0 - $1) < 1e-3
                })
            #expect(zip(a.attention ?? [], b.attention ?? []).allSatisfy { abs($0 - $1) < 1e-3 })
        }
    }

    @Test func `A reader that pads reads all frames at once, in stages as well`() throws {
        let reader = reader(try ModelSpec.named("attn_bgru_luong"), pads: true)
        let (full, _) = try reader.readAll(sequences)
        let (readings, traces, _) = try reader.readInStages(sequences)
        #expect(readings.map(\.used) == full.map(\.used) && readings.map(\.digits) == full.map(\.digits))
        #expect(traces.count == sequences.count && traces.allSatisfy(\.isEmpty))
    }

    @Test(arguments: ["attn_bgru_luong", "evidence_tied", "basic_mv3s"])
    func `A reader that is soon content looks at two frames, and says which`(model: String) throws {
        let (readings, _) = try reader(try ModelSpec.named(model), until: 0).readAll(sequences)
        #expect(readings.map(\.used) == [[0], [0, 2], [0, 8]])
        #expect(readings.map(\.heights) == [[16], [16, 16], [16, 16]])
    }

    @Test func `The stages of a reading end with the reading`() throws {
        let (readings, traces, _) = try reader(try ModelSpec.named("evidence_tied")).readInStages(sequences)
        for (reading, stages) in zip(readings, traces) {
            #expect(stages.map(\.frames) == EarlyExit.stages(reading.used.count))
            #expect(stages.last?.digits == reading.digits)
        }
    }

    // MARK: - The measured confidence

    /// A distribution over digits for the number 7 or 8, with about this confidence.
    private func digits(_ ones: Int, _ confidence: Double) -> DigitDistribution {
        func logs(_ count: Int, _ index: Int, _ share: Double) -> [Double] {
            (0..<count).map { log($0 == index ? share : (1 - share) / Double(count - 1)) }
        }
        return DigitDistribution(tens: logs(11, 10, 0.9999), ones: logs(10, ones, confidence))
    }

    private let calibration = ModelCalibration(
        temperature: 1, threshold: 0.6, precision: 1, coverage: 1, sequences: 1)

    @Test func `Reading stops at the lowest confidence with which nothing is lost`() throws {
        let trace = { (first: Int, confidence: Double) in
            [
                EarlyExit.Stage(frames: 1, digits: self.digits(first, confidence), looks: nil),
                (4, self.digits(7, 0.99), nil),
            ]
        }
        // Certain at once and right; less certain at once and wrong.
        let traces = [
            (JerseyNumber("7"), trace(7, 0.95)), (JerseyNumber("7"), trace(8, 0.8)), (nil, trace(8, 0.99)),
        ]
        let measured = try #require(
            EarlyExit(Array(repeating: traces, count: 500).flatMap { $0 }, calibration))
        // The wrong one's confidence is 0.8, times the confidence in the tens.
        #expect(measured.confidence == 0.8)
        #expect(measured.accuracy == 1 && measured.fullAccuracy == 1 && measured.sequences == 1000)
        #expect(measured.frames == 5.0 / 8)
        #expect(EarlyExit([(nil, trace(7, 1))], calibration) == nil)
        #expect(EarlyExit(traces, calibration)?.confidence == 1, "two sequences prove nothing")
    }

    @Test func `Reading never stops at less confidence than an answer needs`() throws {
        let stages = [
            EarlyExit.Stage(frames: 1, digits: digits(7, 0.5), looks: nil), (2, digits(7, 0.9), nil),
        ]
        let measured = try #require(
            EarlyExit(Array(repeating: (JerseyNumber("7"), stages), count: 1000), calibration))
        #expect(measured.confidence == 0.6)
    }
}
