import Foundation
import JerseyOutput
import JerseySupport

/// Mean and spread of a metric over runs.
package struct Summary: Codable, Sendable, Equatable {
    package let n: Int
    /// Nil without values.
    package let mean: Double?
    /// Sample standard deviation (n - 1); nil for fewer than two values.
    package let standardDeviation: Double?
    package let minimum: Double?
    package let maximum: Double?

    private enum CodingKeys: String, CodingKey {
        case n, mean
        case standardDeviation = "standard_deviation"
        case minimum = "min"
        case maximum = "max"
    }

    package init(_ values: [Double]) {
        n = values.count
        let mean = values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
        self.mean = mean
        minimum = values.min()
        maximum = values.max()
        if let mean, values.count > 1 {
            let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
            standardDeviation = (squares / Double(values.count - 1)).squareRoot()
        } else {
            standardDeviation = nil
        }
    }

    /// "0.9564 ± 0.0049", as in the study; only the mean for a single value; "-" without values.
    package var text: String { text(scale: 1, digits: 4, unit: "") }

    /// "95.64 ± 0.49%".
    package var percentText: String { text(scale: 100, digits: 2, unit: "%") }

    private func text(scale: Double, digits: Int, unit: String) -> String {
        mean.map { Self.text($0, standardDeviation, scale: scale, digits: digits) + unit } ?? "-"
    }

    static func text(_ mean: Double, _ deviation: Double?, scale: Double = 1, digits: Int = 4) -> String {
        func word(_ value: Double) -> String { Format.decimal(value * scale, places: digits) }
        return word(mean) + (deviation.map { " ± " + word($0) } ?? "")
    }
}

extension [Double] {
    /// A quantile with linear interpolation. The array must be sorted and not empty.
    ///
    /// - Parameter share: 0...1.
    func quantile(_ share: Double) -> Double {
        let place = share * Double(count - 1)
        let low = Int(clamping: place.rounded(.down))
        let high = Swift.min(low + 1, count - 1)
        return self[low] + (self[high] - self[low]) * (place - Double(low))
    }
}
