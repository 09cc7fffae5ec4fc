import Foundation

/// What a model read of a labelled sequence, of a part of it, or of a track.
package struct CalibrationSample {
    /// Nil if no number is visible.
    package let truth: JerseyNumber?
    /// How many frames were read; 0 stands for as many as the model takes.
    package let frames: Int
    /// Nil if the model does not judge its frames.
    let looks: Looks?
    private let mean: DigitDistribution
    private let (variety, readability): (Double, Double)

    /// - Parameter digits: before calibration.
    private init(_ truth: JerseyNumber?, frames: Int, _ digits: DigitDistribution, _ looks: Looks?) {
        self.truth = truth
        self.frames = frames
        self.looks = looks
        mean = looks?.mean ?? digits
        (variety, readability) = (looks?.variety ?? 0, looks?.readability ?? 1)
    }

    /// All samples of some readings. If the model judges its frames, these are also parts of each
    /// sequence, of one, two, four and eight frames, some far from each other and some that follow
    /// each other, and the tracks, so that confidences are right whatever there is to see.
    ///
    /// - Parameter readings: from an uncalibrated reader.
    package static func all(_ readings: [Reading]) -> [CalibrationSample] {
        let sequences = readings.enumerated().flatMap { index, reading in
            parts(of: reading.looks.count, number: index).map { part in
                CalibrationSample(
                    reading.sequence.number, frames: part.count, reading.digits,
                    Looks(part.map { reading.looks[$0] }))
            } + [
                CalibrationSample(
                    reading.sequence.number, frames: reading.looks.count, reading.digits,
                    reading.looks.isEmpty ? nil : Looks(reading.looks))
            ]
        }
        let tracks = Dictionary(grouping: readings.filter { !$0.looks.isEmpty }, by: \.sequence.track)
        let wholes = tracks.sorted { $0.key < $1.key }.map(\.value).filter { $0.count > 1 }.map { track in
            let looks = track.flatMap(\.looks)
            return CalibrationSample(
                track[0].sequence.number, frames: looks.count, track[0].digits, Looks(looks))
        }
        return sequences + wholes
    }

    /// Parts of a sequence, as places of frames.
    ///
    /// - Parameter number: of the sequence, which decides where in it the parts lie.
    private static func parts(of count: Int, number: Int) -> [[Int]] {
        let spread = EarlyExit.order(count)
        return [1, 2, 4, 8].filter { $0 < count }.flatMap { length in
            let start = (number * 7) % (count - length + 1)
            return [
                Array(spread[(number % (count - length + 1))...].prefix(length)),
                Array(start..<start + length),
            ]
        }
    }

    package func digits(_ calibration: ModelCalibration) -> DigitDistribution {
        mean.scaled(by: strength(calibration))
    }

    private func strength(_ calibration: ModelCalibration) -> Double {
        (calibration.looks?.count(variety: variety, readability: readability) ?? 1) / calibration.temperature
    }

    /// How badly a calibration fits, in nats: the negative logarithm of the true number's
    /// probability; where there is no number, of the probability that the answer is wrong.
    func loss(_ calibration: ModelCalibration) -> Double {
        let digits = digits(calibration)
        guard let truth else {
            // Only models that judge frames know that there may be no number.
            return looks == nil ? 0 : -log(max(1 - digits.confidence, 1e-9))
        }
        return -max(digits.logProbability(of: truth), -100)
    }
}
