import Foundation
import JerseySupport
import Synchronization

/// Runs each task as a local process, so that a crash or lack of memory in one does not affect the
/// others.
package final class LocalLauncher: Launcher {
    /// An active task.
    private struct Task {
        let process: Process
        /// The task stops when this pipe closes, and therefore also when the launcher is killed.
        let input: Pipe
        let errors: LastErrorLine
    }

    package let interval = Duration.milliseconds(200)

    private let executable: URL
    private let folder: ExperimentFolder
    private let jobs: Int
    private var tasks: [String: Task] = [:]

    /// - Parameters:
    ///   - executable: the `jersey` program. It is called with `experiment task`.
    ///   - jobs: number of concurrent runs.
    package init(executable: URL, folder: ExperimentFolder, jobs: Int) {
        self.executable = executable
        self.folder = folder
        self.jobs = jobs
    }

    package func adopt(_ runs: [PlannedRun]) -> [String] { [] }

    package func start(_ runs: [PlannedRun]) throws -> [String] {
        var started: [String] = []
        for run in runs.prefix(jobs - tasks.count) {
            let (process, input, errors) = (Process(), Pipe(), LastErrorLine(folder.run(run.id).log))
            process.executableURL = executable
            process.arguments = ["experiment", "task", folder.url.path, run.id, "--leashed"]
            let environment = ProcessInfo.processInfo.environment
            process.environment = environment.merging(ShortWaits.variables(beside: environment)) { own, _ in
                own
            }
            process.standardInput = input
            process.standardOutput = FileHandle.nullDevice
            process.standardError = errors.pipe
            do {
                try process.run()
            } catch {
                throw FileError(executable.path, doing: "start", error: error)
            }
            tasks[run.id] = Task(process: process, input: input, errors: errors)
            started.append(run.id)
        }
        return started
    }

    package func ended() -> [EndedTask] {
        let over = tasks.filter { !$0.value.process.isRunning }
        return over.map { id, task in
            tasks[id] = nil
            let (process, error) = (task.process, task.errors.text)
            if process.terminationReason == .uncaughtSignal {
                let signal = process.terminationStatus
                let why = signal == SIGKILL ? "; it may have run out of memory" : ""
                return EndedTask(id: id, reason: "it was killed by signal \(signal)\(why)")
            }
            if process.terminationStatus == 0 { return EndedTask(id: id, reason: nil) }
            return EndedTask(
                id: id, reason: error.isEmpty ? "exit status \(process.terminationStatus)" : error)
        }.sorted { $0.id < $1.id }
    }

    package func stop() {
        for task in tasks.values { try? task.input.fileHandleForWriting.close() }
        for task in tasks.values { task.process.waitUntilExit() }
    }
}

/// Captures a process's standard error. It appends to a log file if possible, and keeps the end in
/// memory in case the disk is full.
final class LastErrorLine: Sendable {
    let pipe = Pipe()
    private let tail = Mutex(Data())
    private let isOver = DispatchSemaphore(value: 0)

    init(_ log: URL) {
        try? FileManager.default.createDirectory(
            at: log.deletingLastPathComponent(), withIntermediateDirectories: true)
        if !FileManager.default.fileExists(atPath: log.path) { try? Data().write(to: log) }
        let file = try? FileHandle(forWritingTo: log)
        _ = try? file?.seekToEnd()
        // A thread instead of `readabilityHandler`: the handler's dispatch source can outlive the
        // descriptor. When the next task gets that descriptor, libdispatch traps.
        Thread.detachNewThread { [weak self, reading = pipe.fileHandleForReading, isOver] in
            var buffer = [UInt8](repeating: 0, count: 4096)
            while true {
                let count = read(reading.fileDescriptor, &buffer, buffer.count)
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { break }
                try? file?.write(contentsOf: buffer[..<count])
                self?.tail.withLock { $0 = ($0 + buffer[..<count]).suffix(4096) }
            }
            isOver.signal()
        }
    }

    /// The last error line of an ended process, or else its last line.
    var text: String {
        _ = isOver.wait(timeout: .now() + 1)
        return Self.last(of: tail.withLock { $0 })
    }

    static func last(of data: Data) -> String {
        let lines = String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline).map(
            RunLog.unstamped)
        let line =
            lines.last { $0.hasPrefix("Error: ") } ?? lines.last { !$0.allSatisfy(\.isWhitespace) } ?? ""
        return String(line.trimmingPrefix("Error: "))
    }
}
