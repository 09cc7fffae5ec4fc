import Foundation

/// Executes the runs of an experiment, as local processes or on a cluster.
package protocol Launcher: AnyObject {
    /// Takes over runs that an earlier call left active, and returns their ids.
    func adopt(_ runs: [PlannedRun]) throws -> [String]

    /// Starts as many of `runs` as there are free slots, in order.
    ///
    /// - Returns: the ids of the started runs.
    func start(_ runs: [PlannedRun]) throws -> [String]

    /// Tasks that ended since the last call. The run folder shows whether the run is finished.
    func ended() throws -> [EndedTask]

    /// Asks all tasks to save and stop, and waits for them.
    func stop() throws

    /// Polling interval.
    var interval: Duration { get }
}

/// A task that ended.
package struct EndedTask: Sendable, Equatable {
    package let id: String
    /// Its error message or exit status; nil on success.
    package let reason: String?
    /// Whether a user ended it on purpose. Such a task is not retried.
    package let isCancelled: Bool

    package init(id: String, reason: String?, isCancelled: Bool = false) {
        self.id = id
        self.reason = reason
        self.isCancelled = isCancelled
    }
}
