import Foundation

/// A program that runs beside the tests, without input.
package final class RunningProgram {
    package let process = Process()
    private let folder: TestFolder
    private let limit: Duration

    /// - Parameters:
    ///   - program: its path.
    ///   - environment: all of its variables.
    ///   - limit: how long `wait` and `end` wait.
    package init(
        _ program: String, _ arguments: [String], in directory: URL? = nil, environment: [String: String],
        limit: Duration
    ) throws {
        folder = try TestFolder()
        self.limit = limit
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.environment = environment
        if let directory { process.currentDirectoryURL = directory }
        process.standardInput = FileHandle.nullDevice
        // Files, because daemons that the program leaves behind would keep pipes open.
        for name in ["output", "errors"] { try Data().write(to: folder.url.appendingPathComponent(name)) }
        process.standardOutput = try FileHandle(forWritingTo: folder.url.appendingPathComponent("output"))
        process.standardError = try FileHandle(forWritingTo: folder.url.appendingPathComponent("errors"))
        try process.run()
    }

    /// Its standard output so far.
    package var output: String { text("output") }
    /// Its standard error so far.
    package var errors: String { text("errors") }

    private func text(_ name: String) -> String {
        (try? String(contentsOfFile: folder.path(name), encoding: .utf8)) ?? ""
    }

    /// Waits until there is a value, the program has ended, or the limit has passed.
    package func wait<Value>(until value: () -> Value?) -> Value? {
        let start = ContinuousClock.now
        while process.isRunning, .now - start < limit {
            if let value = value() { return value }
            Thread.sleep(forTimeInterval: 0.02)
        }
        return value()
    }

    /// Waits for the end, and kills the program after the limit. If a signal ended it, the status is
    /// the signal's number.
    @discardableResult package func end() -> (status: Int32, output: String, errors: String) {
        _ = wait { nil as Void? }
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
        return (process.terminationStatus, output, errors)
    }
}
