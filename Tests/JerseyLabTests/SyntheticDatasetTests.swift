import Foundation
import Jersey
import Synchronization
import TestSupport
import Testing

@testable import JerseyLab
@testable import JerseyOutput
@testable import JerseySynthesis

/// Small frames, because rendering is slow in unoptimised builds.
private func small(
    _ numbers: String = "7,07,42", tracks: Int = 1, framing: Framing = .body, difficulty: Difficulty = .real,
    seed: UInt64 = 3
) throws -> SyntheticDataset {
    SyntheticDataset(
        numbers: try NumberShare.list(numbers), tracksPerNumber: tracks, sequencesPerTrack: 2,
        framesPerSequence: 2...3,
        renderer: SyntheticRenderer(
            seed: seed, framing: framing, difficulty: difficulty, height: heights(framing)))
}

private func heights(_ framing: Framing) -> ClosedRange<Double> {
    switch framing {
    case .body: 24...32
    case .torso: 16...24
    case .number: 12...16
    }
}

/// The bytes of every file, by its path in the folder.
private func written(_ dataset: SyntheticDataset, threads: Int? = nil) throws -> [String: Data] {
    let folder = try TestFolder()
    try dataset.write(to: folder.url, threads: threads)
    var files: [String: Data] = [:]
    for path in try FileManager.default.subpathsOfDirectory(atPath: folder.url.path) where path.contains(".")
    {
        files[path] = try Data(contentsOf: folder.url.appending(path: path))
    }
    return files
}

private func truth(in files: [String: Data]) throws -> [String: [FrameTruth]] {
    try files.filter { $0.key.hasSuffix("truth.jsonl") }.mapValues { data in
        try data.split(separator: UInt8(ascii: "\n")).map {
            try JSON.decoded(FrameTruth.self, from: Data($0))
        }
    }
}

@Suite("Synthetic data set")
struct SyntheticDatasetTests {
    @Test(
        arguments: Framing.allCases)
    func `The same seed gives the same bytes whatever the number of threads, and another seed gives others`(
        framing: Framing
    )
        throws
    {
        var dataset = try small(framing: framing)
        dataset.unreadableShare = 0.25
        let alone = try written(dataset, threads: 1)
        #expect(try written(dataset, threads: 3) == alone)
        dataset.renderer.seed = 4
        let other = try written(dataset)
        #expect(Set(alone.values).isDisjoint(with: other.values))
    }

    @Test func `A sequence does not depend on what was rendered before it`() throws {
        let renderer = SyntheticRenderer(seed: 1, height: 24...32)
        func frames(_ sequence: Int) throws -> [Data] {
            try renderer.sequence(number: "23", track: 5, sequence: sequence, frames: 2).frames.map(\.jpeg)
        }
        let alone = try frames(1)
        _ = try renderer.sequence(number: "8", track: 4, sequence: 0, frames: 1)
        #expect(try frames(1) == alone)
        #expect(try frames(2) != alone)
    }

