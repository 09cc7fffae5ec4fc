import Foundation
import Jersey
import JerseyLab
import Synchronization
import Torch

/// Words for the person at the terminal; results alone go to standard output. Nothing else writes there, so that no name of a stranger
/// comes to steer the terminal, or to fake a line.
enum Console {
    /// One line of standard error, and of the log that a run keeps.
    static func error(_ line: String = "") { say(Shown.whole(line)) }

    /// Lines of ours, of which each may hold words of others that were made fit to be shown.
    static func error(lines: String) { say(Shown.lines(lines)) }

    private static func say(_ text: String) {
        switch log.withLock({ $0 }) {
        case .none: write(text + "\n")
        case .standardError: write(RunLog.stamped(text))
        case .file(let file):
            write(text + "\n")
            file.add(text)
        }
    }

    /// Where a run's words are kept beside what a person sees of them.
    enum Log {
        case none
        /// Nobody but a log reads standard error, and lines have times there.
        case standardError
        case file(RunLog)
    }

    static let log = Mutex(Log.none)

    /// One line of standard output.
    static func print(_ line: String = "") {
        Swift.print(Shown.whole(line))
    }

    static func print(_ tables: Table...) {
        print(tables)
    }

    static func print(_ tables: [Table]) {
        // A table shows its cells as they should be.
        Swift.print(tables.map(\.text).joined(separator: "\n\n"))
    }

    /// What programs read: JSON, CSV and files of ours.
    static func printExactly(_ text: String) {
        Swift.print(text, terminator: "")
    }

    /// What steers the terminal, too. Nobody may be listening any more: that must not end the work.
    static func write(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    }

    /// Names the first frames that were left out, and counts the others.
    static func report(_ problems: [FrameProblem], hint: String = "") {
        list(problems, rest: "frames\(hint)") { "left out: \($0.path) \($0.reason)" }
    }

    /// A line for each of the first ten, and "and 5 more" with the words of `rest` for the others.
    static func list<Item>(_ items: [Item], rest: String, _ line: (Item) -> String) {
        for item in items.prefix(10) { error(line(item)) }
        if items.count > 10 { error("and \(items.count - 10) more \(rest)") }
    }

    /// Whether standard error is a terminal that can redraw a line.
    static let isTerminal = isatty(STDERR_FILENO) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"

    static func redraw(_ line: String) {
        write("\r\u{1b}[2K" + Shown.whole(line))
    }

    /// "1:02:03" or "2:03".
    static func duration(_ seconds: Double) -> String {
        guard seconds.isFinite else { return "?" }
        let total = Int(clamping: seconds.rounded())
        let (hours, minutes, rest) = (total / 3600, total / 60 % 60, total % 60)
        return hours > 0 ? String(format: "%d:%02d:%02d", hours, minutes, rest) : String(format: "%d:%02d", minutes, rest)
    }

    static func bar(_ share: Double, width: Int = 24) -> String {
        let full = min(max(Int(clamping: share * Double(width)), 0), width)
        return "[" + String(repeating: "#", count: full) + String(repeating: ".", count: width - full) + "]"
    }
}

@available(*, unavailable, message: "Console's own makes text fit to be shown")
func print(_ items: Any..., separator: String = " ", terminator: String = "\n") {}

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
                    + String(format: "%.1f/s, ", rate) + "\(Console.duration(Double(max(total - state.done, 0)) / rate)) left")
        }
    }

    func finish() {
        if Console.isTerminal { Console.redraw("") }
    }
}

/// What training tells: a bar on a terminal, plain lines elsewhere.
final class TrainingConsole: TrainingObserver {
    /// What was said before there was a folder for it; nil from then on.
    private var early: [(time: Date, text: String)]? = []
    private let keepsLog: Bool
    private var epochStart = ContinuousClock.now
    private var runStart = ContinuousClock.now
    private var lastLine = ContinuousClock.now
    private var epoch = 0
    private var firstBatch = 0
    private var stepsDone = 0

