import Foundation
import Synchronization

/// Writes lines on a thread of its own, so that nobody waits for whoever reads them. So many wait to be written and no more; what comes
/// beyond is counted and lost.
///
/// `@unchecked Sendable`: all mutable state is touched under the condition's lock only.
final class LogWriter: @unchecked Sendable {
    private static let mostBytes = 1 << 20

    private let file: Int32
    private let condition = NSCondition()
    private var lines: [Data] = []
    private var bytes = 0
    private var lost = 0
    private var isWriting = false

    /// Starts the thread, which stays for the rest of the process.
    ///
    /// - Parameter file: an open descriptor.
    init(_ file: Int32) {
        surviveBrokenPipes()
        self.file = file
        let thread = Thread { [self] in run() }
        thread.name = "log"
        thread.start()
    }

    /// Lines that were not written.
    var dropped: Int { condition.withLock { lost } }

    func add(_ line: Data) {
        condition.withLock {
            guard bytes + line.count <= Self.mostBytes else {
                lost += 1
                return
            }
            lines.append(line)
            bytes += line.count
            condition.broadcast()
        }
    }

    /// Waits until all is written, or until nobody seems to read it.
    func flush(seconds: Double = 1) {
        condition.withLock {
            let end = Date(timeIntervalSinceNow: seconds)
            while !lines.isEmpty || isWriting, condition.wait(until: end) {}
        }
    }

    private func run() {
        while true {
            let batch = condition.withLock {
                isWriting = false
                condition.broadcast()
                while lines.isEmpty { condition.wait() }
                isWriting = true
                defer { (lines, bytes) = ([], 0) }
                return lines
            }
            for line in batch { write(line) }
        }
    }

    /// Nobody may be reading any more: that is no reason to end.
    private func write(_ line: Data) {
        line.withUnsafeBytes { line in
            var rest = line[...]
            while !rest.isEmpty {
                let count = Foundation.write(file, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count < 0 && errno == EINTR { continue }
                if count < 0 && errno == EAGAIN {
                    var wanted = pollfd(fd: file, events: Int16(POLLOUT), revents: 0)
                    guard poll(&wanted, 1, -1) > 0, wanted.revents & Int16(POLLERR) == 0 else { return }
                    continue
                }
                guard count > 0 else { return }
                rest = rest.dropFirst(count)
            }
        }
    }
}

/// Writing to whoever has gone is an error from now on, and not the end of the program.
func surviveBrokenPipes() { signal(SIGPIPE, SIG_IGN) }
