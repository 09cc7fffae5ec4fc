import Foundation
import Synchronization

/// Writes lines on its own thread, so that a slow reader holds up no request. The buffer is
/// bounded; lines beyond it are counted and dropped.
///
/// `@unchecked Sendable`: all mutable state is accessed only under the condition's lock.
final class LogWriter: @unchecked Sendable {
    private static let mostBytes = 1 << 20

    private let file: Int32
    private let condition = NSCondition()
    private var lines: [Data] = []
    private var bytes = 0
    private var lost = 0
    private var isWriting = false

    /// Starts the thread, which runs until the process ends.
    ///
    /// - Parameter file: an open descriptor.
    init(_ file: Int32) {
        surviveBrokenPipes()
        self.file = file
        let thread = Thread { [self] in run() }
        thread.name = "log"
        thread.start()
    }

    /// Lines dropped.
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

    /// Waits until everything is written, or the reader seems to be gone.
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

    /// A reader that has gone must not end the service.
    private func write(_ line: Data) {
        line.withUnsafeBytes { line in
            var rest = line[...]
            while !rest.isEmpty {
                let count = Foundation.write(
                    file, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
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

/// Makes writing to a closed pipe an error instead of the end of the process.
func surviveBrokenPipes() { signal(SIGPIPE, SIG_IGN) }
