import Foundation
import TestSupport
import Testing

@testable import Jersey

@Suite("Looks at one player")
struct LooksTests {
    private let calibration = ModelCalibration(
        temperature: 0.66, threshold: 0.9, precision: 0.98, coverage: 0.7, sequences: 1,
        looks: .init(variety: 2, readability: 0.5))

    /// A look at a number, with this probability of each digit.
    private func look(
        _ number: String, _ degree: Double, readability: Double, features: [Double] = [1, 0, 0]
    )
        -> Looks
    {
        let number = JerseyNumber(number)!
        let tens = (0..<11).map { $0 == number.tens ? degree : (1 - degree) / 10 }
        let ones = (0..<10).map { $0 == number.ones ? degree : (1 - degree) / 9 }
        return Looks(
            DigitDistribution(probabilities: tens, ones), readability: readability, features: features)
    }

    private func digits(_ looks: [Looks]) -> DigitDistribution {
        let sum = Looks(looks)
        return calibration.calibrated(sum.mean, sum)
    }

    private func reading(_ looks: [Looks], truth: String? = nil, track: String = "t") -> Reading {
        let output = SequenceOutput(looks)
        return Reading(
            sequence: FrameSequence(
                id: track, track: track, number: truth.flatMap { JerseyNumber($0) },
                frames: looks.indices.map(String.init), anchor: nil),
            digits: digits(looks), looks: looks, used: Array(looks.indices), attention: output.weights,
            problems: [], calibration: calibration)
    }

    private func isClose(_ a: DigitDistribution, _ b: DigitDistribution, within tolerance: Double = 1e-9)
        -> Bool
    {
        zip(a.tens + a.ones, b.tens + b.ones).allSatisfy { abs($0 - $1) < tolerance }
    }

    @Test(arguments: [2, 8, 1000])
    func `The same picture again says nothing new`(count: Int) {
        let one = look("23", 0.9, readability: 0.8, features: [0.3, 0.1, 0.7])
        #expect(isClose(digits([one]), digits(Array(repeating: one, count: count))))
    }

    @Test func `Different pictures of one number say more than one of them`() {
        let one = look("23", 0.9, readability: 0.8, features: [1, 0, 0])
        let other = look("23", 0.9, readability: 0.8, features: [0.8, 0.5, 0])
        #expect(digits([one, other]).confidence > digits([one]).confidence + 0.01)
        let third = look("23", 0.9, readability: 0.8, features: [0, 1, 1])
        #expect(digits([one, other, third]).confidence > digits([one, other]).confidence)
    }

    @Test func `A look that says something else takes from the confidence`() {
        let one = look("23", 0.9, readability: 0.8)
        #expect(digits([one, look("28", 0.9, readability: 0.8)]).confidence < 0.6)
    }

    @Test(arguments: [1, 15, 100])
    func `Looks in which nothing is seen change nothing`(count: Int) {
        let one = look("23", 0.93, readability: 0.95)
        let blank = (0..<count).map {
            look("\($0 % 90 + 10)", 0.3, readability: 0.02, features: [0, Double($0 % 7), 1])
        }
        #expect(abs(digits([one] + blank).confidence - digits([one]).confidence) < 0.02)
    }

    @Test func `The order of looks does not matter, nor how they are divided into windows`() throws {
        let looks = (0..<12).map { place in
            let (number, step) = (place % 5 == 0 ? "28" : "23", Double(place))
            return look(
                number, 0.5 + step / 30, readability: (step + 1) / 13,
                features: [1, step, Double(place * place % 5)])
        }
        let whole = digits(looks)
        #expect(isClose(whole, digits(looks.reversed())))
        for size in [1, 4, 5] {
            let windows = stride(from: 0, to: 12, by: size).map {
                Prediction(reading(Array(looks[$0..<min($0 + size, 12)])))
            }
            let joined = Prediction.joinedWindows(windows)[0]
            #expect(isClose(try #require(joined.digits), whole))
            #expect(abs(joined.frames.reduce(0) { $0 + ($1.weight ?? 0) } - 1) < 1e-9)
        }
    }

