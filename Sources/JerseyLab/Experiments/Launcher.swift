import Foundation

/// What runs the runs of an experiment: processes of this machine, or a cluster.
package protocol Launcher: AnyObject {
    /// Runs that an earlier call has left at work, which this one watches.
    func adopt(_ runs: [PlannedRun]) throws -> [String]

    /// Starts as many of `runs` as there is room for, from the first.
    ///
    /// - Returns: the ids of those started.
    func start(_ runs: [PlannedRun]) throws -> [String]

    /// Those that have ended since the last call. Whether a run is finished its folder tells.
    func ended() throws -> [EndedTask]

    /// Asks all to save and stop, and waits for them.
    func stop() throws

    /// Between two looks.
    var interval: Duration { get }
}

/// A task that is over.
package struct EndedTask: Sendable, Equatable {
    package let id: String
    /// What it said or how it ended, where it did not end well.
    package let reason: String?
    /// Whether somebody ended it on purpose: such a task is not started again at once.
    package let isCancelled: Bool

    package init(id: String, reason: String?, isCancelled: Bool = false) {
        self.id = id
        self.reason = reason
        self.isCancelled = isCancelled
    }
}
