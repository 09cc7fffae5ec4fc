/// What the windows or sequences of one track say: running sums, whose size does not depend on how
/// many there were.
struct TrackEvidence: Sendable, Equatable, RunningSum {
    /// The windows' calibrated distributions.
    private var windows: Evidence
    /// The looks of all windows; nil if the model does not judge its frames.
    private(set) var looks: Looks?

    /// One window.
    ///
    /// - Parameters:
    ///   - digits: calibrated where the model is.
    ///   - looks: those of its frames.
    init(_ digits: DigitDistribution, _ looks: Looks?) {
        windows = Evidence(digits)
        self.looks = looks
    }

    mutating func add(_ other: TrackEvidence) {
        windows.add(other.windows)
        looks = other.looks.flatMap { other in looks.map { Looks([$0, other]) } }
    }

    /// The combined distribution. The looks of all windows count as those of one. Windows of a model
    /// that does not judge its frames are combined by `Evidence`.
    func distribution(_ calibration: ModelCalibration?) -> DigitDistribution {
        guard let looks else { return windows.distribution() }
        return calibration.calibrated(looks.mean, looks)
    }
}
