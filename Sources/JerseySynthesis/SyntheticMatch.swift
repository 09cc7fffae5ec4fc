import Dispatch
import Foundation
import Jersey
import JerseyOutput
import Synchronization

/// A rendered film of a match: two teams, their goalkeepers and three officials on one pitch, and a
/// camera that follows play.
///
/// The same values give the same pictures on any number of threads, if the same fonts are installed.
package struct SyntheticMatch: Sendable, Equatable {
    package var frames: Int
    package var seed: UInt64
    package var width = 1280
    package var height = 720
    /// Frames per second.
    package var rate = 25.0
    /// How often the film goes on from another place.
    package var cuts = 0
    /// Heights of players in the middle of the picture, in pixels, of which each shot draws its own;
    /// nil for a sixth to a ninth of the picture.
    package var playerHeights: ClosedRange<Double>?

    package init(frames: Int, seed: UInt64) {
        self.frames = frames
        self.seed = seed
    }

    /// Writes a video, the boxes of all people as MOT text, and a `MatchTruth`.
    ///
    /// - Parameters:
    ///   - threads: rendering threads; nil for one per core.
    ///   - progress: called after each frame.
    /// - Throws: `FileError` if a file cannot be written.
    package func write(
        _ film: String, boxes: String, truth: String, threads: Int? = nil, progress: () -> Void = {}
    ) throws {
        let writer = try VideoWriter(film, width: width, height: height, rate: rate)
        var rows = ""
        let known = try render(threads: threads) { frame, image, own in
            try writer.add(image, time: Double(frame) / rate)
            rows += own
            progress()
        }
        try writer.finish()
        try AtomicFile.write(Data(rows.utf8), to: URL(fileURLWithPath: boxes))
        try AtomicFile.write(JSON.readable(known), to: URL(fileURLWithPath: truth))
    }

    /// Writes the frames and the truth in the layout of MOTChallenge: `img1/000001.jpg`, `gt/gt.txt`
    /// and `seqinfo.ini`; and a `MatchTruth` as `match.json`.
    ///
    /// - Parameters:
    ///   - folder: is created if missing, and must be empty unless `overwrite` is set, which removes
    ///     an earlier `img1`.
    ///   - threads: rendering threads; nil for one per core.
    ///   - progress: called after each frame.
    /// - Throws: `FileError` if a file cannot be written.
    package func write(
        toFolder folder: URL, overwrite: Bool = false, threads: Int? = nil, progress: () -> Void = {}
    ) throws {
        let (images, boxes) = (folder.appendingPathComponent("img1"), folder.appendingPathComponent("gt"))
        if let names = FileNames.list(folder.path), !names.isEmpty, !overwrite {
            throw FileError(
                folder.path, "is not empty", advice: "choose another folder or pass --overwrite")
        }
        do {
            if FileNames.exists(images.path) { try FileManager.default.removeItem(at: images) }
            for new in [images, boxes] {
                try FileManager.default.createDirectory(at: new, withIntermediateDirectories: true)
            }
        } catch {
            throw FileError(
                folder.path, doing: "write there", error: error,
                advice: "check the path, its permissions and the free space")
        }
        var rows = ""
        let known = try render(threads: threads) { frame, image, own in
            let name = Format.padded(frame + 1, digits: 6) + ".jpg"
            try AtomicFile.write(
                image.jpegData(quality: 88), to: images.appendingPathComponent(name), synced: false)
            rows += own
            progress()
        }
        let info = """
            [Sequence]
            name=\(folder.lastPathComponent)
            imDir=img1
            frameRate=\(Format.decimal(rate, places: 0))
            seqLength=\(frames)
            imWidth=\(width)
            imHeight=\(height)
            imExt=.jpg

            """
        try AtomicFile.write(Data(rows.utf8), to: boxes.appendingPathComponent("gt.txt"))
        try AtomicFile.write(Data(info.utf8), to: folder.appendingPathComponent("seqinfo.ini"))
        try AtomicFile.write(JSON.readable(known), to: folder.appendingPathComponent("match.json"))
    }

    /// Renders all frames in order.
    ///
    /// - Parameter each: gets the index of a frame from 0, its picture, and its rows of MOT text.
    func render(threads: Int?, each: (Int, RGBImage, String) throws -> Void) throws -> MatchTruth {
        var random = RandomStream(seed, 0x3A7C)
        let heights = playerHeights ?? Double(height) / 9...Double(height) / 6
        var director = MatchDirector(
            frames: frames, cuts: cuts, heights: heights, width: width, height: height, rate: rate,
            using: &random)
        var play = MatchPlay(besides: Int.random(in: 4...9, using: &random), using: &random)
        let cast = MatchCast(people: play.people, using: &random)
        let density = (Double(height) / 30).clamped(to: 8...32)
        let painter = MatchPainter(
            stadium: Stadium(density: density, using: &random), cast: cast, using: &random)
        let truth = MatchTruth(self, cuts: director.cuts, people: play.people, cast: cast)

        let workers = threads ?? ProcessInfo.processInfo.activeProcessorCount
        var frame = 0
        while frame < frames {
            let moments = (frame..<min(frame + 4 * workers, frames)).map { frame in
                if frame > 0 { play.step(1 / rate) }
                return MatchPainter.Moment(
                    frame: frame, time: Double(frame) / rate, camera: director.next(ball: play.ball),
                    people: play.people)
            }
            for drawn in Self.concurrently(moments, threads: workers, painter.draw) {
                try each(frame, drawn.image, truth.rows(drawn.appearances, frame: frame))
                frame += 1
            }
        }
        return truth
    }

    private static func concurrently<Input: Sendable, Output: Sendable>(
        _ inputs: [Input], threads: Int, _ work: @Sendable (Input) -> Output
    ) -> [Output] {
        let state = Mutex((next: 0, outputs: [Output?](repeating: nil, count: inputs.count)))
        DispatchQueue.concurrentPerform(iterations: min(threads, inputs.count)) { _ in
            while true {
                let index = state.withLock { state in
                    state.next += 1
                    return state.next - 1
                }
                guard index < inputs.count else { return }
                let output = work(inputs[index])
                state.withLock { $0.outputs[index] = output }
            }
        }
        return state.withLock { $0.outputs.compactMap(\.self) }
    }
}
