import Foundation
import JerseySupport
import Synchronization

/// Metrics with labels, in Prometheus' text format (version 0.0.4). Written here because no client
/// library for it is available.
protocol Metric: Sendable {
    var name: String { get }
    var help: String { get }
    /// "counter", "gauge" or "histogram".
    var kind: String { get }
    /// The lines after HELP and TYPE.
    func samples() -> [String]
}

extension Metric {
    var text: String {
        (["# HELP \(name) \(help)", "# TYPE \(name) \(kind)"] + samples()).joined(separator: "\n") + "\n"
    }
}

/// A metric's label names, and the formatting of their values.
struct Labels: Sendable {
    let names: [String]

    /// `{model="a",le="1"}`; empty without labels.
    func text(_ values: [String], _ more: (String, String)? = nil) -> String {
        precondition(values.count == names.count, "\(values) do not match the labels \(names)")
        let pairs = zip(names, values).map { ($0, $1) } + (more.map { [$0] } ?? [])
        guard !pairs.isEmpty else { return "" }
        return "{" + pairs.map { "\($0)=\"\(Self.escaped($1))\"" }.joined(separator: ",") + "}"
    }

    private static func escaped(_ value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }

    static func number(_ value: Double) -> String {
        value.isInfinite
            ? (value > 0 ? "+Inf" : "-Inf")
            : value == value.rounded() && abs(value) < 1e15 ? "\(Int(clamping: value))" : "\(value)"
    }
}

/// A counter or a gauge.
final class Gauge: Metric {
    let name: String
    let help: String
    let kind: String
    private let labels: Labels
    private let values = Mutex<[[String]: Double]>([:])

    static func counter(_ name: String, _ help: String, labels: [String] = []) -> Gauge {
        Gauge(name, help, kind: "counter", labels: labels)
    }

    static func level(_ name: String, _ help: String, labels: [String] = []) -> Gauge {
        Gauge(name, help, kind: "gauge", labels: labels)
    }

    private init(_ name: String, _ help: String, kind: String, labels: [String]) {
        self.name = name
        self.help = help
        self.kind = kind
        self.labels = Labels(names: labels)
    }

    func add(_ count: Double = 1, _ values: String...) {
        self.values.withLock { $0[values, default: 0] += count }
    }

    func value(_ values: String...) -> Double { self.values.withLock { $0[values] ?? 0 } }

    func samples() -> [String] {
        values.withLock { $0 }.map { "\(name)\(labels.text($0)) \(Labels.number($1))" }.sorted()
    }
}

/// A distribution of values.
final class Histogram: Metric {
    private struct Series {
        var counts: [Int]
        var sum = 0.0
    }

    let name: String
    let help: String
    let kind = "histogram"
    private let labels: Labels
    private let bounds: [Double]
    private let series = Mutex<[[String]: Series]>([:])

    /// - Parameter bounds: upper bounds of the buckets, ascending; a bucket for infinity is added.
    init(_ name: String, _ help: String, labels: [String] = [], bounds: [Double]) {
        self.name = name
        self.help = help
        self.labels = Labels(names: labels)
        self.bounds = bounds + [.infinity]
    }

    func observe(_ value: Double, _ values: String...) {
        // The last bucket takes the rest.
        let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count - 1
        series.withLock {
            $0[values, default: Series(counts: Array(repeating: 0, count: bounds.count))].counts[bucket] += 1
            $0[values]?.sum += value
        }
    }

    func samples() -> [String] {
        series.withLock { $0 }.sorted { $0.key.joined() < $1.key.joined() }.flatMap { values, series in
            var total = 0
            let buckets = zip(bounds, series.counts).map { bound, count in
                total += count
                return "\(name)_bucket\(labels.text(values, ("le", Labels.number(bound)))) \(total)"
            }
            return buckets + [
                "\(name)_sum\(labels.text(values)) \(Labels.number(series.sum))",
                "\(name)_count\(labels.text(values)) \(total)",
            ]
        }
    }
}