    @Test
    func
        `Files lie at number/track/sequence/frame with one anchor and the truth, and a track belongs to one number`()
        throws
    {
        let files = try written(small(tracks: 2))
        let pattern = /(7|07|42)\/\d{4}\/0[01]\/(\d{4}(_anchor)?\.jpg|truth\.jsonl)/
        #expect(files.keys.allSatisfy { $0.wholeMatch(of: pattern) != nil })
        let sequences = Dictionary(grouping: files.keys) { $0.split(separator: "/").dropLast() }
        #expect(sequences.count == 3 * 2 * 2)
        #expect(
            sequences.values.allSatisfy {
                (3...4).contains($0.count) && $0.count { $0.contains("_anchor") } == 1
            })
        #expect(Set(sequences.keys.map { $0[1] }).count == 3 * 2)
    }

    @Test
    func
        `The truth has a row for every frame, with boxes inside it, and the number can be seen in some frame`()
        throws
    {
        for framing in Framing.allCases {
            let files = try written(small("all:0.01", framing: framing, difficulty: .easy).only(8))
            for (path, rows) in try truth(in: files) {
                let folder = path.dropLast("truth.jsonl".count)
                let names = files.keys.filter { $0.hasPrefix(folder) && $0.hasSuffix(".jpg") }
                #expect(rows.map { folder + $0.frame }.sorted() == names.sorted())
                #expect(
                    rows.allSatisfy {
                        path.hasPrefix("\($0.number?.description ?? "?")/") && 0...1 ~= $0.visibility
                    })
                #expect(rows.contains { $0.visibility > 0.4 })
                for row in rows {
                    let image = try RGBImage(decoding: #require(files[folder + row.frame]), named: row.frame)
                    for box in [row.numberBox, row.playerBox].compactMap(\.self) {
                        #expect(box[0] >= 0 && box[1] >= 0 && box[2] > 0 && box[3] > 0)
                        // Boxes are rounded to tenths of a pixel, frames to whole pixels of the
                        // sensor.
                        #expect(
                            box[0] + box[2] <= Double(image.width) + 0.6
                                && box[1] + box[3] <= Double(image.height) + 0.6)
                    }
                    #expect((row.numberBox == nil) == (row.visibility == 0))
                }
            }
        }
    }

    @Test func `Tracks without a number make up their share, lie apart, and show none in any frame`() throws {
        var dataset = try small("7,07,42", tracks: 2, framing: .number)
        let readable = try written(dataset)
        dataset.unreadableShare = 0.25
        let files = try written(dataset)
        #expect(files.filter { !$0.key.hasPrefix("unreadable/") } == readable)
        let rows = try truth(in: files).filter { $0.key.hasPrefix("unreadable/") }
        #expect(rows.count == 2 * 2)
        #expect(
            rows.values.joined().allSatisfy { $0.number == nil && $0.visibility == 0 && $0.numberBox == nil })
    }

    @Test
    func `What is written can be read as a data set, and unreadable sequences are passed over with a remark`()
        throws
    {
        var dataset = try small("7,42")
        dataset.unreadableShare = 0.3
        let folder = try TestFolder()
        try dataset.write(to: folder.url)
        var config = DataConfig()
        config.path = folder.url.path
        let read = try Dataset(config)
        #expect(read.numbers.map(\.description) == ["7", "42"])
        #expect(read.sequences.allSatisfy { $0.anchor != nil })
        #expect(read.remarks.count == 1 && read.remarks[0].contains("unreadable"))
    }

    @Test(
        arguments: [
            ("7,07", ["7", "07"]), ("8-11", ["8", "9", "10", "11"]), ("08-11", ["08", "09", "10", "11"]),
            ("0-02", nil),
            ("all", JerseyNumber.all.map(\.description)),
        ] as [(String, [String]?)])
    func `Lists of numbers have ranges and weights`(text: String, numbers: [String]?) throws {
        let list = try NumberShare.list(text).map(\.number.description)
        #expect(list == numbers ?? (0...9).map(String.init) + ["00", "01", "02"])
        let weighted = try NumberShare.list("7:3,10-11:0.5")
        #expect(weighted.map(\.weight) == [3, 0.5, 0.5])
    }

    @Test func `A weight multiplies the tracks of a number`() throws {
        let dataset = try small("7:3,42", tracks: 2)
        #expect(dataset.sequenceCount == (6 + 2) * 2)
    }

    @Test(arguments: Framing.allCases)
    func `Every height of the range is kept to, in every framing`(framing: Framing) throws {
        for height in [24.0, 48] {
            let renderer = SyntheticRenderer(
                seed: 5, framing: framing, difficulty: .easy, height: height...height)
            let frames = try renderer.sequence(number: "18", track: 0, sequence: 0, frames: 2).frames
            for frame in frames {
                let image = try RGBImage(decoding: frame.jpeg, named: "a frame")
                #expect((height * 0.6...height * 1.4).contains(Double(image.height)))
            }
        }
    }

    @Test func `The preview has a row for every track, and needs no files`() throws {
        let sheet = try small("7,42").preview(framesPerRow: 2)
        #expect(sheet.height > 2 * 128)
    }

    @Test func `Progress counts every sequence once`() throws {
        let folder = try TestFolder()
        let calls = Mutex<[[Int]]>([])
        try small().write(to: folder.url) { done, total in calls.withLock { $0.append([done, total]) } }
        #expect(calls.withLock { $0 } == (1...6).map { [$0, 6] })
    }

    @Test func `A folder that is not empty is refused, unless overwriting is allowed`() throws {
        let folder = try TestFolder().url
        defer { try? FileManager.default.removeItem(at: folder) }
        let note = folder.appending(path: "notes.txt")
        let old = ["9/0000", "unreadable/0003"].map { folder.appending(path: $0) }
        for old in old { try FileManager.default.createDirectory(at: old, withIntermediateDirectories: true) }
        try Data().write(to: note)
        let error = #expect(throws: FileError.self) { try small("42").write(to: folder) }
        #expect(error?.description.contains("is not empty") == true)
        try small("42").write(to: folder, overwrite: true)
        #expect(FileManager.default.fileExists(atPath: note.path))
        #expect(old.allSatisfy { !FileManager.default.fileExists(atPath: $0.path) })
        #expect(FileManager.default.fileExists(atPath: folder.appending(path: "42").path))
    }

    @Test(
        arguments: [
            ("7,123", "\"123\" is not a shirt number"), ("7,x", "\"x\" is not"), ("9-3", "\"9-3\" is not"),
            ("7-", "\"7-\" is not"),
            ("7:0", "\"7:0\" has an invalid weight"), ("7:1:2", "\"7:1:2\" has an invalid weight"),
        ])
    func `A list that makes no sense is refused`(text: String, words: String) {
        let error = #expect(throws: UsageError.self) { try NumberShare.list(text) }
        #expect(error?.description.contains(words) == true)
    }

    @Test(
        arguments: [
            ("7,7", 1, 0, "7 is listed twice"), ("", 1, 0, "numbers must be at least 1"),
            ("7", 0, 0, "tracks per number must be"), ("7", 1, 1, "at least 0 and below 1"),
        ])
    func `A plan that makes no sense is refused before anything is written`(
        numbers: String, tracks: Int, unreadable: Double, words: String
    ) throws {
        var plan = try small(numbers, tracks: tracks)
        plan.unreadableShare = unreadable
        let folder = try TestFolder().url.appending(path: "samples")
        let error = #expect(throws: UsageError.self) { try plan.write(to: folder) }
        #expect(error?.description.contains(words) == true)
        #expect(!FileManager.default.fileExists(atPath: folder.path))
    }

    @Test func `An output path that is a file is reported by name`() throws {
        let folder = try TestFolder()
        try folder.url.add("taken", Data("x".utf8))
        let error = #expect(throws: FileError.self) {
            try small().write(to: folder.url.appending(path: "taken"))
        }
        #expect(error?.description.contains(folder.path("taken")) == true)
    }
}

