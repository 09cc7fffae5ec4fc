import Foundation
import Jersey
import JerseyOutput
import Synchronization

/// Progress of a long command: a redrawn line on a terminal, nothing elsewhere.
final class ProgressLine: Sendable {
    private struct State {
        var done = 0
        var drawn = ContinuousClock.now
    }

    private let label: String
    private let total: Int
    private let start = ContinuousClock.now
    private let state = Mutex(State())

    /// - Parameter total: the approximate number of calls to `advance`.
    init(_ label: String, total: Int) {
        self.label = label
        self.total = total
    }

    func advance() {
        state.withLock { state in
            state.done += 1
            let now = ContinuousClock.now
            guard Console.isTerminal, now - state.drawn > .milliseconds(100) else { return }
            state.drawn = now
            let seconds = (now - start).seconds
            let rate = Double(state.done) / max(seconds, 1e-9)
            Console.redraw(
                "\(label) \(Console.bar(Double(state.done) / Double(max(total, 1)))) \(state.done)/\(total), "
                    + "\(Format.decimal(rate, places: 1))/s, \(Format.duration(Double(max(total - state.done, 0)) / rate)) left"
            )
        }
    }

    func finish() {
        if Console.isTerminal { Console.redraw("") }
    }
}
