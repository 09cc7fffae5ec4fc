import Foundation
import Jersey
import Synchronization

/// A cache of the runs' readings of parts of their data.
final class PartReadings: Sendable {
    private struct Known {
        let run: URL
        let part: Splits.Part?
        let outcomes: [Outcome]
    }

    private let known = Mutex<[Known]>([])

    /// - Parameter read: called if the readings are not cached.
    func readings(by run: FinishedRun, of part: Splits.Part?, _ read: () throws -> [Outcome]) rethrows
        -> FinishedRun
    {
        if let there = known.withLock({ $0.first { $0.run == run.folder.url && $0.part == part } }) {
            return run.with(outcomes: there.outcomes)
        }
        let outcomes = try read()
        known.withLock { $0.append(Known(run: run.folder.url, part: part, outcomes: outcomes)) }
        return run.with(outcomes: outcomes)
    }
}
