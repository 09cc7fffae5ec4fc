import Foundation
import Jersey

/// The files of one training run. Programs read these files, never the log.
package struct RunFolder: Sendable {
    package let url: URL

    package init(_ url: URL) {
        self.url = url
    }

    /// The complete configuration of the run.
    package var config: URL { url.appendingPathComponent("config.json") }
    package var splits: URL { url.appendingPathComponent("splits.json") }
    /// One row per epoch.
    package var metrics: URL { url.appendingPathComponent("metrics.jsonl") }
    /// The weights with the best validation accuracy.
    package var best: URL { url.appendingPathComponent("best.safetensors") }
    /// Everything needed to resume.
    package var state: URL { url.appendingPathComponent("last/state.safetensors") }
    /// One row per test sequence.
    package var outcomes: URL { url.appendingPathComponent("outcomes.jsonl") }
    package var result: URL { url.appendingPathComponent("result.json") }
    /// Progress of an active run, updated about once a second.
    package var progress: URL { url.appendingPathComponent("progress.json") }
    /// The run's messages with timestamps, for people.
    package var log: URL { url.appendingPathComponent("log.txt") }
    /// Output folder of an analysis of this run.
    package func plots(of analysis: String) -> URL {
        url.appendingPathComponent("plots").appendingPathComponent(analysis)
    }
    package var tensorboard: URL { url.appendingPathComponent("tensorboard") }

    package func exists(_ file: URL) -> Bool { FileNames.exists(file.path) }

    /// Creates the folder and its subfolders.
    package func create() throws {
        try FileManager.default.makeFolder(
            state.deletingLastPathComponent(), called: "the run folder", of: url)
    }

    /// Removes temporary files left by a kill during a write. Only the holder of the lock may call
    /// it.
    func removeLeftovers() {
        for folder in [url, state.deletingLastPathComponent()] { AtomicFile.removeLeftovers(in: folder) }
    }

    /// Locks the folder for this process until the returned lock is released.
    ///
    /// - Parameters:
    ///   - patience: seconds to wait for another process to release the lock.
    ///   - shouldStop: return true to end the wait.
    /// - Throws: `FileError` if another process trains in the folder.
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

    /// Whether a process is training in the folder.
    var isAtWork: Bool { FolderLock.isHeld(lockFile) }

    private var lockFile: URL { url.appendingPathComponent("last/lock") }

    /// Writes one value as indented JSON.
    package static func write(_ value: some Encodable, to url: URL) throws {
        try AtomicFile.write(JSON.readable(value), to: url)
    }

    /// Writes one value per line.
    package static func write(lines values: [some Encodable], to url: URL) throws {
        var data = Data()
        for value in values {
            data += try JSON.line(value)
            data.append(UInt8(ascii: "\n"))
        }
        try AtomicFile.write(data, to: url)
    }
}
