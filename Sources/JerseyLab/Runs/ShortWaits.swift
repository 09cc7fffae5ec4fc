import Foundation

/// Limits how long OpenMP threads spin before they sleep, in training processes.
///
/// By default threads spin for milliseconds while they wait for a thread whose core another program
/// occupies, and training waits at thousands of places. With one busy program on two cores,
/// training took twice as long. Short waits reduce that time by a third, and cost nothing on an
/// idle machine (docs/measurements/training.md). They slow down small inference passes, so only
/// training sets them. libtorch reads the variable while loading, so it must be set before the
/// process starts.
package enum ShortWaits {
    static let variable = "GOMP_SPINCOUNT"
    static let turns = "1000"
    /// If the user set one of these variables, nothing is changed.
    static let choices = [variable, "OMP_WAIT_POLICY"]

    /// Variables to add to this environment of a training process; empty if the user chose.
    package static func variables(beside environment: [String: String]) -> [String: String] {
        choices.contains { environment[$0] != nil } ? [:] : [variable: turns]
    }
}
