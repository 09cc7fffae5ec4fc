import Foundation
import TestSupport
import Testing

@testable import Jersey

/// Videos whose frames are pictures in files of their own.
@Suite struct FrameFilesTests {
    /// Frames of a shade each, which is ten times the number in the name.
    private func add(_ numbers: some Sequence<Int>, to folder: URL, _ name: (Int) -> String) throws {
        for number in numbers {
            let shade = [UInt8](repeating: UInt8(number % 25 * 10), count: 6 * 4 * 3)
            try folder.add(name(number), RGBImage(width: 6, height: 4, pixels: shade).pngData())
        }
    }

    /// The shade of each frame; nil for damaged ones.
    private func shades(_ video: VideoReader) throws -> [Int?] {
        var shades: [Int?] = []
        while let frame = try video.next() {
            #expect(frame.index == shades.count)
            shades.append(frame.isDamaged ? nil : Int(try video.image().pixels[0]))
        }
        return shades
    }

    private func digits(_ number: Int) -> String { String(format: "%06d", number) }

    @Test(arguments: ["", "img1", "img1/", "img1/%06d.png", "img1/%d.png", "img1/*.png"])
    func `A sequence of MOTChallenge is a video, by whichever of its paths`(path: String) throws {
        try withFolder { folder in
            try add(1...12, to: folder) { "img1/\(digits($0)).png" }
            try folder.add("gt/gt.txt", Data("1,1,0,0,5,5\n".utf8))
            try folder.add("seqinfo.ini", Data("[Sequence]\r\nname=A\r\nimDir=img1\r\nframeRate=30\r\n".utf8))
            let video = try VideoReader(folder.path + "/" + path)
            #expect((video.width, video.height, video.rate, video.expectedFrames) == (6, 4, 30, 12))
            let found = try shades(video)
            #expect(found == (1...12).map { $0 * 10 })
            #expect(video.fileNumbers == 1...12)
        }
    }

    @Test(arguments: ["", "SEQ/", "SEQ/img1/"])
    func `An archive of frames is a video`(prefix: String) throws {
        try withFolder { folder in
            var items: [TestArchive.Item] = []
            for number in 1...3 {
                let shade = [UInt8](repeating: UInt8(number * 10), count: 6 * 4 * 3)
                let content = try RGBImage(width: 6, height: 4, pixels: shade).pngData()
                items.append(.file("\(prefix)\(number).png", content))
            }
            let path = try TestArchive.pack(items, "a.zip", in: folder)
            let found = try shades(VideoReader(path))
            #expect(found == [10, 20, 30])
        }
    }

    @Test
    func `Frames come in the order of their numbers, and a few that are missing keep the others' places`()
        throws
    {
        try withFolder { folder in
            try add([9, 10, 11, 12, 13, 14, 16, 17, 18, 19], to: folder) { "f\($0).png" }
            let video = try VideoReader(folder.path)
            #expect(try shades(video) == [90, 100, 110, 120, 130, 140, nil, 160, 170, 180, 190])
            #expect(video.damage?.count == 1 && video.damage?.first.contains("missing") == true)
        }
    }

    @Test func `Every n-th frame is a frame, as trackers count`() throws {
        try withFolder { folder in
            try add([0, 5, 10, 15], to: folder) { "f\($0).png" }
            #expect(try shades(VideoReader(folder.path)) == [0, 50, 100, 150])
        }
    }

    @Test func `A frame that cannot be read is damaged, and one of another size is scaled`() throws {
        try withFolder { folder in
            try folder.add("1.png", Data("x".utf8))
            try add(2...3, to: folder) { "\($0).png" }
            try folder.add(
                "4.png", RGBImage(width: 12, height: 8, pixels: Array(repeating: 90, count: 288)).pngData())
            let video = try VideoReader(folder.path)
            #expect(try shades(video) == [nil, 20, 30, 90])
            #expect(video.damage?.first.contains("1.png is a text file") == true)
        }
    }

    @Test func `Boxes count as the names of the files do where they can count in no other way`() throws {
        try withFolder { folder in
            func first(_ text: String, _ numbers: ClosedRange<Int>?) throws -> Int {
                try folder.add("boxes", Data(text.utf8))
                return try TrackBoxes(
                    contentsOf: folder.appendingPathComponent("boxes").path, stride: 1
                ) { VideoFacts(width: 9, height: 9, fileNumbers: numbers) }.firstFrame
            }
            var found: [Int] = []
            found.append(try first("501,1,0,0,5,5\n520,1,0,0,5,5\n", 501...600))
            found.append(try first("510,1,0,0,5,5\n520,1,0,0,5,5\n", 501...600))
            found.append(try first("10,1,0,0,5,5\n", 5...600))
            found.append(try first("501,1,0,0,5,5\n", nil))
            #expect(found == [501, 501, 1, 1])
        }
    }

    @Test(arguments: ["", "nowhere/%d.png", "%d.png"])
    func `What has no frames is refused in words that help`(path: String) throws {
        try withFolder { folder in
            try folder.add("notes.txt")
            let error = #expect(throws: FileError.self) {
                try VideoReader(folder.path + (path.isEmpty ? "" : "/\(path)"))
            }
            let words =
                ["": "is a folder without frames", "%d.png": "matches no pictures"][path] ?? "does not exist"
            #expect(error?.description.contains(words) == true)
        }
    }

    @Test func `Tracks are read from frames in files as from a film`() throws {
        try withFolder { folder in
            try add(1...4, to: folder) { "img1/\(digits($0)).png" }
            let video = try VideoReader(folder.path)
            _ = try video.next()
            let crop = try video.crop(PixelArea(left: 1, top: 1, width: 3, height: 2))
            #expect((crop.width, crop.height, crop.pixels[0]) == (3, 2, 10))
        }
    }
}