extension SyntheticDataset {
    /// Only the first numbers.
    fileprivate func only(_ count: Int) -> SyntheticDataset {
        var copy = self
        copy.numbers = Array(numbers.prefix(count))
        return copy
    }
}

@Suite("Synthetic scene")
struct SyntheticSceneTests {
    @Test func `Each typeface is there once, and a missing one is not taken for another`() {
        let all = NumberFace.ordinary + NumberFace.special
        let digits = all.map { Canvas.outline(of: "0123456789", $0) }
        #expect(!NumberFace.ordinary.isEmpty)
        for index in digits.indices {
            #expect(!digits[index].isEmpty && !digits[..<index].contains(digits[index]))
        }
        #expect(!all.contains { $0.family.isEmpty })
        // Bars replace missing special fonts.
        var random = RandomStream(1)
        for _ in 0..<20 {
            for fancy in [0, 1.0] {
                #expect(!NumberFace.random(fancy: fancy, using: &random).outline(of: "48").isEmpty)
            }
        }
    }

    @Test func `Many threads may write with many typefaces at once`() {
        let all = NumberFace.ordinary + NumberFace.special
        let alone = all.map { Canvas.outline(of: "48", $0) }
        let different = Mutex(0)
        DispatchQueue.concurrentPerform(iterations: 40 * all.count) { index in
            let face = index * 7 % all.count
            if Canvas.outline(of: "48", all[face]) != alone[face] { different.withLock { $0 += 1 } }
        }
        #expect(different.withLock { $0 } == 0)
    }

