import Foundation
import Jersey

/// The files of one training run. Programs read these, and never a log.
package struct RunFolder: Sendable {
    package let url: URL

    package init(_ url: URL) {
        self.url = url
    }

    /// The configuration, complete, as used.
    package var config: URL { url.appendingPathComponent("config.json") }
    package var splits: URL { url.appendingPathComponent("splits.json") }
    /// A row for every epoch.
    package var metrics: URL { url.appendingPathComponent("metrics.jsonl") }
    /// The weights with the best validation accuracy.
    package var best: URL { url.appendingPathComponent("best.safetensors") }
    /// What is needed to go on.
    package var state: URL { url.appendingPathComponent("last/state.safetensors") }
    /// A row for every test sequence.
    package var outcomes: URL { url.appendingPathComponent("outcomes.jsonl") }
    package var result: URL { url.appendingPathComponent("result.json") }
    /// Where a run at work is, about once a second.
    package var progress: URL { url.appendingPathComponent("progress.json") }
    /// What the run said, with times. For people; programs read the other files.
    package var log: URL { url.appendingPathComponent("log.txt") }
    /// Where an analysis of this run leaves its files.
    package func plots(of analysis: String) -> URL { url.appendingPathComponent("plots").appendingPathComponent(analysis) }
    package var tensorboard: URL { url.appendingPathComponent("tensorboard") }

    package func exists(_ file: URL) -> Bool { FileNames.exists(file.path) }

    /// Makes the folder and what it needs inside.
    package func create() throws {
        try FileManager.default.makeFolder(state.deletingLastPathComponent(), called: "the run folder", of: url)
    }

    /// Removes what a kill within a write has left behind. Only for the holder of the lock.
    func removeLeftovers() {
        for folder in [url, state.deletingLastPathComponent()] { AtomicFile.removeLeftovers(in: folder) }
    }

    /// Holds the folder for this process until the returned lock is released.
    ///
    /// - Parameters:
    ///   - patience: seconds to wait for another process to let go.
    ///   - shouldStop: ends the wait.
    /// - Throws: `FileError` when another process trains there.
    package func lock(patience: Double = 0, shouldStop: () -> Bool = { false }) throws -> FolderLock {
        let taken = FileError(
            url.path, "another process is training here", advice: "wait for it, or use another --run folder")
        let start = ContinuousClock.now
        while true {
            do {
                return try FolderLock(lockFile, orElse: taken)
            } catch let error as FileError
                where error == taken && (ContinuousClock.now - start).seconds < patience && !shouldStop()
            {
                Thread.sleep(forTimeInterval: 0.1)
            }
        }
    }

    /// Whether some process trains in the folder now.
    var isAtWork: Bool { FolderLock.isHeld(lockFile) }

    private var lockFile: URL { url.appendingPathComponent("last/lock") }

    /// One value, readable.
    package static func write(_ value: some Encodable, to url: URL) throws {
        try AtomicFile.write(JSON.readable(value), to: url)
    }

    /// One value a line.
    package static func write(lines values: [some Encodable], to url: URL) throws {
        var data = Data()
        for value in values {
            data += try JSON.line(value)
            data.append(UInt8(ascii: "\n"))
        }
        try AtomicFile.write(data, to: url)
    }
}
