import Foundation
import TestSupport
import Testing

@testable import Jersey

/// Writes a video of plain grey frames, each a little lighter than the one before.
private func film(_ path: String, frames: Int = 20, width: Int = 64, height: Int = 48, rate: Double = 25)
    throws
{
    try writeFilm(path, frames: frames, rate: rate) { frame in
        let pixels = [UInt8](repeating: level(frame), count: width * height * 3)
        return RGBImage(width: width, height: height, pixels: pixels)
    }
}

private func level(_ frame: Int) -> UInt8 { UInt8(20 + frame % 20 * 10) }

private func isNear(_ a: UInt8, _ b: UInt8, within tolerance: Int = 4) -> Bool {
    abs(Int(a) - Int(b)) <= tolerance
}

@Suite struct VideoReaderTests {
    @Test(arguments: ["mp4", "mkv", "mov"])
    func `What was written comes back frame by frame, with its times`(ending: String) throws {
        try withFolder { folder in
            let path = folder.appendingPathComponent("a film.\(ending)").path
            try film(path)
            let video = try VideoReader(path)
            #expect((video.width, video.height) == (64, 48))
            #expect(abs(video.rate - 25) < 0.1)
            #expect(abs((video.expectedFrames ?? 0) - 20) <= 1)
            var index = 0
            while let frame = try video.next() {
                #expect(
                    frame.index == index && abs(frame.time - Double(index) / 25) < 0.002 && !frame.isDamaged)
                let image = try video.image()
                #expect(isNear(image.pixels[0], level(index)) && isNear(image.pixels.last!, level(index)))
                index += 1
            }
            #expect(index == 20 && video.damage == nil)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 1)
        }
    }

    @Test func `Frames of different lengths keep their moments`() throws {
        try withFolder { folder in
            let path = folder.appendingPathComponent("a.mkv").path
            let times = [0, 0.04, 0.08, 0.5, 1.5, 1.52]
            let writer = try VideoWriter(path, width: 64, height: 48, rate: 25)
            for (index, time) in times.enumerated() {
                try writer.add(picture(index, width: 64, height: 48), time: time)
            }
            try writer.finish()
            let video = try VideoReader(path)
            var found: [Double] = []
            while let frame = try video.next() { found.append(frame.time) }
            #expect(zip(found, times).allSatisfy { abs($0 - $1) < 0.002 } && found.count == times.count)
        }
    }

    @Test func `Colours survive, and a crop is the same part of the whole frame`() throws {
        try withFolder { folder in
            let path = folder.appendingPathComponent("a.mp4").path
            // Red on the left, blue on the right. The width is odd, so the last column is cut off.
            let row = (0..<65).flatMap { $0 < 32 ? [200, 30, 40] : [20, 40, 190] as [UInt8] }
            let writer = try VideoWriter(path, width: 65, height: 48, rate: 30)
            try writer.add(
                RGBImage(width: 65, height: 48, pixels: Array(repeating: row, count: 48).flatMap { $0 }),
                time: 0)
            try writer.finish()
            let video = try VideoReader(path)
            _ = try video.next()
            let image = try video.image()
            #expect((image.width, image.height) == (64, 48))
            for (place, wanted) in [(8, [200, 30, 40] as [UInt8]), (56, [20, 40, 190])] {
                for channel in 0..<3 {
                    #expect(
                        isNear(image.pixels[(24 * 64 + place) * 3 + channel], wanted[channel], within: 12))
                }
            }
            let crop = try video.crop(PixelArea(left: 30, top: 7, width: 5, height: 3))
            for y in 0..<3 {
                let start = ((7 + y) * 64 + 30) * 3
                #expect(Array(crop.pixels[y * 15..<y * 15 + 15]) == Array(image.pixels[start..<start + 15]))
            }
        }
    }

    /// The video is bright in its upper left; after quarter turns clockwise, elsewhere.
    @Test(arguments: [(90, 1, 0), (180, 1, 1), (270, 0, 1)])
    func `A film that was shot with the camera turned stands upright`(degrees: Int, right: Int, below: Int)
        throws
    {
        try withFolder { folder in
            let url = folder.appendingPathComponent("a.mp4")
            let pixels = (0..<48).flatMap { y in
                (0..<64).flatMap { x in Array(repeating: y < 24 && x < 32 ? 220 : 30 as UInt8, count: 3) }
            }
            let writer = try VideoWriter(url.path, width: 64, height: 48, rate: 25)
            try writer.add(RGBImage(width: 64, height: 48, pixels: pixels), time: 0)
            try writer.finish()
            // The track's header holds the rotation: a matrix of 16.16 numbers, 40 bytes after its
            // version.
            var bytes = try Data(contentsOf: url)
            let start = try #require(bytes.range(of: Data("tkhd".utf8))).upperBound + 40
            let (c, s) = [90: (0, 1), 180: (-1, 0), 270: (0, -1)][degrees]!
            for (place, value) in [c, s, -s, c].enumerated() {
                let big = withUnsafeBytes(of: Int32(value << 16).bigEndian) { Data($0) }
                let offset = start + [0, 4, 12, 16][place]
                bytes.replaceSubrange(offset..<offset + 4, with: big)
            }
            try bytes.write(to: url)

            let video = try VideoReader(url.path)
            #expect((video.width, video.height) == (degrees == 180 ? (64, 48) : (48, 64)))
            _ = try video.next()
            for (x, y) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                let (w, h) = (video.width / 4, video.height / 4)
                let crop = try video.crop(
                    PixelArea(left: x * 2 * w + w / 2, top: y * 2 * h + h / 2, width: 4, height: 4))
                #expect(isNear(crop.pixels[0], (x, y) == (right, below) ? 220 : 30, within: 8), "\(x) \(y)")
            }
        }
    }

    @Test func `Damage in the middle is passed over and counted, and a cut end ends the film early`() throws {
        try withFolder { folder in
            let url = folder.appendingPathComponent("a.mkv")
            try film(url.path, frames: 200)
            let whole = try Data(contentsOf: url)
            var bytes = whole
            for index in whole.count / 3..<whole.count / 3 + 600 {
                bytes[index] = UInt8(truncatingIfNeeded: index * 37)
            }
            try bytes.write(to: url)
            let video = try VideoReader(url.path)
            var last: UInt8 = 0
            while try video.next() != nil {
                last = try video.crop(PixelArea(left: 0, top: 0, width: 1, height: 1)).pixels[0]
            }
            #expect(video.count > 100 && isNear(last, level(199)))
            #expect((video.damage?.count ?? 0) > 0)

            try whole.prefix(whole.count / 2).write(to: url)
            let cut = try VideoReader(url.path)
            while try cut.next() != nil {}
            #expect(50..<180 ~= cut.count)
        }
    }

    @Test func `Pixels that are not square stay so`() throws {
        try withFolder { folder in
            let path = folder.appendingPathComponent("a.mp4").path
            let writer = try VideoWriter(path, width: 64, height: 48, rate: 25, pixelAspect: (16, 15))
            try writer.add(picture(1, width: 64, height: 48), time: 0)
            try writer.finish()
            let aspect = try #require(VideoReader(path).pixelAspect)
            #expect((aspect.x, aspect.y) == (16, 15))
            try film(path, frames: 1)
            #expect(try VideoReader(path).pixelAspect == nil)
        }
    }

    @Test func `A file that is not a video is refused with a helpful message`() throws {
        try withFolder { folder in
            try folder.add("text.mp4", Data("frame,id\n1,2\n".utf8))
            try folder.add("empty.mp4")
            try folder.add("picture.mp4", try picture(1).pngData())
            try folder.add(
                "list.mp4", Data("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n/etc/passwd\n".utf8))
            for (name, words) in [
                ("text.mp4", "is not a readable video"), ("empty.mp4", "is not a readable video"),
                ("picture.mp4", "is not a readable video"), ("list.mp4", "is not a readable video"),
                ("nowhere.mp4", "does not exist"), ("", "is a folder"),
            ] {
                let error = #expect(throws: FileError.self) {
                    try VideoReader(folder.appendingPathComponent(name).path)
                }
                #expect(error?.description.contains(words) == true, "\(name): \(error?.description ?? "")")
            }
            let path = folder.appendingPathComponent("large.mp4").path
            try film(path, frames: 1)
            let error = #expect(throws: FileError.self) { try VideoReader(path, maximumPixels: 3000) }
            #expect(error?.description.contains("64x48, more than the limit of 3000 pixels") == true)
        }
    }

    @Test(arguments: [(4000, 4000, 16_000_000), (3984, 3984, 3984 * 3984), (64, 48, 64 * 48)])
    func `A picture of exactly the size that is allowed is read, and a larger one is not`(
        width: Int, height: Int, limit: Int
    )
        throws
    {
        try withFolder { folder in
            let path = folder.appendingPathComponent("a.mp4").path
            try film(path, frames: 1, width: width, height: height)
            let video = try VideoReader(path, maximumPixels: limit)
            #expect(try video.next() != nil)
            let image = try video.image()
            #expect((image.width, image.height) == (width, height))
            #expect(throws: FileError.self) { try VideoReader(path, maximumPixels: limit - 1) }
        }
    }

    @Test(arguments: ["mp4", "mkv", "mov"])
    func `A film in memory is read as one in a file`(ending: String) throws {
        try withFolder { folder in
            let file = folder.appendingPathComponent("a.\(ending)")
            try film(file.path)
            let bytes = try Data(contentsOf: file)
            let (one, other) = (try VideoReader(file.path), try VideoReader(decoding: bytes, named: "a"))
            while let frame = try one.next() {
                #expect(try other.next() == frame)
                #expect(try one.image() == other.image())
            }
            #expect(try other.next() == nil)
            for length in [0, 1, 100, bytes.count / 2] {
                guard let cut = try? VideoReader(decoding: bytes.prefix(length), named: "a") else { continue }
                while let frame = try? cut.next() { #expect(frame.index < 20) }
            }
            let error = #expect(throws: FileError.self) {
                try VideoReader(decoding: Data("no film".utf8), named: "a")
            }
            #expect(error?.path == "a")
        }
    }

    @Test func `Video of an unmaintained codec is not decoded`() throws {
        try withFolder { folder in
            let file = folder.appendingPathComponent("a.mov")
            try film(file.path)
            var bytes = try Data(contentsOf: file)
            // Replaces the codec's name by Cinepak's.
            for word in ["avc1", "mp4v"] {
                while let place = bytes.firstRange(of: Data(word.utf8)) {
                    bytes.replaceSubrange(place, with: Data("cvid".utf8))
                }
            }
            let error = #expect(throws: FileError.self) { try VideoReader(decoding: bytes, named: "a") }
            #expect(error?.description.contains("cinepak") == true, "\(String(describing: error))")
        }
    }

    @Test
    func `A film that cannot be written is refused, and a former one stays until the new one is complete`()
        throws
    {
        try withFolder { folder in
            for (name, words) in [
                ("a.avi", "use the ending"), ("none/a.mp4", "a folder that does not exist"),
                ("a", "use the ending"),
            ] {
                let error = #expect(throws: FileError.self) {
                    try VideoWriter(folder.appendingPathComponent(name).path, width: 64, height: 48, rate: 25)
                }
                #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
            }
            let path = folder.appendingPathComponent("a.mp4").path
            try Data("former".utf8).write(to: URL(fileURLWithPath: path))
            do {
                let writer = try VideoWriter(path, width: 64, height: 48, rate: 25)
                try writer.add(
                    RGBImage(width: 64, height: 48, pixels: Array(repeating: 0, count: 64 * 48 * 3)), time: 0)
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a.mp4"])
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "former")
        }
    }
}

