import ArgumentParser
import Foundation
import Jersey
import JerseySynthesis

/// Renders the athletes from which `Tools/train_detector.py` composes its scenes.
struct Cutouts: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cutouts",
        abstract: "Renders athletes without a background: a picture, its opacity, and a list of boxes.")

    @Option(help: "An existing folder.") var out: String
    @Option var matches = 100
    @Option var height = 260
    @Option var seed: UInt64 = 1

    func run() throws {
        let folder = URL(fileURLWithPath: out, isDirectory: true)
        var lines: [String] = []
        for match in 0..<matches {
            for (index, athlete) in Cutout.match(seed: seed, index: match, height: height).enumerated() {
                let name = "\(match)-\(index)"
                let (cutout, box) = (athlete.cutout, athlete.cutout.box)
                try cutout.picture.pngData().write(to: folder.appending(path: "\(name).png"))
                try cutout.opacity.jpegData(quality: 95).write(
                    to: folder.appending(path: "\(name)-opacity.jpg"))
                lines.append(
                    "\(name),\(match),\(athlete.role.rawValue),\(box.left),\(box.top),\(box.width),\(box.height)"
                )
            }
        }
        try Data(lines.joined(separator: "\n").utf8).write(to: folder.appending(path: "cutouts.csv"))
    }
}
