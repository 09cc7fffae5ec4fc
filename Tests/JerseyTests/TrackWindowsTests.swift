import Foundation
import Testing

@testable import Jersey

@Suite struct TrackWindowsTests {
    /// A distribution with probability `degree` for each digit of the number, and the rest spread
    /// evenly.
    private func sure(_ number: String, _ degree: Double) -> DigitDistribution {
        let number = JerseyNumber(number) ?? JerseyNumber.all[0]
        let tens = (0..<11).map { $0 == number.tens ? degree : (1 - degree) / 10 }
        let ones = (0..<10).map { $0 == number.ones ? degree : (1 - degree) / 9 }
        return DigitDistribution(probabilities: tens, ones)
    }

    private let nothing = DigitDistribution(
        probabilities: Array(repeating: 1.0 / 11, count: 11), Array(repeating: 0.1, count: 10))

    @Test func `One window says what it says, and others that say nothing take nothing from it`() {
        let one = sure("23", 0.9)
        for windows in [[one], [one] + Array(repeating: nothing, count: 30)] {
            let digits = DigitDistribution(windows: windows)
            #expect(abs(digits.probability(of: one.number) - one.probability(of: one.number)) < 1e-9)
        }
        #expect(
            DigitDistribution(windows: [nothing, nothing]).probability(of: one.number) - 1.0 / 110 < 1e-9)
    }

    @Test(arguments: [1, 2, 5, 100, 10_000])
    func `Windows that agree count as n over 1 + (n − 1) ρ of them, at most two`(count: Int) {
        let one = sure("23", 0.8)
        let digits = DigitDistribution(windows: Array(repeating: one, count: count))
        let odds = digits.tens[2] - digits.tens[3]
        let worth = odds / (one.tens[2] - one.tens[3])
        #expect(
            abs(worth - Double(count) / (1 + Double(count - 1) * Evidence.windowCorrelation)) < 1e-6
                && worth < 2)
        #expect(
            digits.probability(of: one.number) < DigitDistribution(summing: [one, one]).probability(
                of: one.number) + 1e-9)
    }

    @Test func `The number is that of summed evidence`() {
        let windows = [sure("23", 0.6), sure("28", 0.9), sure("23", 0.5), nothing]
        let (tempered, summed) = (DigitDistribution(windows: windows), DigitDistribution(summing: windows))
        #expect(tempered.number == summed.number && tempered.top(5) == summed.top(5))
        #expect(tempered.probability(of: tempered.number) < summed.probability(of: summed.number))
    }

    @Test func `Windows that decide have the weight, and those that speak against it none`() {
        let windows = [sure("23", 0.9), sure("28", 0.4), nothing, sure("23", 0.9)]
        let shares = DigitDistribution(windows: windows).shares(of: windows)
        #expect(
            abs(shares.reduce(0, +) - 1) < 1e-9 && shares[1] == 0 && shares[2] < 1e-9
                && abs(shares[0] - 0.5) < 1e-9)
        let against = DigitDistribution(windows: windows).shares(of: [nothing, sure("28", 0.9)])
        #expect(against == [0.5, 0.5])
    }

    @Test func `A track's prediction keeps the frames that decided it, with their weights`() {
        func window(_ name: String, _ digits: DigitDistribution, weights: [Double]?) -> Prediction {
            let sequence = FrameSequence(
                id: name, track: "t", number: nil, frames: ["\(name)0", "\(name)1"], anchor: nil)
            return Prediction(
                Reading(
                    sequence: sequence, digits: digits, used: [0, 1], attention: weights, problems: []))
        }
        let (clear, blank) = (
            window("a", sure("23", 0.9), weights: [0.7, 0.3]), window("b", nothing, weights: nil)
        )
        let track = Prediction.combined([clear, blank])[0]
        #expect(track.windows == 2 && track.number == JerseyNumber("23") && track.sequence == "t")
        #expect(track.frames.map(\.path) == ["a0", "a1", "b0", "b1"])
        #expect(
            zip(track.frames.map { $0.weight ?? -1 }, [0.7, 0.3, 0, 0]).allSatisfy { abs($0 - $1) < 1e-6 })
        #expect(
            Prediction.combined([blank])[0].frames.allSatisfy { $0.weight == nil } && clear.windows == nil)
    }

    @Test
    func
        `Windows that would be answered with another number are counted, and many of them are more than one player`()
    {
        func window(_ number: String, _ probability: Double, threshold: Double? = 0.8) -> Prediction {
            let digits = sure(number, probability)
            let sequence = FrameSequence(id: "t", track: "t", number: nil, frames: ["0"], anchor: nil)
            return Prediction(
                Reading(
                    sequence: sequence, digits: digits, used: [0], attention: nil, problems: [],
                    calibration: threshold.map {
                        ModelCalibration(
                            temperature: 1, threshold: $0, precision: 1, coverage: 1, sequences: 1)
                    }))
        }
        let several = Prediction.joinedWindows(
            [("23", 0.99), ("48", 0.97), ("10", 0.97), ("23", 0.99)].map { window($0, $1) })[0]
        #expect(several.disagreeingWindows == 2 && several.isMixed)
        let unsure = Prediction.joinedWindows(
            [("23", 0.99), ("48", 0.5), ("10", 0.5)].map { window($0, $1) })[0]
        #expect(unsure.disagreeingWindows == nil && !unsure.isMixed)
        let once = Prediction.joinedWindows(
            [("23", 0.99), ("48", 0.97), ("23", 0.99)].map { window($0, $1) })[0]
        #expect(once.disagreeingWindows == 1 && !once.isMixed)
        let uncalibrated = ["23", "48", "10"].map { window($0, 0.99, threshold: nil) }
        #expect(Prediction.joinedWindows(uncalibrated)[0].disagreeingWindows == nil)
    }

    @Test(arguments: [(1, 1), (16, 1), (17, 2), (79, 2), (80, 1), (81, 2), (1000, 13)])
    func `A long sequence becomes windows of equal size that cover it`(frames: Int, windows: Int) {
        let sequence = FrameSequence(
            id: "a", track: "t", number: nil, frames: (0..<frames).map(String.init), anchor: nil)
        let parts = sequence.windows(size: 16)
        #expect(parts.count == windows && parts.allSatisfy { $0.id == "a" && 1...16 ~= $0.frames.count })
        let looks = parts.flatMap(\.frames).compactMap { Int($0) }
        #expect(looks == looks.sorted() && looks.first == 0 && looks.last.map { frames - $0 <= 5 } == true)
        #expect((parts.map(\.frames.count).max() ?? 0) - (parts.map(\.frames.count).min() ?? 0) <= 1)
    }
}
