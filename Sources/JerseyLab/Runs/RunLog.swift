import Foundation
import JerseyOutput
import JerseySupport

/// `log.txt` in the run folder: the run's messages with timestamps, for people. A resumed session
/// appends to it.
package final class RunLog: Sendable {
    /// Negative if the file cannot be opened. Writing the other files reports a full disk.
    private let file: Int32

    package init(_ url: URL) {
        file = url.path.withFileSystemPath { open($0, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644) }
    }

    deinit {
        if file >= 0 { close(file) }
    }

    /// Appends lines, each with a timestamp.
    package func add(_ text: String, at time: Date = .now) {
        guard file >= 0 else { return }
        var lines = Self.stamped(text, at: time)
        lines.withUTF8 { _ = write(file, $0.baseAddress, $0.count) }
    }

    /// Each non-empty line of the text as "2026-11-30T06:01:24Z the line", with a newline.
    package static func stamped(_ text: String, at time: Date = .now) -> String {
        let stamp = Format.timestamp(time)
        return text.split(separator: "\n").map { "\(stamp) \($0)\n" }.joined()
    }

    /// The line without its timestamp, if it has one.
    static func unstamped(_ line: Substring) -> Substring {
        line.trimmingPrefix(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\s/)
    }
}
