import ArgumentParser
import Foundation
import Jersey

/// How people in a video are found and followed.
struct TrackingOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Look for people in every n-th frame (default: about six times a second).", valueName: "n"))
    var detectEvery: Int?

    @Flag(
        help:
            "Also follow people beside the playing area, such as the crowd. By default only those count who stand on it."
    )
    var everyone = false

    func validate() throws { try detectEvery.map { try (1...1000).check($0, "--detect-every") } }

    var isGiven: Bool { detectEvery != nil || everyone }

    /// Follows the people in a video.
    func follow(_ path: String) throws -> TrackedVideo {
        let video = try VideoReader(path)
        let tracker = try tracker()
        let progress = ProgressLine("following", total: video.expectedFrames ?? 0)
        let tracked = try tracker.track(video) { progress.advance() }
        progress.finish()
        Console.reportDamage(of: video)
        return tracked
    }

    func tracker() throws -> PlayerTracker {
        var options = PlayerTracker.Options()
        options.detectEvery = detectEvery
        if everyone { options.who = .everybody }
        return PlayerTracker(try PlayerDetector.bundled(), options)
    }
}
