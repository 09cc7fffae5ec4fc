/// A model's output for one sequence, before calibration.
struct SequenceOutput {
    let digits: DigitDistribution
    /// What each frame says; empty if the model does not judge frames.
    var looks: [Looks] = []
    /// Log-probabilities of `JerseyNumber.all`; nil without that head.
    let full: [Double]?
    /// Weights of the frames, with the sum 1; nil if the model has none.
    let weights: [Double]?
}

extension SequenceOutput {
    init(_ sum: Evidence, _ digits: DigitDistribution, weights: [Double]?) {
        self.init(
            digits: digits, full: sum.full.map { DigitDistribution.logSoftmax($0[...]) }, weights: weights)
    }

    /// The looks of all frames; nil if the model does not judge frames.
    var sum: Looks? { looks.isEmpty ? nil : Looks(looks) }

    /// - Parameter looks: at least one.
    init(_ looks: some Collection<Looks>) {
        let sum = Looks(looks)
        self.init(
            digits: sum.mean, looks: Array(looks), full: sum.fullMean,
            weights: looks.map { $0.weight / max(sum.weight, 1e-300) })
    }

    /// The outputs of all sequences, from an output with one row for each.
    ///
    /// - Parameter hasWeights: whether the model has learned the output's attention.
    static func each(_ output: JerseyModel.Output, lengths: [Int], hasWeights: Bool) -> [SequenceOutput] {
        let full = output.full.map { full in
            let (values, width) = (full.array(of: Double.self), full.shape[1])
            return lengths.indices.map { DigitDistribution.logSoftmax(values[$0 * width..<($0 + 1) * width]) }
        }
        let attention = (hasWeights ? output.attention : nil).map {
            ($0.array(of: Double.self), width: $0.shape[1])
        }
        return zip(lengths, DigitDistribution.each(tens: output.tens, ones: output.ones)).enumerated().map {
            index, entry in
            SequenceOutput(
                digits: entry.1, full: full?[index],
                weights: attention.map { Array($0.0[index * $0.width..<index * $0.width + entry.0]) })
        }
    }
}
