import Foundation
import Jersey
import JerseyOutput
import Synchronization

/// Words for the person at the terminal; results alone go to standard output. Nothing else writes there, so that no name of a stranger
/// comes to steer the terminal, or to fake a line.
enum Console {
    /// One line of standard error, and of the log that a run keeps.
    static func error(_ line: String = "") { say(Shown.whole(line)) }

    /// Lines of ours, of which each may hold words of others that were made fit to be shown.
    static func error(lines: String) { say(Shown.lines(lines)) }

    private static func say(_ text: String) {
        let output = output.withLock { $0 }
        output(text)
    }

    /// Where words go: to standard error, and in training to a log as well.
    static let output = Mutex<@Sendable (String) -> Void>({ Console.write($0 + "\n") })

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

    static func bar(_ share: Double, width: Int = 24) -> String {
        let full = min(max(Int(clamping: share * Double(width)), 0), width)
        return "[" + String(repeating: "#", count: full) + String(repeating: ".", count: width - full) + "]"
    }
}

@available(*, unavailable, message: "Console's own makes text fit to be shown")
func print(_ items: Any..., separator: String = " ", terminator: String = "\n") {}
