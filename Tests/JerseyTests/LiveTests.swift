import Foundation
import TestSupport
import Testing

@testable import Jersey

/// Videos that come while they are made.
@Suite struct LiveTests {
    /// A pipe that gets these bytes, some at a time, and ends.
    private func pipe(_ bytes: Data, _ body: (PipedInput) throws -> Void) throws {
        let pipe = Pipe()
        let writer = Thread {
            for start in stride(from: 0, to: bytes.count, by: 1000) {
                try? pipe.fileHandleForWriting.write(
                    contentsOf: bytes[start..<min(start + 1000, bytes.count)])
            }
            try? pipe.fileHandleForWriting.close()
        }
        writer.start()
        try body(PipedInput(pipe.fileHandleForReading.fileDescriptor))
    }

    private func film(_ ending: String, frames: Int = 20) throws -> Data {
        let folder = try TestFolder()
        let path = folder.path("a.\(ending)")
        try writeFilm(path, frames: frames, rate: 10) { picture($0, width: 64, height: 48) }
        return try Data(contentsOf: URL(fileURLWithPath: path))
    }

    @Test(arguments: [
        ("PK\u{3}\u{4}", true), ("\u{1f}", false), ("", false), ("a video", false),
        (String(repeating: "\u{0}", count: 257) + "ustar", true),
    ])
    func `The first bytes of a pipe tell an archive from a video`(start: String, isArchive: Bool) throws {
        try pipe(Data(start.utf8) + (start.isEmpty ? Data() : Data(count: 2000))) { input in
            #expect(input.isArchive == isArchive && input.isEmpty == start.isEmpty)
        }
        try pipe(Data([0x1f, 0x8b, 8])) { #expect($0.isArchive) }
    }

    @Test(arguments: [1, 511, 512, 513, 5000])
    func `A pipe gives all its bytes, those that told what it is included`(count: Int) throws {
        let bytes = Data((0..<count).map { UInt8(truncatingIfNeeded: $0 * 7) })
        try pipe(bytes) { input in
            var all = Data()
            var part = [UInt8](repeating: 0, count: 300)
            while true {
                let count = part.withUnsafeMutableBytes { input.read(into: $0) }
                guard count > 0 else { break }
                all += part[..<count]
            }
            #expect(all == bytes)
        }
    }

    @Test func `A pipe that is stopped does not wait`() {
        let pipe = Pipe()
        let input = PipedInput(pipe.fileHandleForReading.fileDescriptor) { true }
        #expect(input.isEmpty)
    }

    @Test func `A video in a pipe is read to its end, with its moments`() throws {
        try pipe(film("mkv")) { input in
            let video = LiveVideo(.pipe(input), patience: 60) {
                false
            } remark: { _ in
            }
            var moments: [Double] = []
            while let (_, moment) = try video.next() { moments.append(moment) }
            #expect(moments.count == 20 && isClose(moments[5], 0.5, within: 0.002))
            #expect(video.reconnections == 0)
        }
    }

    @Test func `A pipe that is no video is refused in words that help`() throws {
        try pipe(Data("frame,track\n".utf8)) { input in
            let video = LiveVideo(.pipe(input), patience: 60) {
                false
            } remark: { _ in
            }
            let error = #expect(throws: FileError.self) { try video.next() }
            #expect(error?.description.contains("is not a readable video") == true)
        }
    }

    @Test(arguments: [
        ("rtsp://10.0.0.1/1", true), ("RTSP://a", true), ("udp://@:1234", true), ("https://a/b.m3u8", true),
        ("srt://a:1", true), ("file:///etc/passwd", false), ("concat:a|b", false), ("match.mp4", false),
        ("-", false),
        ("rtsp:", false), ("data://x", false),
    ])
    func `Only addresses of a few protocols are opened`(path: String, isAddress: Bool) {
        #expect(LiveVideo.isAddress(path) == isAddress)
    }

    @Test func `An address that does not answer is tried again, and named without its password`() throws {
        var remarks: [String] = []
        let video = LiveVideo(.address("tcp://me:secret@127.0.0.1:1/a@b"), patience: 1.2) {
            false
        } remark: {
            remarks.append($0)
        }
        let error = #expect(throws: FileError.self) { try video.next() }
        #expect(error?.path == "tcp://127.0.0.1:1/a@b" && !"\(remarks)\(error as Any)".contains("secret"))
        #expect(remarks.count == 1 && remarks[0].contains("trying again in 0.5 s"), "\(remarks)")
    }

    @Test func `Tracks are told when they end, and forgotten`() throws {
        var options = PlayerTracker.Options()
        options.detectEvery = 1
        // Somebody without a number stands there for a while.
        let tracker = PlayerTracker(options) { picture in
            picture.pixels[0] > 128
                ? [] : [Detection(left: 100, top: 20, width: 40, height: 100, score: 0.9)]
        }
        let folder = try TestFolder()
        try writeFilm(folder.path("a.mkv"), frames: 2, rate: 5) { picture($0, width: 320, height: 180) }
        var players = LivePlayers(
            tracker, try Recognizer(), roster: nil, names: [], like: try VideoReader(folder.path("a.mkv")))
        func look(_ frame: Int, level: UInt8) throws -> [LiveEvent] {
            let picture = RGBImage(
                width: 320, height: 180, pixels: [UInt8](repeating: level, count: 320 * 180 * 3))
            #expect(players.wants(Double(frame) / 5))
            return try players.look(at: picture, moment: Double(frame) / 5)
        }
        var events: [LiveEvent] = []
        for frame in 0..<20 { events += try look(frame, level: 100) }
        #expect(!players.wants(3.81) && events.isEmpty)
        for frame in 20..<40 { events += try look(frame, level: 140) }
        #expect(events.map(\.event) == [.end] && events.first?.track == "1" && events.first?.number == nil)
        #expect(isClose(events.first?.firstSecond, 0) && isClose(events.first?.lastSecond, 3.8))
        #expect(try players.end().isEmpty)
        let line = JSON.text(try JSON.line(events[0]))
        #expect(
            line.contains(#""event":"end""#) && line.contains(#""number":null"#)
                && line.contains(#""last_second":3.8"#))
    }
}