@Suite struct TrackReaderTests {
    /// - Parameter skims: skims, and is certain of whatever it sees.
    private func reader(
        _ model: String = "attn_bgru_luong", batchSize: Int = 4, skims: Bool = false
    ) throws -> SequenceReader {
        let spec = try ModelSpec.named(model, encoder: .mobilenetV3Small)
        let loader = SequenceLoader(
            preprocessor: FramePreprocessor(height: 48, width: 24), maximumFrames: 4, sampling: .even,
            singleFrame: spec.readsAnchorOnly ? .anchorOrAll : nil)
        let sure = ModelCalibration(
            temperature: 1e-6, threshold: 0.5, precision: 1, coverage: 1, sequences: 1)
        return SequenceReader(
            model: JerseyModel(spec, seed: 1).frozen(), loader: loader, batchSize: batchSize,
            calibration: skims ? sure : nil,
            skims: skims)
    }

    private func read(
        _ rows: String, frames: Int = 12, with reader: SequenceReader, shown: Int = 0, stride: Int = 5
    ) throws -> (results: [String: TrackReader.Result], leftOut: LeftOutBoxes) {
        try withFolder { folder in
            let path = folder.appendingPathComponent("a.mp4").path
            try film(path, frames: frames)
            try folder.add("boxes", Data(rows.utf8))
            let boxes = try TrackBoxes(contentsOf: folder.appendingPathComponent("boxes").path)
            var tracks = TrackReader(reader)
            (tracks.shownTracks, tracks.selection) = (shown, .every(stride))
            var results: [String: TrackReader.Result] = [:]
            let leftOut = try tracks.read(VideoReader(path), boxes) { result in
                #expect(results.updateValue(result, forKey: result.prediction.track) == nil)
            }
            return (results, leftOut)
        }
    }