    @Test(arguments: [Double.nan, .infinity, -.infinity])
    func `What is not finite is never a number`(value: Double) {
        let zeros = [Double](repeating: 0, count: 10)
        let broken = [
            look("23", 0.9, readability: value), look("23", 0.9, readability: 0.9, features: [value, 1, 1]),
            Looks(DigitDistribution(tens: [.nan] + zeros, ones: zeros), readability: 0.9),
        ]
        for look in broken {
            let prediction = Prediction(reading([look, self.look("23", 0.9, readability: 0.9)]))
            #expect(prediction.number == nil && prediction.unreadable)
        }
    }

    @Test func `Looks that cannot be read at all, to the last bit, are no evidence`() {
        #expect(digits([look("23", 0.9, readability: 0)]).confidence < 0.01)
    }

    // MARK: Calibration

    /// Sequences of three frames: of each ten one is misread, and the readability says so roughly.
    private func readings(_ count: Int) -> [Reading] {
        (0..<count).map { index in
            let isMisread = index % 10 == 0
            let readability = isMisread ? 0.3 + Double(index % 7) / 10 : 0.6 + Double(index % 4) / 10
            let looks = (0..<3).map { frame in
                look(
                    isMisread ? "28" : "23", 0.8, readability: readability,
                    features: [1, Double(frame) / 10, Double(index % 3) / 10])
            }
            return reading(looks, truth: index % 20 == 10 ? nil : "23", track: "\(index)")
        }
    }

    @Test func `Calibration makes confidences as high as the share of right answers`() throws {
        let readings = readings(400)
        let measured = try ModelCalibration(readings, precision: 0.9)
        let answers = readings.map { ($0.calibrated(by: measured), $0.sequence.number) }
        let confidence = answers.reduce(0) { $0 + $1.0.confidence } / 400
        let right = Double(answers.count { $0.0.number == $0.1 }) / 400
        #expect(abs(confidence - right) < 0.05)
        #expect(measured == (try ModelCalibration(readings, precision: 0.9)))
    }

    @Test func `A file has thresholds for many precisions, and stricter ones are not lower`() throws {
        let measured = try ModelCalibration(readings(400), precision: 0.9)
        let cuts = try #require(measured.cuts)
        #expect(
            zip(cuts, cuts.dropFirst()).allSatisfy { $0.target < $1.target && $0.threshold <= $1.threshold })
        #expect(cuts.allSatisfy { $0.precision >= $0.target })
        #expect(try measured.aiming(at: 0.9) == measured)
        let strict = try measured.aiming(at: 0.95)
        #expect(strict.threshold >= measured.threshold && strict.precision >= 0.95)
        #expect(strict.coverage <= measured.coverage && strict.temperature == measured.temperature)
    }

    @Test func `A precision that was never reached or measured is refused`() throws {
        #expect(throws: UsageError.self) { try calibration.aiming(at: 0.99) }
        var measured = calibration
        measured.cuts = [.init(target: 0.9, threshold: 0.5, precision: 0.9, coverage: 1)]
        #expect(try measured.aiming(at: 0.8).threshold == 0.5)
        #expect { try measured.aiming(at: 0.99) } throws: { "\($0)".contains("at most 0.9") }
    }

    @Test func `A calibration of an older version does not suit looks, and is refused with the way out`()
        throws
    {
        try withFolder { folder throws in
            let spec = try ModelSpec.named("evidence_tied")
            var card = Checkpoint.Card(spec: spec)
            (card.height, card.width) = (48, 48)
            card.calibration = .init(temperature: 2, threshold: 0.8, precision: 1, coverage: 1, sequences: 1)
            let file = folder.appending(path: "x.safetensors")
            try Checkpoint.write(JerseyModel(spec), card, to: file)
            #expect {
                try Recognizer(weights: file.path)
            } throws: {
                ($0 as? UsageError)?.remedy == .calibration
            }
            var options = Recognizer.Options()
            options.isCalibrated = false
            #expect(try Recognizer(weights: file.path, options: options).reader.calibration == nil)
        }
    }
}
