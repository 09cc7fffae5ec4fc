import Foundation

/// How long OpenMP's threads spin before they sleep, in processes that train.
///
/// By default they spin for milliseconds while they wait for a thread whose processor another program has, and
/// training waits at thousands of places. With one busy program on two cores it took twice as long; short waits
/// take a third off, and cost nothing on an idle machine (docs/measurements/training.md). They slow down small passes of
/// reading. libtorch reads the variable while it is loaded, so a process must have it from its start.
package enum ShortWaits {
    static let variable = "GOMP_SPINCOUNT"
    static let turns = "1000"
    /// Where the user has set one of these, the choice is the user's.
    static let choices = [variable, "OMP_WAIT_POLICY"]

    /// What a process that trains needs beside this environment; empty where the user has chosen.
    package static func variables(beside environment: [String: String]) -> [String: String] {
        choices.contains { environment[$0] != nil } ? [:] : [variable: turns]
    }
}
