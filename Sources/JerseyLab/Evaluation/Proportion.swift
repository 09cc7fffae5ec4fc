import Foundation
import JerseyOutput

/// A share of right answers, with Wilson's 95% interval (Wilson 1927).
package struct Proportion: Sendable, Equatable {
    package let successes: Int
    package let count: Int

    package init(_ successes: Int, of count: Int) {
        self.successes = successes
        self.count = count
    }

    /// 0...1; nil if `count` is 0.
    package var value: Double? { count > 0 ? Double(successes) / Double(count) : nil }

    /// Lower and upper bound; nil if `count` is 0.
    package var interval: [Double]? {
        guard count > 0 else { return nil }
        let (n, p, z) = (Double(count), Double(successes) / Double(count), 1.959963984540054)
        let middle = p + z * z / (2 * n)
        let reach = z * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
        let scale = 1 + z * z / n
        // At 0 and 1 the exact bound is known; the formula would add rounding errors.
        return [
            successes == 0 ? 0 : max(0, (middle - reach) / scale),
            successes == count ? 1 : min(1, (middle + reach) / scale),
        ]
    }

    /// "98.41% (97.2-99.1)".
    package var text: String {
        guard let value, let interval else { return "-" }
        let bounds = interval.map { Format.points($0, places: 1) }.joined(separator: "-")
        return "\(Format.percent(value, places: 2)) (\(bounds))"
    }
}
