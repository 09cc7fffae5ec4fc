/// Boxes that were not used, counted by what is wrong with them.
public struct LeftOutBoxes: Sendable, Equatable {
    package enum Reason: Int, CaseIterable, Sendable {
        case malformed, empty, notFinite, sizeless, trackless, absent, early, duplicate, outside, late,
            undecodable
    }

    package private(set) var counts: [Reason: Int] = [:]
    /// The first line of the file for each reason.
    package private(set) var firstLines: [Reason: Int] = [:]
    /// What exactly is wrong, if there is more to say.
    private var details: [Reason: String] = [:]
    /// What is counted: lines, or the boxes of JSON and XML.
    var unit = "line"

    package init() {}

    /// How many boxes were not used.
    package var total: Int { counts.values.reduce(0, +) }

    mutating func add(_ reason: Reason, line: Int32, detail: String? = nil) {
        counts[reason, default: 0] += 1
        if details[reason] == nil { details[reason] = detail }
        firstLines[reason] = min(firstLines[reason] ?? .max, Int(line))
    }

    mutating func add(_ other: LeftOutBoxes) {
        counts.merge(other.counts, uniquingKeysWith: +)
        firstLines.merge(other.firstLines, uniquingKeysWith: min)
        details.merge(other.details) { first, _ in first }
    }

    /// A sentence for each thing that is wrong, in a fixed order, such as "2 boxes without width or
    /// height (first: line 7)".
    public var sentences: [String] {
        Reason.allCases.compactMap { reason in
            guard let count = counts[reason], let line = firstLines[reason] else { return nil }
            let detail = details[reason].map { ": \($0)" } ?? ""
            return count == 1
                ? "1 box \(reason.description) (\(unit) \(line)\(detail))"
                : "\(count) boxes \(reason.description) (first: \(unit) \(line)\(detail))"
        }
    }
}

extension LeftOutBoxes.Reason: CustomStringConvertible {
    /// Follows "1 box" or "7 boxes" in a sentence.
    package var description: String {
        switch self {
        case .malformed: "that cannot be understood"
        case .empty: "without coordinates"
        case .notFinite: "with NaN or infinity"
        case .sizeless: "without width or height"
        case .trackless: "without a track (-1)"
        case .absent: "marked as outside the picture or lost"
        case .early: "before the first frame"
        case .duplicate: "in addition to another of the same track in the same frame"
        case .outside: "less than half inside the picture"
        case .late: "past the end of the video"
        case .undecodable: "in damaged frames"
        }
    }
}
