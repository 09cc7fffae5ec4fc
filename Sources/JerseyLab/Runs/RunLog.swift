import Foundation
import JerseyOutput
import JerseySupport

/// What a run says, with times, for people: `log.txt` in its folder. A session that goes on adds to it.
package final class RunLog: Sendable {
    /// Negative where the file cannot be written: a run whose disk is full learns it elsewhere.
    private let file: Int32

    package init(_ url: URL) {
        file = url.path.withFileSystemPath { open($0, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644) }
    }

    deinit {
        if file >= 0 { close(file) }
    }

    /// Adds lines, each with the time.
    package func add(_ text: String, at time: Date = .now) {
        guard file >= 0 else { return }
        var lines = Self.stamped(text, at: time)
        lines.withUTF8 { _ = write(file, $0.baseAddress, $0.count) }
    }

    /// Each line of the text, empty ones left out, as "2026-11-30T06:01:24Z the line" and with its end.
    package static func stamped(_ text: String, at time: Date = .now) -> String {
        let stamp = Format.timestamp(time)
        return text.split(separator: "\n").map { "\(stamp) \($0)\n" }.joined()
    }

    /// The line without its time, if it has one.
    static func unstamped(_ line: Substring) -> Substring {
        line.trimmingPrefix(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\s/)
    }
}
