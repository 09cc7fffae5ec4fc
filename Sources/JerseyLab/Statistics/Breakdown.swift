import Foundation
import Jersey
import JerseyOutput

/// Accuracy on subsets of the test set.
package struct Breakdown: Encodable, Sendable {
    /// The property that divides the test set.
    package enum Kind: String, CaseIterable, Sendable, Encodable {
        case number
        case length
        case seen
        case height

        package var title: String {
            switch self {
            case .number: "number"
            case .length: "sequence length, frames"
            case .seen: "number in training"
            case .height: "crop height, pixels"
            }
        }
    }

    package struct Row: Encodable, Sendable {
        package let label: String
        /// Test sequences in this subset, in one run.
        package let sequences: Int
        /// Summary over runs.
        package let accuracy: Summary
        /// Wilson's interval for the mean over runs, on `sequences` sequences.
        package let interval: [Double]?
    }

    package let kind: Kind
    package let rows: [Row]

    /// Nil if the runs do not record the property.
    package init?(_ group: RunGroup, by kind: Kind) {
        self.init(group, by: kind, looks: Self.looks([group]))
    }

    /// - Parameter looks: for each sequence the outcome with the most frames. Models read different
    ///   frames of a sequence, but a comparison needs one length and height per sequence.
    init?(_ group: RunGroup, by kind: Kind, looks: [String: Outcome]) {
        self.kind = kind
        switch kind {
        case .number:
            let numbers = Set(
                group.runs.flatMap { $0.outcomes.compactMap { $0.truth.flatMap(JerseyNumber.init) } }
            ).sorted()
            rows = numbers.compactMap { number in
                Self.row(number.description, group) { $0.truth == number.description }
            }
        case .length:
            rows = Self.ranges(from: [1, 2, 5, 9, 13, 17]).compactMap { label, range in
                Self.row(label, group) {
                    looks[$0.sequence].map { range.contains($0.length ?? $0.frames.count) } ?? false
                }
            }
        case .height:
            rows = Self.ranges(from: [1, 16, 24, 32, 48, 64, 96, 128]).compactMap { label, range in
                Self.row(label, group) { looks[$0.sequence]?.medianHeight.map(range.contains) ?? false }
            }
        case .seen:
            rows = [("seen", \Evaluation.seen), ("never seen", \Evaluation.unseen)].compactMap {
                label, path in
                let shares = group.runs.compactMap { $0.result.test?[keyPath: path]?.sequences.number }
                return Self.row(label, shares)
            }
        }
        if rows.isEmpty { return nil }
    }

    static func looks(_ groups: [RunGroup]) -> [String: Outcome] {
        var looks: [String: Outcome] = [:]
        for outcome in groups.flatMap(\.runs).flatMap(\.outcomes) {
            let known = looks[outcome.sequence]?.frames.count ?? 0
            if outcome.frames.count > known { looks[outcome.sequence] = outcome }
        }
        return looks
    }

    private static func row(_ label: String, _ group: RunGroup, where belongs: (Outcome) -> Bool) -> Row? {
        row(
            label,
            group.runs.map { run in
                let part = run.outcomes.filter { $0.truth != nil && belongs($0) }
                return Proportion(part.count(where: \.isRight), of: part.count)
            })
    }

    /// A row from each run's share.
    private static func row(_ label: String, _ shares: [Proportion]) -> Row? {
        let accuracy = Summary(shares.compactMap(\.value))
        guard let mean = accuracy.mean, let count = shares.map(\.count).max() else { return nil }
        return Row(
            label: label, sequences: count, accuracy: accuracy,
            interval: Proportion(Int(clamping: (mean * Double(count)).rounded()), of: count).interval)
    }

    /// Half-open ranges between starts, labelled "1", "2-4", …; the last is open-ended.
    private static func ranges(from starts: [Int]) -> [(String, Range<Int>)] {
        starts.enumerated().map { index, start in
            guard index + 1 < starts.count else { return ("\(start) or more", start..<Int.max) }
            let end = starts[index + 1]
            return (end == start + 1 ? "\(start)" : "\(start)-\(end - 1)", start..<end)
        }
    }
}

extension Breakdown {
    /// A row per subset, a column per model.
    package static func table(_ groups: [RunGroup], by kind: Kind) -> Table? {
        let looks = looks(groups)
        let parts = groups.compactMap { group in
            Breakdown(group, by: kind, looks: looks).map { (group.name, $0) }
        }
        var labels: [(label: String, sequences: Int)] = []
        for row in parts.flatMap(\.1.rows) where !labels.contains(where: { $0.label == row.label }) {
            labels.append((row.label, row.sequences))
        }
        guard !labels.isEmpty else { return nil }
        let rows = labels.map { label, sequences in
            [label, "\(sequences)"]
                + parts.map { _, breakdown in
                    breakdown.rows.first { $0.label == label }.map { row in
                        let interval = row.interval.map { bounds in
                            " (" + bounds.map { Format.points($0, places: 0) }.joined(separator: "-") + ")"
                        }
                        return row.accuracy.percentText + (interval ?? "")
                    } ?? "-"
                }
        }
        return Table(
            [kind.title, "sequences"] + parts.map(\.0), rows: rows, title: "Accuracy by \(kind.title)",
            note:
                "Mean ± standard deviation over runs, and Wilson's 95% interval of the mean for that number of sequences."
        )
    }
}
