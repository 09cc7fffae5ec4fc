import Dispatch
import Foundation
import Jersey
import JerseyOutput
import Synchronization

/// A data set of rendered players in the folders format: `<number>/<track>/<sequence>/<frame>.jpg`,
/// with one `<frame>_anchor.jpg` per sequence and a `truth.jsonl` beside the frames. Sequences that
/// never show a number lie in `unreadable/`.
///
/// The same values give the same bytes on any number of threads, if the same fonts are installed.
package struct SyntheticDataset: Sendable {
    package var numbers: [NumberShare]
    /// Tracks for a number of weight 1.
    package var tracksPerNumber: Int
    package var sequencesPerTrack: Int
    /// Each sequence draws its length from this range.
    package var framesPerSequence: ClosedRange<Int>
    /// Share of tracks that never show a number, 0 to below 1. They are added to the others.
    package var unreadableShare = 0.0
    package var renderer: SyntheticRenderer

    package init(
        numbers: [NumberShare], tracksPerNumber: Int, sequencesPerTrack: Int,
        framesPerSequence: ClosedRange<Int>,
        unreadableShare: Double = 0, renderer: SyntheticRenderer
    ) {
        self.numbers = numbers
        self.tracksPerNumber = tracksPerNumber
        self.sequencesPerTrack = sequencesPerTrack
        self.framesPerSequence = framesPerSequence
        self.unreadableShare = unreadableShare
        self.renderer = renderer
    }

    /// Whole players, one sequence each, for timing models.
    package static func clips(_ count: Int, frames: Int) -> SyntheticDataset {
        SyntheticDataset(
            numbers: [NumberShare(JerseyNumber.all[7])], tracksPerNumber: count, sequencesPerTrack: 1,
            framesPerSequence: frames...frames, renderer: SyntheticRenderer(seed: 1, height: 120...180))
    }

    /// The number of sequences that `write` renders.
    package var sequenceCount: Int {
        let readable = numbers.map(tracks).reduce(0, +)
        let (tracks, isTooMany) = readable.addingReportingOverflow(others(readable))
        let (sequences, areTooMany) = tracks.multipliedReportingOverflow(by: sequencesPerTrack)
        return isTooMany || areTooMany ? .max : sequences
    }

    /// The most sequences in a data set.
    static let mostSequences = 10_000_000

    /// Writes all sequences into `folder`, which is created if missing and must be empty unless
    /// `overwrite` is set. Overwriting removes the folders in it named like a number or
    /// `unreadable`, and nothing else.
    ///
    /// - Parameters:
    ///   - threads: rendering threads; nil for one per core.
    ///   - progress: called with the sequences written so far and the total, by one thread at a
    ///     time.
    package func write(
        to folder: URL, overwrite: Bool = false, threads: Int? = nil,
        progress: (@Sendable (Int, Int) -> Void)? = nil
    ) throws {
        try validate()
        let jobs = jobs(in: folder)
        try prepare(folder, overwrite: overwrite)
        for job in jobs {
            try attempt(job.folder) {
                try FileManager.default.createDirectory(at: job.folder, withIntermediateDirectories: true)
            }
        }
        let state = Mutex((next: 0, written: 0, failure: Error?.none))
        DispatchQueue.concurrentPerform(iterations: threads ?? ProcessInfo.processInfo.activeProcessorCount) {
            _ in
            while true {
                let index = state.withLock { state in
                    state.next += 1
                    return state.failure == nil ? state.next - 1 : jobs.count
                }
                guard index < jobs.count else { return }
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
        }
        if let failure = state.withLock({ $0.failure }) { throw failure }
    }
}

/// A number and its relative frequency.
package struct NumberShare: Sendable, Equatable {
    package var number: JerseyNumber
    package var weight: Double

    package init(_ number: JerseyNumber, weight: Double = 1) {
        self.number = number
        self.weight = weight
    }

    /// Parses "7,07,10-19,48:2.5", or "all" for every number. Each part is a number or a range,
    /// with an optional weight.
    package static func list(_ text: String) throws -> [NumberShare] {
        try text.split(separator: ",").flatMap { part -> [NumberShare] in
            let part = part.trimmingCharacters(in: .whitespaces)
            let halves = part.split(separator: ":", omittingEmptySubsequences: false)
            let weight = halves.count == 2 ? Double(halves[1]) : 1
            guard let weight, weight > 0, weight <= 1000, 1...2 ~= halves.count else {
                throw UsageError("\"\(part)\" has an invalid weight; for a number twice as often, write 10:2")
            }
            if halves[0] == "all" { return JerseyNumber.all.map { NumberShare($0, weight: weight) } }
            let ends = halves[0].split(separator: "-", omittingEmptySubsequences: false).map {
                JerseyNumber($0)
            }
            guard 1...2 ~= ends.count, let first = ends[0], let last = ends[ends.count - 1], first <= last
            else {
                throw UsageError(
                    "\"\(halves[0])\" is not a shirt number or a range; use \"0\" to \"9\", \"00\" to \"99\", \"10-19\", or \"all\""
                )
            }
            // 9-12 has no 00...09, which are different numbers.
            let leavesOutZeros =
                first.tens == JerseyNumber.blank && last.tens != JerseyNumber.blank && last.tens > 0
            return JerseyNumber.all.filter { first <= $0 && $0 <= last && !(leavesOutZeros && $0.tens == 0) }
                .map { NumberShare($0, weight: weight) }
        }
    }
}

// MARK: - One sequence

extension SyntheticDataset {
    private struct Job {
        let number: JerseyNumber?
        let track, sequence: Int
        let folder: URL
    }

    /// The number of each track. Neighbouring tracks have different numbers, so that splits by
    /// track or by blocks of tracks get all of them. Unreadable tracks come last, so that the
    /// others do not depend on how many there are.
    private var tracks: [JerseyNumber?] {
        let counts = numbers.map(tracks)
        let readable = (0..<(counts.max() ?? 0)).flatMap { round in
            zip(numbers, counts).compactMap { round < $0.1 ? $0.0.number : nil }
        }
        let others = others(readable.count)
        return readable.map(Optional.some) + [JerseyNumber?](repeating: nil, count: others)
    }

    private func tracks(of number: NumberShare) -> Int {
        max(1, Int(clamping: (Double(tracksPerNumber) * number.weight).rounded()))
    }

    private func others(_ readable: Int) -> Int {
        max(0, Int(clamping: (Double(readable) * unreadableShare / (1 - unreadableShare)).rounded()))
    }

    private func jobs(in folder: URL) -> [Job] {
        tracks.enumerated().flatMap { track, number in
            let trackFolder = folder.appending(path: number?.description ?? FolderLayout.unreadable)
                .appending(
                    path: Format.padded(track, digits: 4))
            return (0..<sequencesPerTrack).map { sequence in
                Job(
                    number: number, track: track, sequence: sequence,
                    folder: trackFolder.appending(path: Format.padded(sequence, digits: 2)))
            }
        }
    }

    private func render(_ job: Job) throws -> SyntheticSequence {
        var random = RandomStream(renderer.seed, UInt64(job.track), UInt64(job.sequence), .max)
        let count = Int.random(in: framesPerSequence, using: &random)
        return try renderer.sequence(
            number: job.number?.description, track: job.track, sequence: job.sequence, frames: count)
    }

    private func write(_ job: Job) throws {
        let sequence = try render(job)
        let anchor = sequence.anchor
        var truth = Data()
        for (index, frame) in sequence.frames.enumerated() {
            let name = Format.padded(index, digits: 4) + (index == anchor ? "_anchor.jpg" : ".jpg")
            let file = job.folder.appending(path: name)
            try attempt(file) { try frame.jpeg.write(to: file) }
            truth += try JSON.line(FrameTruth(frame, name: name, number: job.number)) + Data("\n".utf8)
        }
        let file = job.folder.appending(path: FrameTruth.fileName)
        try attempt(file) { try truth.write(to: file) }
    }
}

extension FrameTruth {
    fileprivate init(_ frame: SyntheticSequence.Frame, name: String, number: JerseyNumber?) {
        func rounded(_ box: SyntheticSequence.Box?) -> [Double]? {
            box.map { [$0.left, $0.top, $0.width, $0.height].map { ($0 * 10).rounded() / 10 } }
        }
        self.init(
            frame: name, number: number, visibility: (frame.visibility * 1000).rounded() / 1000,
            numberBox: rounded(frame.numberBox), playerBox: rounded(frame.playerBox))
    }
}

// MARK: - Preview

extension SyntheticDataset {
    /// The first sequence of some tracks, a row each. Does not need the files.
    package func preview(rows: Int = 24, framesPerRow: Int = 12) throws -> RGBImage {
        try validate()
        // Evenly over all tracks, including unreadable ones.
        let tracks = tracks
        let count = min(rows, tracks.count)
        let sheet = try (0..<count).map { row in
            let track = row * tracks.count / count
            let job = Job(number: tracks[track], track: track, sequence: 0, folder: URL(fileURLWithPath: "/"))
            let sequence = try render(job)
            let frames = try sequence.frames.prefix(framesPerRow).enumerated().map { index, frame in
                ContactSheet.Frame(
                    image: try RGBImage(decoding: frame.jpeg, named: "a frame"),
                    caption: Format.decimal(frame.visibility, places: 2)
                        + (index == sequence.anchor ? " *" : ""))
            }
            return ContactSheet.Row(title: tracks[track]?.description ?? "–", frames: frames)
        }
        return try ContactSheet(rows: sheet, frameHeight: renderer.framing == .number ? 64 : 128).image()
    }
}

// MARK: - Checks and errors

extension SyntheticDataset {
    private func validate() throws {
        var seen: Set<JerseyNumber> = []
        if let twice = numbers.first(where: { !seen.insert($0.number).inserted }) {
            let number = twice.number
            throw UsageError(
                "the number \(number) is listed twice; list it once, with a weight such as \(number):2")
        }
        for (name, value) in [
            ("numbers", numbers.count), ("tracks per number", tracksPerNumber),
            ("sequences per track", sequencesPerTrack),
            ("frames per sequence", framesPerSequence.lowerBound),
        ] where value < 1 {
            throw UsageError("the \(name) must be at least 1")
        }
        guard 0..<1 ~= unreadableShare else {
            throw UsageError("the unreadable share must be at least 0 and below 1, not \(unreadableShare)")
        }
        guard sequenceCount <= Self.mostSequences else {
            throw UsageError(
                "the data set would have more than \(Self.mostSequences) sequences; "
                    + "use fewer tracks or sequences per track, or a smaller unreadable share")
        }
    }

    private func prepare(_ folder: URL, overwrite: Bool) throws {
        guard FileNames.exists(folder.path) else { return }
        try attempt(folder) {
            guard let names = FileNames.list(folder.path) else { throw SystemError() }
            guard names.isEmpty || overwrite else {
                throw FileError(
                    folder.path, "is not empty", advice: "choose another folder or pass --overwrite")
            }
            for old in names where JerseyNumber(old) != nil || old == FolderLayout.unreadable {
                try FileManager.default.removeItem(at: folder.appendingPathComponent(old))
            }
        }
    }

    private func attempt(_ file: URL, _ body: () throws -> Void) throws {
        do {
            try body()
        } catch let error as FileError {
            throw error
        } catch {
            throw FileError(
                file.path, doing: "write there", error: error,
                advice: "check the path, its permissions and the free space")
        }
    }
}
