import Foundation
import Jersey
import Torch

/// The files of one training run. Programs read these, and never a log.
public struct RunFolder: Sendable {
    public let url: URL

    public init(_ url: URL) {
        self.url = url
    }

    /// The configuration, complete, as used.
    public var config: URL { url.appendingPathComponent("config.json") }
    public var splits: URL { url.appendingPathComponent("splits.json") }
    /// A row for every epoch.
    public var metrics: URL { url.appendingPathComponent("metrics.jsonl") }
    /// The weights with the best validation accuracy.
    public var best: URL { url.appendingPathComponent("best.safetensors") }
    /// What is needed to go on.
    public var state: URL { url.appendingPathComponent("last/state.safetensors") }
    /// A row for every test sequence.
    public var outcomes: URL { url.appendingPathComponent("outcomes.jsonl") }
    public var result: URL { url.appendingPathComponent("result.json") }
    /// Where a run at work is, about once a second.
    public var progress: URL { url.appendingPathComponent("progress.json") }
    /// What the run said, with times. For people; programs read the other files.
    public var log: URL { url.appendingPathComponent("log.txt") }
    /// Where an analysis of this run leaves its files.
    public func plots(of analysis: String) -> URL { url.appendingPathComponent("plots").appendingPathComponent(analysis) }
    public var tensorboard: URL { url.appendingPathComponent("tensorboard") }

    public func exists(_ file: URL) -> Bool { FileNames.exists(file.path) }

