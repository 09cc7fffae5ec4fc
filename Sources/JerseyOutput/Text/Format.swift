import Foundation
import JerseySupport

/// Numbers for people. A missing value is "-".
package enum Format {
    /// "0.9564" with 4 places.
    package static func decimal(_ value: Double?, places: Int) -> String {
        value.map { String(format: "%.\(places)f", $0) } ?? "-"
    }

    /// "+0.42" with 2 places.
    package static func signed(_ value: Double, places: Int) -> String {
        String(format: "%+.\(places)f", value)
    }

    /// As few digits as needed, at most `count`: "0.00042", "1.2e-09".
    package static func digits(_ value: Double, _ count: Int) -> String {
        String(format: "%.\(count)g", value)
    }

    /// "1.2e-09" with 1 place.
    package static func scientific(_ value: Double, places: Int) -> String {
        String(format: "%.\(places)e", value)
    }

    /// "0.9512 - 0.9633" with 4 places.
    package static func range(_ low: Double, _ high: Double, places: Int) -> String {
        "\(decimal(low, places: places)) - \(decimal(high, places: places))"
    }

    /// "11,187,285".
    package static func grouped(_ value: Int) -> String {
        value.formatted(.number.locale(Locale(identifier: "en_US")))
    }

    /// "007" with 3 digits, so that file names sort.
    package static func padded(_ value: Int, digits: Int) -> String { String(format: "%0\(digits)ld", value) }

    // MARK: Shares, 0...1

    /// "98.41%" with 2 places.
    package static func percent(_ share: Double?, places: Int) -> String {
        share.map { points($0, places: places) + "%" } ?? "-"
    }

    /// "98.41" with 2 places: percent without the sign.
    package static func points(_ share: Double?, places: Int) -> String {
        decimal(share.map { $0 * 100 }, places: places)
    }

    /// "+0.42" with 2 places: a difference of shares, in percentage points.
    package static func signedPoints(_ share: Double, places: Int) -> String {
        signed(share * 100, places: places)
    }

    /// The share of a part in a whole; "0.00%" if the whole is empty.
    package static func percent(_ part: Int, of whole: Int, places: Int) -> String {
        decimal(100 * Double(part) / Double(max(whole, 1)), places: places) + "%"
    }

    /// "0.0012%" with 2 digits, for small shares.
    package static func percent(_ share: Double, digits count: Int) -> String {
        digits(share * 100, count) + "%"
    }

    // MARK: Quantities

    /// "1.27×".
    package static func times(_ ratio: Double?) -> String {
        ratio.map { decimal($0, places: 2) + "×" } ?? "-"
    }

    /// "1.813 G".
    package static func giga(_ count: Int) -> String { decimal(Double(count) / 1e9, places: 3) + " G" }

    /// "2.48 M".
    package static func mega(_ count: Int) -> String { decimal(Double(count) / 1e6, places: 2) + " M" }

    /// "350 MB", "3.2 GB".
    package static func bytes(_ count: Int) -> String {
        count < 1_000_000_000
            ? decimal(Double(count) / 1e6, places: 0) + " MB"
            : decimal(Double(count) / 1e9, places: 1) + " GB"
    }

    /// "1.23": seconds in milliseconds, in columns that name the unit.
    package static func milliseconds(_ seconds: Double?) -> String {
        decimal(seconds.map { $0 * 1e3 }, places: 2)
    }

    /// A short time, from seconds: "1.23 ms", "45.6 µs".
    package static func time(_ seconds: Double?) -> String {
        guard let seconds else { return "-" }
        return seconds < 1e-3 ? decimal(seconds * 1e6, places: 1) + " µs" : milliseconds(seconds) + " ms"
    }

    /// A long time, from seconds: "1:02:03", "2:03"; "?" if infinite.
    package static func duration(_ seconds: Double?) -> String {
        guard let seconds else { return "-" }
        guard seconds.isFinite else { return "?" }
        let total = Int(clamping: seconds.rounded())
        let (hours, minutes, rest) = (total / 3600, total / 60 % 60, padded(total % 60, digits: 2))
        return hours > 0 ? "\(hours):\(padded(minutes, digits: 2)):\(rest)" : "\(minutes):\(rest)"
    }

    // MARK: Dates

    /// "2026-11-30T06:01:24Z".
    package static func timestamp(_ date: Date?) -> String { date.map { $0.formatted(.iso8601) } ?? "-" }

    /// "2026-11-30".
    package static func day(_ date: Date) -> String { date.formatted(.iso8601.year().month().day()) }
}
