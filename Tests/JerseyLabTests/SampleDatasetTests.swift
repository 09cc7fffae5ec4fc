import Foundation
import Jersey
import Synchronization
import Testing

@testable import JerseyLab

@Suite("Sample data set")
struct SampleDatasetTests {
    private let small = SampleDataset(
        numbers: ["7", "07", "42"], tracksPerNumber: 2, sequencesPerTrack: 2, framesPerSequence: 2...4, seed: 3)

    @Test("The same seed gives the same bytes, and another seed gives others")
    func sameSeedSameBytes() throws {
        let first = try written(small)
        let second = try written(small)
        #expect(first == second)
        var other = small
        other.seed = 4
        let third = try written(other)
        #expect(Set(first.values).isDisjoint(with: third.values))
    }

    @Test("A sequence does not depend on what was drawn before it")
    func sequencesAreIndependent() {
        let renderer = SampleRenderer(seed: 1)
        let alone = renderer.sequence(number: "23", track: 5, sequence: 1, frames: 3)
        _ = renderer.sequence(number: "8", track: 4, sequence: 0, frames: 2)
        #expect(renderer.sequence(number: "23", track: 5, sequence: 1, frames: 3).frames == alone.frames)
        #expect(renderer.sequence(number: "23", track: 5, sequence: 2, frames: 3).frames != alone.frames)
    }

    @Test("Files lie at number/track/sequence/frame, and a track belongs to one number")
    func layout() throws {
        let files = try written(small)
        let pattern = /(7|07|42)\/\d{4}\/0[01]\/\d{4}(_anchor)?\.jpg/
        #expect(files.keys.allSatisfy { $0.wholeMatch(of: pattern) != nil })
        #expect(files.values.allSatisfy { $0.starts(with: [0xFF, 0xD8]) })
        let sequences = Dictionary(grouping: files.keys) { $0.split(separator: "/").dropLast() }
        #expect(sequences.count == 3 * 2 * 2)
        #expect(sequences.values.allSatisfy { (2...4).contains($0.count) })
        #expect(Set(sequences.keys.map { $0[1] }).count == 3 * 2)
    }

    @Test("Every sequence has exactly one anchor")
    func oneAnchor() throws {
        let anchors = try written(small).keys.filter { $0.contains("_anchor") }
        #expect(anchors.count == 3 * 2 * 2)
        #expect(Set(anchors.map { $0.split(separator: "/").dropLast() }).count == anchors.count)
    }

    @Test("Progress counts every sequence once")
    func progress() throws {
        try withFolder { folder in
            let calls = Mutex<[[Int]]>([])
            try small.write(to: folder) { done, total in calls.withLock { $0.append([done, total]) } }
            #expect(calls.withLock { $0 } == (1...12).map { [$0, 12] })
        }
    }

    @Test("A folder that is not empty is refused, unless overwriting is allowed")
    func refusesFullFolder() throws {
        try withFolder { folder in
            let note = folder.appending(path: "notes.txt")
            let old = folder.appending(path: "9/0000")
            try FileManager.default.createDirectory(at: old, withIntermediateDirectories: true)
            try Data().write(to: note)
            #expect(throws: SampleDatasetError.notEmpty(folder.path)) { try small.write(to: folder) }
            try small.write(to: folder, overwrite: true)
            #expect(FileManager.default.fileExists(atPath: note.path))
            #expect(!FileManager.default.fileExists(atPath: old.path))
            #expect(FileManager.default.fileExists(atPath: folder.appending(path: "42").path))
        }
    }

    @Test(
        "A plan that makes no sense is refused before anything is written",
        arguments: [
            (["7", "123"], 1, SampleDatasetError.notANumber("123")),
            (["7", "x"], 1, .notANumber("x")),
            (["7", "7"], 1, .repeatedNumber("7")),
            ([], 1, .nothingToDraw("numbers")),
            (["7"], 0, .nothingToDraw("tracks per number")),
        ])
    func refusesNonsense(numbers: [String], tracks: Int, error: SampleDatasetError) throws {
        let plan = SampleDataset(
            numbers: numbers, tracksPerNumber: tracks, sequencesPerTrack: 1, framesPerSequence: 1...1, seed: 0)
        try withFolder { folder in
            #expect(throws: error) { try plan.write(to: folder) }
            #expect(!FileManager.default.fileExists(atPath: folder.path))
        }
    }