    /// Makes the folder and what it needs inside.
    public func create() throws {
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
    public func lock(patience: Double = 0, shouldStop: () -> Bool = { false }) throws -> FolderLock {
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
    public static func write(_ value: some Encodable, to url: URL) throws {
        try AtomicFile.write(JSON.readable(value), to: url)
    }

    /// One value a line.
    public static func write(lines values: [some Encodable], to url: URL) throws {
        var data = Data()
        for value in values {
            data += try JSON.line(value)
            data.append(UInt8(ascii: "\n"))
        }
        try AtomicFile.write(data, to: url)
    }
}

/// An advisory lock on a file; gone with the process, however it ends.
public final class FolderLock: Sendable {
    private let file: Int32

    /// - Throws: `taken` when another process holds the lock; `FileError` when the file cannot be created.
    init(_ url: URL, orElse taken: FileError) throws {
        file = url.path.withFileSystemPath { open($0, O_RDWR | O_CREAT | O_CLOEXEC, 0o644) }
        guard file >= 0 else { throw FileError(url.path, "cannot create the file: \(SystemError().reason)") }
        var whole = Self.whole
        guard fcntl(file, Self.setLock, &whole) == 0 else {
            close(file)
            throw taken
        }
    }

    /// Whether some process holds the lock now. A look takes no lock, so that it is in nobody's way.
    static func isHeld(_ url: URL) -> Bool {
        let file = url.path.withFileSystemPath { open($0, O_RDONLY | O_CLOEXEC) }
        guard file >= 0 else { return false }
        defer { close(file) }
        var whole = Self.whole
        return fcntl(file, Self.getLock, &whole) == 0 && whole.l_type != Int16(F_UNLCK)
    }

    // F_OFD_SETLK and F_OFD_GETLK of Linux, which Swift's Glibc does not name: locks of the open file and not of the process, so that
    // two holders within one process exclude each other, too.
    private static let setLock: Int32 = 37
    private static let getLock: Int32 = 36
    private static var whole: flock {
        flock(l_type: Int16(F_WRLCK), l_whence: Int16(SEEK_SET), l_start: 0, l_len: 0, l_pid: 0)
    }

    deinit {
        close(file)
    }
}

/// One epoch, as a line of `metrics.jsonl`.
public struct EpochMetrics: Codable, Sendable, Equatable, Checked {
    public struct Part: Codable, Sendable, Equatable, Checked {
        public var loss: Double
        public var numberAccuracy: Double
        public var tensAccuracy: Double
        public var onesAccuracy: Double
        /// Nil without a head for the full number.
        public var fullAccuracy: Double?
        public var sequences: Int

        private enum CodingKeys: String, CodingKey {
            case loss, sequences
            case numberAccuracy = "number_accuracy"
            case tensAccuracy = "tens_accuracy"
            case onesAccuracy = "ones_accuracy"
            case fullAccuracy = "full_accuracy"
        }

        package var flaw: String? {
            flaw(of: sequences, "sequences", in: 0...Limits.count) ?? flaw(of: [loss], "loss", in: Limits.finite)
                ?? flaw(
                    of: [numberAccuracy, tensAccuracy, onesAccuracy] + [fullAccuracy].compactMap { $0 }, "an accuracy", in: 0...1)
        }
    }

    /// From 1.
    public var epoch: Int
    /// What the schedule multiplied the rates with at the last step.
    public var rateFactor: Double
    public var train: Part
    public var validation: Part?
    public var unreadableFiles: Int
    /// Whether the validation accuracy was the best so far.
    public var best: Bool
    public var seconds: Double

    private enum CodingKeys: String, CodingKey {
        case epoch, train, validation, best, seconds
        case rateFactor = "rate_factor"
        case unreadableFiles = "unreadable_files"
    }

    package var flaw: String? {
        flaw(of: epoch, "epoch", in: 1...Limits.count) ?? flaw(of: [rateFactor], "rate_factor", in: Limits.finite)
            ?? flaw(of: unreadableFiles, "unreadable_files", in: 0...Limits.count)
            ?? flaw(of: [seconds], "seconds", in: Limits.seconds) ?? train.flaw ?? validation?.flaw
    }
}

extension EpochMetrics.Part {
    init(_ tally: Tally) {
        let count = Double(max(tally.sequences, 1))
        self.init(
            loss: tally.loss / count, numberAccuracy: Double(tally.numbers) / count, tensAccuracy: Double(tally.tens) / count,
            onesAccuracy: Double(tally.ones) / count, fullAccuracy: tally.full.map { Double($0) / count },
            sequences: tally.sequences)
    }

    init(_ evaluation: Evaluation) {
        let sequences = evaluation.all.sequences
        self.init(
            loss: evaluation.loss, numberAccuracy: sequences.number.value ?? 0, tensAccuracy: sequences.tens.value ?? 0,
            onesAccuracy: sequences.ones.value ?? 0, fullAccuracy: sequences.full?.value, sequences: sequences.number.count)
    }

    /// What the best weights are chosen by: the accuracy of numbers, or where a digit's loss has no weight that of what is taught.
    func accuracy(taughtBy training: TrainingConfig) -> Double {
        switch (training.tensWeight > 0, training.onesWeight > 0) {
        case (true, true): numberAccuracy
        case (true, false): tensAccuracy
        case (false, true): onesAccuracy
        case (false, false): fullAccuracy ?? numberAccuracy
        }
    }
}

/// One test sequence, as a line of `outcomes.jsonl`.
public struct Outcome: Codable, Sendable, Checked {
    public var sequence: String
    public var track: String
    public var truth: String?
    public var prediction: String
    public var confidence: Double
    /// 0...9 and blank.
    public var tens: [Double]
    public var ones: [Double]
    /// Of the numbers in order, one-digit ones first; nil without a head for the full number.
    public var full: [Double]?
    /// Of the frames read.
    public var attention: [Double]?
    public var frames: [String]
    /// Of the frames read, pixels, before they were fitted; nil in files from before this was kept.
    public var heights: [Int]?
    /// Frames that the sequence has, read or not; nil in files from before this was kept.
    public var length: Int?

    package var flaw: String? {
        for word in [truth, prediction].compactMap({ $0 }) where JerseyNumber(word) == nil {
            return "'\(word.prefix(20))', which is no number"
        }
        let parts: [(values: [Double]?, name: String, count: Int)] = [
            ([confidence], "confidence", 1), (tens, "tens", 11), (ones, "ones", 10), (full, "full", JerseyNumber.all.count),
            (attention, "attention", frames.count),
        ]
        for part in parts {
            guard let values = part.values else { continue }
            if values.count != part.count { return "\(values.count) values in \(part.name) where \(part.count) belong" }
            // They are rounded.
            if let flaw = flaw(of: values, "in \(part.name) the value", in: 0...1.001) { return flaw }
        }
        return (heights ?? []).lazy.compactMap { flaw(of: $0, "the height", in: 0...Limits.count) }.first
            ?? flaw(of: length ?? 0, "length", in: 0...Limits.count)
    }

    public init(_ reading: Reading) {
        sequence = reading.sequence.id
        track = reading.sequence.track
        truth = reading.sequence.number?.description
        prediction = reading.number.description
        confidence = reading.digits.confidence
        tens = reading.digits.tens.map(exp)
        ones = reading.digits.ones.map(exp)
        full = reading.full?.map(exp)
        attention = reading.attention
        heights = reading.heights
        length = reading.sequence.frames.count
        frames = reading.used.map { URL(fileURLWithPath: reading.sequence.frames[$0]).lastPathComponent }
    }
}
