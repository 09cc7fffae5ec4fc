import JerseyOutput

extension Chart.Value {
    /// With its 95% interval.
    package init?(_ proportion: Proportion) {
        guard let value = proportion.value, let interval = proportion.interval else { return nil }
        self.init(value, lower: interval[0], upper: interval[1])
    }

    /// The mean, and one standard deviation to either side.
    package init?(_ summary: Summary) {
        guard let mean = summary.mean else { return nil }
        let deviation = summary.standardDeviation
        self.init(mean, lower: deviation.map { mean - $0 }, upper: deviation.map { mean + $0 })
    }
}
