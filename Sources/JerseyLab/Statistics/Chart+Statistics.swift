import JerseyOutput

extension Chart.Value {
    /// The share with its 95% interval; nil if the count is 0.
    package init?(_ proportion: Proportion) {
        guard let value = proportion.value, let interval = proportion.interval else { return nil }
        self.init(value, lower: interval[0], upper: interval[1])
    }

    /// The mean with one standard deviation to either side; nil without values.
    package init?(_ summary: Summary) {
        guard let mean = summary.mean else { return nil }
        let deviation = summary.standardDeviation
        self.init(mean, lower: deviation.map { mean - $0 }, upper: deviation.map { mean + $0 })
    }
}
