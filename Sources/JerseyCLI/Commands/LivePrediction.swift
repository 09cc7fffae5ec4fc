import ArgumentParser
import Foundation
import Jersey
import Torch

/// Reads a live video, and writes a line of JSON whenever something is new.
struct LivePrediction {
    let options: LiveOptions
    let tracking: TrackingOptions
    let teams: TeamOptions
    let recognizer: Recognizer
    let roster: Roster?
    /// Whether looks take as many threads as the recognizer.
    let usesAllThreads: Bool

    /// How late a look may be before it is left out, in seconds; and before frames are not decoded.
    private static let (late, veryLate) = (1.0, 3.0)

    /// - Parameter source: an address, or a pipe.
    /// - Throws: `FileError` for what is no video, or stays lost; `ExitCode` when stopped.
    func run(_ source: LiveVideo.Source, stoppedBy signals: StopSignals) throws {
        // A look takes one processor, which is enough, and leaves the others to the decoder. Threads
        // that wait for each other would be slow where the machine is busy.
        if !usesAllThreads { Runtime.useCallingThreadOnly() }
        // Before anything comes, because it takes a while.
        let (tracker, names) = (try tracking.tracker(), try teams.names())
        let video = LiveVideo(source, patience: options.reconnect ?? 60) {
            signals.isStopped
        } remark: {
            Console.error("note: \($0)")
        }
        var players: LivePlayers?
        var (opened, left) = (0, 0)
        var edge = Edge()
        var damage = (count: 0, first: "")
        do {
            while let (frame, moment) = try video.next(), let reader = video.video {
                if let found = reader.damage { damage = (max(damage.count, found.count), found.first) }
                if players == nil {
                    players = LivePlayers(tracker, recognizer, roster: roster, names: names, like: reader)
                }
                if opened != video.reconnections {
                    // Nobody knows who moved where meanwhile.
                    opened = video.reconnections
                    try write(players?.restart(like: reader) ?? [])
                }
                guard players?.wants(moment) ?? false, !frame.isDamaged else { continue }
                let lag = edge.lag(at: moment, waited: reader.secondsWaited)
                if !options.allFrames { reader.hurry(lag > Self.veryLate) }
                guard options.allFrames || lag <= Self.late else {
                    left += 1
                    players?.pass(moment)
                    continue
                }
                try write(players?.look(at: try reader.image(), moment: moment) ?? [])
            }
        } catch {
            // What is sure is written, whatever happened.
            try write(players?.end() ?? [])
            throw error
        }
        try write(players?.end() ?? [])
        if damage.count > 0 {
            Console.error("\(video.name): skipped \(damage.count) damaged pieces (\(damage.first))")
        }
        if left > 0 {
            Console.error(
                "note: \(left) looks were left out, because reading is slower than the video; --detect-every looks less often, "
                    + "--all-frames at everything")
        }
        if signals.isStopped { throw ExitCode(130) }
    }

    private func write(_ events: [LiveEvent]) throws {
        for event in events { Console.printExactly(JSON.text(try JSON.line(event)) + "\n") }
        // Whoever reads them waits for each.
        if !events.isEmpty { fflush(nil) }
    }

    /// The newest moment that has come. Where the reader had to wait for data, it had read all there was.
    private struct Edge {
        private var waited = 0.0
        private var last: (moment: Double, clock: ContinuousClock.Instant)?

        /// How late a frame is, in seconds: how long ago it came.
        mutating func lag(at moment: Double, waited now: Double) -> Double {
            defer { waited = now }
            guard let last, 0..<0.005 ~= now - waited else {
                last = (moment, .now)
                return 0
            }
            return (ContinuousClock.now - last.clock).seconds - (moment - last.moment)
        }
    }
}
