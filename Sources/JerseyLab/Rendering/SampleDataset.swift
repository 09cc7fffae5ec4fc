import Dispatch
import Foundation
import Jersey
import Synchronization

/// A small data set of drawn players, in the folders format: `<number>/<track>/<sequence>/<frame>.jpg`, and `<frame>_anchor.jpg` once
/// per sequence.
///
/// The same values give the same pixels, however many threads draw them.
public struct SampleDataset: Sendable, Equatable {
    /// Each "0"..."9" or "00"..."99", and once only.
    public var numbers: [String]
    public var tracksPerNumber: Int
    public var sequencesPerTrack: Int
    /// Every sequence draws its own length.
    public var framesPerSequence: ClosedRange<Int>
    public var seed: UInt64

    public init(
        numbers: [String], tracksPerNumber: Int, sequencesPerTrack: Int, framesPerSequence: ClosedRange<Int>, seed: UInt64
    ) {
        self.numbers = numbers
        self.tracksPerNumber = tracksPerNumber
        self.sequencesPerTrack = sequencesPerTrack
        self.framesPerSequence = framesPerSequence
        self.seed = seed
    }

    /// Writes all sequences into `folder`, which is made when missing and must be empty unless `overwrite` is set. Overwriting removes the
    /// folders in it that are named like a number, and nothing else.
    ///
    /// - Parameter progress: called with the sequences written and their total, by one thread at a time.
    public func write(to folder: URL, overwrite: Bool = false, progress: (@Sendable (Int, Int) -> Void)? = nil) throws {
        try validate()
        let jobs = jobs(in: folder)
        try prepare(folder, overwrite: overwrite)
        for job in jobs {
            try attempt(job.folder) { try FileManager.default.createDirectory(at: job.folder, withIntermediateDirectories: true) }
        }
        let state = Mutex((written: 0, failure: Error?.none))
        DispatchQueue.concurrentPerform(iterations: jobs.count) { index in
            guard state.withLock({ $0.failure == nil }) else { return }
            let result = Result { try write(jobs[index]) }
            state.withLock { state in
                switch result {
                case .success:
                    state.written += 1
                    progress?(state.written, jobs.count)
                case .failure(let error):
                    state.failure = state.failure ?? error
                }
            }
        }
        if let failure = state.withLock({ $0.failure }) { throw failure }
    }
}

// MARK: - One sequence

extension SampleDataset {
    private struct Job {
        let number: String
        let track, sequence: Int
        let folder: URL
    }

    /// Track names are unique across numbers, and neighbouring ones bear different numbers, so that splits by track or by blocks of tracks
    /// see all of them.
    private func jobs(in folder: URL) -> [Job] {
        (0..<tracksPerNumber).flatMap { round in
            numbers.enumerated().flatMap { position, number in
                let track = round * numbers.count + position
                let trackFolder = folder.appending(path: number).appending(path: padded(track, 4))
                return (0..<sequencesPerTrack).map { sequence in
                    Job(
                        number: number, track: track, sequence: sequence, folder: trackFolder.appending(path: padded(sequence, 2))
                    )
                }
            }
        }
    }

    private func write(_ job: Job) throws {
        var random = RandomStream(seed, UInt64(job.track), UInt64(job.sequence), .max)
        let count = Int.random(in: framesPerSequence, using: &random)
        let sequence = SampleRenderer(seed: seed).sequence(
            number: job.number, track: job.track, sequence: job.sequence, frames: count)
        for (index, frame) in sequence.frames.enumerated() {
            let file = job.folder.appending(path: padded(index, 4) + (index == sequence.anchor ? "_anchor.jpg" : ".jpg"))
            try attempt(file) { try frame.jpegData(quality: 88).write(to: file) }
        }
    }

    private func padded(_ value: Int, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

// MARK: - What can go wrong

extension SampleDataset {
    private static func isNumber(_ text: String) -> Bool {
        (1...2).contains(text.count) && text.allSatisfy { ("0"..."9").contains($0) }
    }

    private func validate() throws {
        if let wrong = numbers.first(where: { !Self.isNumber($0) }) { throw SampleDatasetError.notANumber(wrong) }
        var seen: Set<String> = []
        if let twice = numbers.first(where: { !seen.insert($0).inserted }) { throw SampleDatasetError.repeatedNumber(twice) }
        for (name, value) in [
            ("numbers", numbers.count), ("tracks per number", tracksPerNumber), ("sequences per track", sequencesPerTrack),
            ("frames per sequence", framesPerSequence.lowerBound),
        ] where value < 1 {
            throw SampleDatasetError.nothingToDraw(name)
        }
        if SampleTrack.typefaces.contains(where: { Canvas.outline(of: "8", $0).isEmpty }) { throw SampleDatasetError.noFonts }
    }

    private func prepare(_ folder: URL, overwrite: Bool) throws {
        guard FileManager.default.fileExists(atPath: folder.path) else { return }
        try attempt(folder) {
            let contents = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            guard contents.isEmpty || overwrite else { throw SampleDatasetError.notEmpty(folder.path) }
            for old in contents where Self.isNumber(old.lastPathComponent) { try FileManager.default.removeItem(at: old) }
        }
    }

    private func attempt(_ file: URL, _ body: () throws -> Void) throws {
        do {
            try body()
        } catch let error as SampleDatasetError {
            throw error
        } catch {
            throw SampleDatasetError.cannotWrite(path: file.path, reason: error.localizedDescription)
        }
    }
}

/// Why no sample data set was written.
public enum SampleDatasetError: Error, Equatable, CustomStringConvertible {
    case notANumber(String)
    case repeatedNumber(String)
    case nothingToDraw(String)
    case noFonts
    case notEmpty(String)
    case cannotWrite(path: String, reason: String)

    public var description: String {
        switch self {
        case .notANumber(let text): "\"\(text)\" is not a shirt number; use \"0\" to \"9\" or \"00\" to \"99\""
        case .repeatedNumber(let text): "the number \(text) is listed twice; list it once and raise the tracks per number instead"
        case .nothingToDraw(let name): "\(name) must be at least 1"
        case .noFonts: "no fonts were found to draw numbers with; install some (Debian: fonts-dejavu-core, fonts-liberation)"
        case .notEmpty(let path): "\(path) is not empty; choose another folder, or overwrite it (--overwrite)"
        case .cannotWrite(let path, let reason):
            "cannot write \(path): \(reason); check the path, its permissions and the free space"
        }
    }
}