    @Test(arguments: 0..<5 as Range<UInt64>)
    func `Digits of bars need no font: each is one high, centred, and unlike the others`(seed: UInt64) {
        var random = RandomStream(seed)
        let face = BarDigits(using: &random)
        let outlines = (0..<10).map { face.outline(of: "\($0)") }
        for (digit, outline) in outlines.enumerated() {
            let ys = outline.joined().map(\.y)
            let (top, bottom) = (ys.min()!, ys.max()!)
            #expect(
                (-0.05...0.12).contains(top) && (0.95...1.05).contains(bottom),
                "\(digit) is \(top) to \(bottom)")
            #expect(outline.allSatisfy { $0.signedArea > 0 })
            #expect(!outlines[..<digit].contains(outline))
        }
        let pair = face.outline(of: "88").joined().map(\.x)
        #expect(abs(pair.min()! + pair.max()!) < 0.3)
    }

    @Test func `The more a player turns the less of the number is seen, and from the front none is`() throws {
        var random = RandomStream(8)
        let athlete = Athlete(number: "88", sport: .football, difficulty: .easy, using: &random)
        let shirt = ShirtTexture(athlete.kit, girth: athlete.girth, length: athlete.length, density: 80)
        func seen(_ yaw: Double) -> Int {
            let canvas = Canvas(width: 80, height: 170)
            var raster = Raster(canvas)
            var pose = Pose()
            pose.yaw = yaw
            let view = Raster.View(left: -0.5, top: 2.05, density: 80)
            raster.draw(athlete.tubes(pose), shirt, body: 1, in: view, .init(way: [0, 0, 1], ambient: 0.6))
            return raster.number.count { $0 > 0.5 }
        }
        let counts = [0, 0.5, 1, 1.5].map(seen)
        #expect(counts == counts.sorted(by: >) && counts[0] > 100)
        #expect(athlete.kit.hasChestNumber || seen(.pi) == 0)
        #expect(abs(Double(seen(0.4) - seen(-0.4))) < 0.3 * Double(counts[0]))
        // The shirt's print has as much, except for the curve of the back.
        #expect((0.7...1.05).contains(Double(counts[0]) / (shirt.backArea * 80 * 80)))
    }

    @Test func `A player before another hides the number, and one behind does not`() {
        var random = RandomStream(8)
        let athlete = Athlete(number: "88", sport: .football, difficulty: .easy, using: &random)
        let shirt = ShirtTexture(athlete.kit, girth: athlete.girth, length: athlete.length, density: 80)
        func seen(rivalAt depth: Double?) -> Int {
            var raster = Raster(Canvas(width: 80, height: 170))
            let view = Raster.View(left: -0.5, top: 2.05, density: 80)
            let light = Raster.Light(way: [0, 0, 1], ambient: 0.6)
            raster.draw(athlete.tubes(Pose()), shirt, body: 1, in: view, light)
            if let depth {
                var pose = Pose()
                pose.place = [0, depth]
                raster.draw(athlete.tubes(pose), shirt, body: 2, in: view, light)
            }
            return raster.number.count { $0 > 0.5 }
        }
        #expect(seen(rivalAt: 1) == 0)
        #expect(seen(rivalAt: -1) == seen(rivalAt: nil))
    }

    @Test(arguments: Difficulty.all.map(\.name))
    func `Compression, noise and a smaller sensor leave the size of a frame as it was`(name: String) throws {
        let difficulty = try #require(Difficulty.all.first { $0.name == name })
        let raster = Raster(Canvas(width: 30, height: 60))
        for seed in 0..<12 as Range<UInt64> {
            var random = RandomStream(seed)
            let camera = Camera(difficulty, using: &random)
            let moment = camera.moment(using: &random)
            let data = try camera.frame(
                raster, oversampling: 3, width: 13, height: 26, moment: moment, using: &random)
            let image = try RGBImage(decoding: data, named: "a frame")
            #expect(image.width == 13 && image.height == 26)
        }
    }

    @Test func `A clear look at a number is worth more than a blurred one`() {
        let clear = Camera.Moment(defocus: 0.1, smear: [0, 0])
        #expect(clear.sharpness > Camera.Moment(defocus: 1, smear: [0, 0]).sharpness)
        #expect(clear.sharpness > Camera.Moment(defocus: 0.1, smear: [3, 0]).sharpness)
    }
}
