import Foundation
import TestSupport
import Testing

/// Minimal data of every kind that the pages name.
enum SmallData {
    /// Rendered once.
    static let folder: TestFolder = {
        do {
            let folder = try TestFolder()
            let pictures =
                "--framing number --difficulty easy --height 24 --numbers 7,23 --sequences 1 --frames 2"
            let calls = try [
                "jersey synthesize --out crops \(pictures) --tracks 10 --unreadable 0.1",
                "jersey synthesize --out match.mp4 --numbers 7,23 --frames 6",
            ].map { try RunningProgram(shell: $0, in: folder.url) }
            for call in calls {
                let (status, output, _) = call.end()
                try #require(status == 0, "\(output)")
            }
            try fill(folder.url)
            return folder
        } catch {
            fatalError("the small data cannot be made: \(error)")
        }
    }()

    private static func fill(_ folder: URL) throws {
        let files = FileManager.default
        try files.copyItem(
            at: folder.appendingPathComponent("crops"), to: folder.appendingPathComponent("others"))
        try files.copyItem(
            at: Places.repository.appendingPathComponent("Tools"), to: folder.appendingPathComponent("Tools"))
        // SoccerNet's layout: a folder of frames for each player, and the numbers in a file.
        var players: [String: Int] = [:]
        var frames: [TestArchive.Item] = []
        for (player, path) in try files.subpathsOfDirectory(
            atPath: folder.appendingPathComponent("crops").path
        ).sorted()
            .filter({ $0.hasSuffix("/00") }).enumerated()
        {
            players["\(player)"] = Int(path.prefix { $0 != "/" }) ?? -1
            let images = folder.appendingPathComponent("crops/\(path)")
            for name in try files.contentsOfDirectory(atPath: images.path) where name.hasSuffix(".jpg") {
                let image = try Data(contentsOf: images.appendingPathComponent(name))
                for split in ["train", "test"] { try folder.add("\(split)/images/\(player)/\(name)", image) }
                frames.append(.file("\(path)/\(name)", image))
            }
        }
        for split in ["train", "test"] {
            try folder.add("\(split)/\(split)_gt.json", JSONEncoder().encode(players))
        }
        _ = try TestArchive.pack(frames, "crops.zip", in: folder)
    }
}
