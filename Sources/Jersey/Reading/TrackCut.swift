import Foundation

/// Finds where the player of a track changes, because a tracker took one player for another.
///
/// Every short part of a window says how probable each number is. A path gives each part a number,
/// and its probability is the product of what the parts say and of a small chance of every change.
/// The most probable path (Viterbi 1967) shows where the evidence turns. A stretch of it counts only
/// if it would be answered by itself, and otherwise belongs to a neighbour
/// (docs/explanation/how-it-reads.md).
enum TrackCut {
    /// The share of parts that say nothing about their player: a part speaks against a number by no
    /// more than this allows.
    static let misleading = 0.05
    /// What a change costs, as the negative logarithm of its chance, in nats. With it no track of one
    /// player was cut, and nearly every change was found (docs/measurements/long-tracks.md).
    static let price = 7.0

    /// The windows of each player, in time order. There are several players only where each has a
    /// confident answer, and neighbours have different ones.
    ///
    /// - Parameter windows: those of one track in time order. Windows of a model without a
    ///   threshold are never cut, for it is sure of everything.
    static func pieces(of windows: [Prediction]) -> [[Prediction]] {
        guard windows.contains(where: { $0.calibration != nil }) else { return [windows] }
        let parts = windows.enumerated().flatMap { place, window in
            window.partDigits.indices.map { Part(window: place, index: $0, digits: window.partDigits[$0]) }
        }
        var stretches = stretches(of: parts.map(\.digits)).map { Stretch($0, of: parts, in: windows) }
        // The least certain first, so that what is certain grows.
        while stretches.count > 1,
            let weakest = stretches.indices.filter({ stretches[$0].number == nil }).min(by: {
                stretches[$0].confidence < stretches[$1].confidence
            })
        {
            let neighbours = [weakest - 1, weakest + 1].filter(stretches.indices.contains)
            let nearest = neighbours.max {
                stretches[weakest].evidence(for: stretches[$0])
                    < stretches[weakest].evidence(for: stretches[$1])
            }
            guard let nearest else { break }
            merge(min(weakest, nearest), of: &stretches, parts, windows)
        }
        // The same number again: no change, or another player in front for a while.
        while let (first, last) = again(stretches) {
            for _ in first..<last { merge(first, of: &stretches, parts, windows) }
        }
        // Two that disagree may have become unsure together.
        guard stretches.count > 1, stretches.allSatisfy({ $0.number != nil }) else { return [windows] }
        return withUnreadable(windows, stretches.map(\.windows))
    }

    private struct Part {
        let window, index: Int
        let digits: DigitDistribution
    }

    /// Parts that follow each other.
    private struct Stretch {
        let range: Range<Int>
        let windows: [Prediction]
        private let combined: Prediction
        private let digits: DigitDistribution

        init(_ range: Range<Int>, of parts: [Part], in windows: [Prediction]) {
            self.range = range
            let places = Dictionary(grouping: parts[range], by: \.window).sorted { $0.key < $1.key }
            self.windows = places.map { place, parts in windows[place].part(parts.map(\.index)) }
            combined = Prediction.joined(self.windows, sequence: "")
            digits = DigitDistribution(summing: parts[range].map(\.digits))
        }

        var number: JerseyNumber? { combined.number }
        var confidence: Double { combined.confidence ?? 0 }

        /// What this stretch says about the number of another.
        func evidence(for other: Stretch) -> Double {
            digits.logProbability(of: other.combined.digits?.number ?? digits.number)
        }
    }

    /// The nearest two stretches with one number, at most one other between them.
    private static func again(_ stretches: [Stretch]) -> (Int, Int)? {
        for distance in 1...2 {
            for first in stretches.indices.dropLast(distance)
            where stretches[first].number == stretches[first + distance].number {
                return (first, first + distance)
            }
        }
        return nil
    }

    private static func merge(
        _ first: Int, of stretches: inout [Stretch], _ parts: [Part], _ windows: [Prediction]
    ) {
        let range = stretches[first].range.lowerBound..<stretches[first + 1].range.upperBound
        stretches[first] = Stretch(range, of: parts, in: windows)
        stretches.remove(at: first + 1)
    }

    /// The stretches of the most probable path of numbers.
    ///
    /// - Parameter parts: what each says, in time order.
    static func stretches(of parts: [DigitDistribution]) -> [Range<Int>] {
        guard let first = parts.first else { return [] }
        let numbers = JerseyNumber.all
        func scores(_ digits: DigitDistribution) -> [Double] {
            numbers.map {
                log((1 - misleading) * digits.probability(of: $0) + misleading / Double(numbers.count))
            }
        }
        var best = scores(first)
        // For each later part, the best number before it, and which numbers it pays to change to.
        var steps: [(from: Int, changed: [Bool])] = []
        for part in parts.dropFirst() {
            let from = best.indexOfMaximum
            let changed = best.map { best[from] - price > $0 }
            steps.append((from, changed))
            let scores = scores(part)
            best = best.indices.map { (changed[$0] ? best[from] - price : best[$0]) + scores[$0] }
        }
        var (state, end, stretches) = (best.indexOfMaximum, parts.count, [Range<Int>]())
        for (index, step) in steps.enumerated().reversed() where step.changed[state] {
            stretches.append(index + 1..<end)
            (state, end) = (step.from, index + 1)
        }
        return (stretches + [0..<end]).reversed()
    }

    /// Windows without a readable frame, which the parts do not know, stay with those before them.
    private static func withUnreadable(_ windows: [Prediction], _ pieces: [[Prediction]]) -> [[Prediction]] {
        var pieces = pieces
        pieces[0] += windows.filter { $0.partDigits.isEmpty }
        return pieces
    }
}
