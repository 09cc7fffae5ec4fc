import Foundation
import TestSupport

/// A command running in a shell.
final class ShellCall {
    let process = Process()
    private let file: TestFolder

    /// Settings that make training end within seconds. Commands of the pages leave these at their
    /// defaults.
    private static let settings = [
        "JERSEY_ENCODER": "compact", "JERSEY_DATA_HEIGHT": "32", "JERSEY_DATA_WIDTH": "32",
        "JERSEY_TRAINING_EPOCHS": "1", "JERSEY_OPTIMIZER_WARMUP_EPOCHS": "0", "JERSEY_TRAINING_THREADS": "1",
    ]

    init(_ command: String, in folder: URL) throws {
        file = try TestFolder()
        let output = file.url.appendingPathComponent("output")
        try Data().write(to: output)
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["bash", "-o", "pipefail", "-c", command]
        process.currentDirectoryURL = folder
        let own = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("JERSEY_") }
        // `jersey` is the program built beside the tests.
        let programs = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
            .deletingLastPathComponent().path
        process.environment = own.merging(Self.settings) { $1 }
            .merging(["PATH": "\(programs):\(own["PATH"] ?? "")"]) { $1 }
        process.standardInput = FileHandle.nullDevice
        let handle = try FileHandle(forWritingTo: output)
        (process.standardOutput, process.standardError) = (handle, handle)
        try process.run()
    }

    /// Its output so far, including standard error.
    var output: String { (try? String(contentsOfFile: file.path("output"), encoding: .utf8)) ?? "" }

    /// Waits until there is a value or the process has ended, at most two minutes.
    func wait<Value>(until value: () -> Value?) -> Value? {
        let start = ContinuousClock.now
        while process.isRunning, .now - start < .seconds(120) {
            if let value = value() { return value }
            Thread.sleep(forTimeInterval: 0.02)
        }
        return value()
    }

    func end() -> (status: Int32, output: String) {
        _ = wait { nil as Void? }
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
        return (process.terminationStatus, output)
    }
}