    /// - Parameter keepsLog: whether to write the run's log.
    init(keepsLog: Bool) {
        self.keepsLog = keepsLog
    }

    func say(_ text: String) {
        if Console.isTerminal { Console.redraw("") }
        Console.error(text)
        early?.append((.now, text))
    }

    func didTake(_ folder: RunFolder) {
        defer { early = nil }
        guard keepsLog else { return }
        let log = RunLog(folder.log)
        for line in early ?? [] { log.add(line.text, at: line.time) }
        Console.log.withLock { $0 = .file(log) }
    }

    func didStep(epoch: Int, epochs: Int, batch: Int, count: Int, tally: Tally) {
        let now = ContinuousClock.now
        if epoch != self.epoch {
            if self.epoch == 0 { runStart = now }
            (self.epoch, firstBatch, epochStart) = (epoch, batch - 1, now)
        }
        stepsDone += 1
        guard now - lastLine > (Console.isTerminal ? .milliseconds(200) : .seconds(30)), batch > firstBatch + 1 else { return }
        lastLine = now
        let perStep = (now - epochStart).seconds / Double(batch - firstBatch - 1)
        let left = Double((epochs - epoch) * count + count - batch) * perStep
        let rate = Double(tally.sequences) / Double(max(batch, 1)) / perStep
        let loss = tally.loss / Double(max(tally.sequences, 1))
        let line =
            "epoch \(epoch)/\(epochs) \(Console.bar(Double(batch) / Double(count))) \(batch)/\(count), "
            + String(format: "%.1f sequences/s, loss %.4f, ", rate, loss) + "\(Console.duration(left)) left"
        if Console.isTerminal { Console.redraw(line) } else { Console.error(line) }
    }

    func didFinish(_ epoch: FinishedEpoch) { say(Self.line(epoch)) }

    static func line(_ epoch: FinishedEpoch) -> String {
        let row = epoch.row
        let validation = row.validation.map {
            String(format: ", validation loss %.4f, number %.4f", $0.loss, $0.numberAccuracy)
        }
        let stale = epoch.epochsWithoutBetterLoss
        let patience = stale == 0 ? "" : ", no better loss for \(stale) of \(epoch.patience) epochs"
        let rates = epoch.rates.map { String(format: "%.3g", $0) }.joined(separator: " ")
        return String(
            format: "epoch %d/%d: train loss %.4f, number %.4f", row.epoch, epoch.epochs, row.train.loss, row.train.numberAccuracy
        )
            + (validation ?? "") + (row.best ? " (best)" : "") + patience
            + ", rate\(epoch.rates.count > 1 ? "s" : "") \(rates), \(Console.duration(row.seconds))"
    }
}

/// Ctrl-C, SIGTERM and SIGUSR1 as a wish to stop. A second Ctrl-C ends the process at once.
///
/// `@unchecked Sendable`: the sources are made once and only kept alive; the flag has its own lock.
final class StopSignals: @unchecked Sendable {
    private let stopped = Mutex(false)
    private let sources: [any DispatchSourceSignal]

    init() {
        let queue = DispatchQueue(label: "signals")
        sources = [SIGINT, SIGTERM, SIGUSR1].map { number in
            signal(number, SIG_IGN)
            return DispatchSource.makeSignalSource(signal: number, queue: queue)
        }
        for source in sources {
            source.setEventHandler { [weak self] in
                self?.stopped.withLock { $0 = true }
                signal(SIGINT, SIG_DFL)
                Console.error()
                Console.error("stopping as soon as this step is done")
            }
            source.resume()
        }
    }

    var isStopped: Bool { stopped.withLock { $0 } }

    /// Takes the end of standard input as a wish to stop, too: whoever started this process is gone.
    func stopWhenInputCloses() {
        let thread = Thread { [weak self] in
            while let data = try? FileHandle.standardInput.read(upToCount: 4096), !data.isEmpty {}
            self?.stopped.withLock { $0 = true }
        }
        thread.start()
    }
}