    @Test("An output path that is a file is reported by name")
    func reportsWriteErrors() throws {
        try withFolder { folder in
            try Data("x".utf8).write(to: folder)
            let error = #expect(throws: SampleDatasetError.self) { try small.write(to: folder) }
            #expect(error?.description.contains(folder.path) == true)
        }
    }

    @Test("Every motion has a frame in which the number can be read")
    func legibleFrame() {
        for seed in 0..<20 as Range<UInt64> {
            var random = RandomStream(seed)
            let motion = SampleMotion(frames: 12, using: &random)
            let best = (0..<12).map { motion.pose(frame: $0, using: &random).legibility }.max() ?? 0
            #expect(best > 0.6)
        }
    }

    // MARK: - Helpers

    /// The bytes of every file, by its path within the folder.
    private func written(_ plan: SampleDataset) throws -> [String: Data] {
        try withFolder { folder in
            try plan.write(to: folder)
            var files: [String: Data] = [:]
            for path in try FileManager.default.subpathsOfDirectory(atPath: folder.path) where path.hasSuffix(".jpg") {
                files[path] = try Data(contentsOf: folder.appending(path: path))
            }
            return files
        }
    }

    private func withFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appending(path: "samples-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        return try body(folder)
    }
}

@Suite("Contact sheet")
struct ContactSheetTests {
    private let frame = RGBImage(width: 30, height: 60, pixels: [UInt8](repeating: 200, count: 30 * 60 * 3))

    @Test("A sheet grows by one height per row and one frame's width per frame")
    func size() throws {
        func sheet(rows: Int, frames: Int) throws -> RGBImage {
            let frames = [ContactSheet.Frame](repeating: .init(image: frame, caption: "1", weight: 0.5), count: frames)
            let row = ContactSheet.Row(title: "42", subtitle: "98%", frames: frames)
            return try ContactSheet(rows: .init(repeating: row, count: rows), frameHeight: 80).image()
        }
        let small = try sheet(rows: 1, frames: 2)
        let tall = try sheet(rows: 3, frames: 2)
        let wide = try sheet(rows: 1, frames: 5)
        #expect(tall.width == small.width)
        #expect(tall.height - small.height == 2 * (small.height - 12))
        #expect(small.height == 12 + 80 + 4 + 28 + 16 + 12)
        #expect(wide.width - small.width == 3 * (40 + 6))
    }

    @Test("Bars stand for weights relative to the largest, whatever the weights are")
    func bars() throws {
        func bluePixels(_ weights: [Double?]) throws -> Int {
            let frames = weights.map { ContactSheet.Frame(image: frame, weight: $0) }
            let pixels = try ContactSheet(rows: [.init(title: "1", frames: frames)]).image().pixels
            return stride(from: 0, to: pixels.count, by: 3).count { pixels[$0..<$0 + 3].elementsEqual([0x2F, 0x6F, 0xB2]) }
        }
        let one = try bluePixels([0.2])
        #expect(one > 0)
        #expect(try bluePixels([0.2, 0.2]) == 2 * one)
        #expect(try bluePixels([0.4, 0, nil, .nan, -1]) == one)
        #expect(try bluePixels([nil, 0]) == 0)
    }

    @Test("A sheet without rows is empty, and one too large for a picture is refused")
    func extremes() throws {
        #expect(try ContactSheet(rows: []).image().height == 12)
        let rows = [ContactSheet.Row](repeating: .init(title: "1", frames: []), count: 400)
        #expect(throws: ContactSheetError.self) { try ContactSheet(rows: rows).image() }
    }
}