    @Test(arguments: ["attn_bgru_luong", "basic_mv3s"])
    func `Every track is read, with the frames that it was read in`(model: String) throws {
        let rows = (1...12).map { "\($0),7,4,4,20,40\n" }.joined() + "5,8,30,0,20,40\n6,9,-50,0,20,40\n"
        let (results, leftOut) = try read(rows, with: reader(model), shown: 3, stride: 2)
        let long = try #require(results["7"])
        #expect(
            long.prediction.frames.map { $0.path.suffix(15) }.map { $0.drop { $0 != "=" } }
                == (0..<6).map { "=\($0 * 2 + 1),track=7" }.map { $0[...] })
        #expect(
            long.prediction.number != nil && long.crops.count == 4
                && Set(long.crops.values.map(\.width)) == [20])
        #expect(results["8"]?.prediction.frames.count == 1)
        #expect(
            results["9"]?.prediction.number == nil
                && results["9"]?.prediction.leftOut.first?.reason
                    == "has no box with at least half inside the picture"
        )
        #expect(leftOut.sentences == ["1 box less than half inside the picture (line 14)"])
    }

    @Test func `A track's windows count together, as its sequences do`() throws {
        let rows = (1...8).map { "\($0),7,4,4,20,40\n" }.joined()
        let reader = try reader()
        let (results, _) = try read(rows, with: reader, stride: 1)
        try withFolder { folder in
            let path = folder.appendingPathComponent("a.mp4").path
            try film(path, frames: 12)
            let video = try VideoReader(path)
            var crops: [RGBImage] = []
            while crops.count < 8, try video.next() != nil {
                crops.append(try video.crop(PixelArea(left: 4, top: 4, width: 20, height: 40)))
            }
            let sequences = [0, 1].map { half in
                FrameSequence(
                    id: "\(half)", track: "7", number: nil, frames: (0..<4).map { "\(half) \($0)" },
                    images: Array(crops[half * 4..<half * 4 + 4]),
                    anchor: nil)
            }
            let combined = DigitDistribution(windows: try reader.readAll(sequences).0.map(\.digits))
            let prediction = try #require(results["7"]?.prediction)
            #expect(prediction.number == combined.number)
            #expect(zip(prediction.tens, combined.tens).allSatisfy { abs($0 - exp($1)) < 1e-6 })
        }
    }

    @Test func `Boxes past the end are left out and counted, and what came before is read`() throws {
        let (results, leftOut) = try read(
            "11,1,4,4,20,40\n12,1,4,4,20,40\n13,1,4,4,20,40\n90,2,4,4,20,40\n", with: reader())
        #expect(results["1"]?.prediction.frames.count == 2 && results["1"]?.prediction.leftOut.count == 1)
        #expect(
            results["2"]?.prediction.number == nil
                && results["2"]?.prediction.leftOut.first?.reason == "is past the end of the video")
        #expect(leftOut.sentences == ["2 boxes past the end of the video (first: line 3)"])
    }

    @Test(arguments: [1, 64])
    func `Nothing more is cut out or read of a track that is decided`(batchSize: Int) throws {
        let rows = (1...20).map { "\($0),7,4,4,20,40\n\($0),8,30,4,20,40\n" }.joined() + "9,9,4,4,20,40\n"
        let reader = try reader(batchSize: batchSize, skims: true)
        let (results, leftOut) = try read(rows, frames: 20, with: reader, shown: 3, stride: 1)
        for track in ["7", "8"] {
            let result = try #require(results[track])
            #expect(
                result.prediction.frames.map { $0.path.suffix(15) }
                    == (1...4).map { "#frame=\($0),track=\(track)".suffix(15) })
            #expect(
                result.prediction.leftOut.isEmpty
                    && Set(result.crops.keys) == Set(result.prediction.frames.map(\.path)))
        }
        #expect(results["9"]?.prediction.number != nil && leftOut.sentences.isEmpty)
    }

    @Test func `The size of the batches changes nothing`() throws {
        let rows = (1...12).flatMap { frame in (0..<5).map { "\(frame),\($0),\($0 * 9),4,20,40\n" } }.joined()
        let one = try read(rows, with: reader(batchSize: 1), stride: 1).results
        let many = try read(rows, with: reader(batchSize: 64), stride: 1).results
        #expect(one.count == 5)
        for (track, result) in one {
            #expect(
                zip(result.prediction.ones, many[track]!.prediction.ones).allSatisfy { abs($0 - $1) < 1e-4 })
        }
    }
}
