import Foundation
import Jersey
import JerseyOutput
import Synchronization

/// Messages go to standard error, results alone to standard output. All output goes through this
/// type, so that a stranger's file name cannot control the terminal or fake a line.
enum Console {
    /// Writes one line to standard error, and to the run's log if there is one.
    static func error(_ line: String = "") { say(Shown.whole(line)) }

    /// Writes lines of ours; text from outside in them must be escaped already.
    static func error(lines: String) { say(Shown.lines(lines)) }

    private static func say(_ text: String) {
        let output = output.withLock { $0 }
        output(text)
    }

    /// The sink for messages: standard error, and in training also the log.
    static let output = Mutex<@Sendable (String) -> Void>({ Console.write($0 + "\n") })

    /// Writes one line to standard output.
    static func print(_ line: String = "") {
        Swift.print(Shown.whole(line))
    }

    static func print(_ tables: Table...) {
        print(tables)
    }

    static func print(_ tables: [Table]) {
        // Tables escape their own cells.
        Swift.print(tables.map(\.text).joined(separator: "\n\n"))
    }

    /// Writes output for programs: JSON, CSV and our own files.
    static func printExactly(_ text: String) {
        Swift.print(text, terminator: "")
    }

    /// Writes to standard error unescaped, so that it can control the terminal. Errors are ignored:
    /// a closed terminal must not end the work.
    static func write(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    }

    /// Lists the first skipped frames, and counts the rest.
    static func report(_ problems: [FrameProblem], hint: String = "") {
        list(problems, rest: "frames\(hint)") { "skipped: \($0.path) \($0.reason)" }
    }

    /// Prints the first ten items, a line each, then "and 5 more" with `rest`.
    static func list<Item>(_ items: [Item], rest: String, _ line: (Item) -> String) {
        for item in items.prefix(10) { error(line(item)) }
        if items.count > 10 { error("and \(items.count - 10) more \(rest)") }
    }

    /// Whether standard error is a terminal that can redraw a line.
    static let isTerminal =
        isatty(STDERR_FILENO) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"

    static func redraw(_ line: String) {
        write("\r\u{1b}[2K" + Shown.whole(line))
    }

    static func bar(_ share: Double, width: Int = 24) -> String {
        let full = min(max(Int(clamping: share * Double(width)), 0), width)
        return "[" + String(repeating: "#", count: full) + String(repeating: ".", count: width - full) + "]"
    }
}

@available(*, unavailable, message: "use Console.print, which escapes text")
func print(_ items: Any..., separator: String = " ", terminator: String = "\n") {}
