import Foundation
import Jersey
import JerseyOutput
import Synchronization

/// How far a long command has come: one line that is redrawn on a terminal, nothing elsewhere.
final class ProgressLine: Sendable {
    private struct State {
        var done = 0
        var drawn = ContinuousClock.now
    }

    private let label: String
    private let total: Int
    private let start = ContinuousClock.now
    private let state = Mutex(State())

    /// - Parameter total: what `advance` will be called for, about.
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
                    + "\(Format.decimal(rate, places: 1))/s, \(Format.duration(Double(max(total - state.done, 0)) / rate)) left")
        }
    }

    func finish() {
        if Console.isTerminal { Console.redraw("") }
    }
}
