import ArgumentParser
import Foundation
import Jersey
import Torch

/// jersey's side of `detection.py`.
struct DetectBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "detect",
        abstract: "Prints who is detected in pictures or a video: picture, left, top, width, height, score.")

    @Argument(help: "Pictures, or a video.") var files: [String]
    @Option(help: "Who counts.") var rule = PlayingArea.Rule.players
    @Option var threads = 1
    @Option(help: "Of a video, every how many-th frame is looked at.") var every = 1

    func run() throws {
        Runtime.keepMemory()
        Runtime.threads = threads
        let detector = try PlayerDetector.bundled()
        var (seconds, count) = (0.0, 0)
        func look(at picture: RGBImage, named name: String) {
            let start = ContinuousClock.now
            let found = rule.kept(detector.detections(in: picture), in: picture)
            // The first picture also pays for memory.
            if count > 0 { seconds += (ContinuousClock.now - start).seconds }
            count += 1
            for box in found {
                let values = [box.left, box.top, box.width, box.height].map { String(format: "%.1f", $0) }
                print(([name] + values + [String(format: "%.4f", box.score)]).joined(separator: ","))
            }
        }
        for file in files {
            let url = URL(fileURLWithPath: file)
            guard VideoReader.endings.contains(url.pathExtension.lowercased()) else {
                look(at: try RGBImage(contentsOf: url), named: url.lastPathComponent)
                continue
            }
            let reader = try VideoReader(file)
            while let frame = try reader.next() {
                if frame.index % every == 0 { look(at: try reader.image(), named: "\(frame.index + 1)") }
            }
        }
        let mean = seconds / Double(max(1, count - 1)) * 1000
        FileHandle.standardError.write(
            Data("\(count) pictures, \(String(format: "%.1f", mean)) ms each\n".utf8))
    }
}

extension PlayingArea.Rule: ExpressibleByArgument {}
