extension PrecisionAgreement {
    /// - Parameters:
    ///   - readings: of the same sequences in the same order, in float32 and in another precision,
    ///     from uncalibrated readers.
    ///   - calibration: decides which of them are answered.
    package init(_ readings: [Reading], _ others: [Reading], _ calibration: ModelCalibration) {
        precondition(readings.count == others.count, "both must be of the same sequences")
        func answer(_ reading: Reading) -> JerseyNumber? {
            let digits = reading.calibrated(by: calibration)
            return digits.confidence < calibration.threshold ? nil : digits.number
        }
        let pairs = zip(readings, others)
        sequences = readings.count
        changed = pairs.count { $0.number != $1.number || answer($0) != answer($1) }
        largestDifference = pairs.map { $0.largestDifference(from: $1) }.max() ?? 0
    }
}
