import CSandbox
import Foundation
import Jersey
import TestSupport
import Testing

@testable import JerseyServer

/// Media from strangers, and the processes that decode them.
@Suite struct DecodingTests {
    private static func pool(_ change: (inout ServerSettings) -> Void = { _ in }) -> DecoderPool {
        var settings = ServerSettings()
        (settings.program, settings.workers) = (Subject.program, 1)
        change(&settings)
        return DecoderPool(settings)
    }

    /// Runs `body` on a decoder, for a request with these limits and this much memory.
    private func decode<Output: Sendable>(
        _ pool: DecoderPool = Subject.decoders, _ limits: RequestLimits = RequestLimits(),
        memory: Int = 1 << 30,
        work: Work? = nil,
        _ body: @escaping @Sendable (MediaDecoder, Work, Admission.MemoryPermit) throws -> Output
    ) async throws -> Output {
        let room = Admission.Room(requests: 1, bytes: memory)
        let work = work ?? Work(limits, of: "a")
        return try await Admission(room, ofClient: room).withMemoryPermit("a") { permit in
            try await pool.run(.init()) { try body($0, work, permit) }
        }
    }

    private static func film(frames: Int, width: Int = 64, height: Int = 48) throws -> Data {
        try withFolder { folder in
            let file = folder.appendingPathComponent("film.mkv")
            let image = picture(3, width: width, height: height)
            try writeFilm(file.path, frames: frames, rate: 10) { _ in image }
            return try Data(contentsOf: file)
        }
    }

    @Test func `Pictures are the same as when decoded in process, and each broken one is named`()
        async throws
    {
        let frames = [("a", try png(1)), ("b", Data("no picture".utf8)), ("c", try png(2)), ("d", Data())]
        let images = try await decode { decoder, work, permit in
            try decoder.pictures(frames.map { (name: $0.0, bytes: $0.1) }, work, permit)
        }
        for (frame, image) in zip(frames, images) {
            do {
                let expected = try RGBImage(decoding: frame.1, named: frame.0)
                #expect(try image.get() == expected)
            } catch let error as ImageError {
                #expect(throws: error) { try image.get() }
            }
        }
        #expect(images.count == 4)
    }

    @Test func `A process that is started gets none of the descriptors that are open here`() throws {
        // SwiftNIO also opens its sockets without close-on-exec.
        let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        #expect(fcntl(socket, F_GETFD) & FD_CLOEXEC == 0)
        var ends: [Int32] = [0, 0]
        #expect(cs_pipe(&ends, 1 << 12) == 0)
        let output = FileHandle(fileDescriptor: ends[0], closeOnDealloc: true)
        let words: [UnsafeMutablePointer<CChar>?] = [strdup("ls"), strdup("/proc/self/fd")]
        defer { for word in words { free(word) } }
        let process = cs_spawn("/bin/ls", words + [nil], [nil], 0, ends[1])
        close(ends[1])
        #expect(process > 0)
        let open = String(decoding: try output.readToEnd() ?? Data(), as: UTF8.self).split(separator: "\n")
        #expect(cs_wait(process) == 0)
        // The last one is the folder that `ls` reads.
        #expect(open == ["0", "1", "2", "3"])
    }

    @Test func `Only what says to be small, and is, is decoded in the service itself`() async throws {
        let small = try png(width: 50, height: 40)
        let jpeg = try RGBImage(decoding: small, named: "a").jpegData()
        var progressive = jpeg
        progressive[try #require(jpeg.firstRange(of: Data([0xFF, 0xC0]))).lowerBound + 1] = 0xC2
        let cases: [([Data], own: Int, isOwn: Bool)] = [
            ([small, jpeg], 2000, true), ([small], 1999, false), ([small], 0, false),
            ([small, progressive], 2000, false),
            ([small, Data("no picture".utf8)], 2000, false),
        ]
        for (frames, own, isOwn) in cases {
            var limits = RequestLimits()
            limits.ownPixels = own
            let images = try await decode(Subject.decoders, limits) { decoder, work, permit in
                try decoder.smallPictures(frames.map { (name: "a", bytes: $0) }, work, permit)
            }
            #expect((images != nil) == isOwn, "\(own)")
            if isOwn { #expect(try images?.first?.get() == RGBImage(decoding: small, named: "a")) }
        }
    }

    @Test func `A decoder has no rights but to decode: no further files, calls, privileges and processes`()
        throws
    {
        let decoder = try DecoderProcess(Subject.program, memory: 64 << 20, nice: 3)
        func fields(_ file: String) throws -> [String: String] {
            let text = try String(contentsOfFile: "/proc/\(decoder.process)/\(file)", encoding: .utf8)
            let rows = text.split(separator: "\n").map {
                $0.split(separator: /:|  +/).map { $0.trimmingCharacters(in: .whitespaces) }
            }
            return Dictionary(
                rows.map { ($0[0], $0.count > 1 ? $0[1] : "") }, uniquingKeysWith: { first, _ in first })
        }
        let status = try fields("status")
        #expect(status["Seccomp"] == "2" && status["NoNewPrivs"] == "1" && status["Threads"] == "1")
        let limits = try fields("limits")
        for name in ["Max open files", "Max file size", "Max processes", "Max core file size"] {
            #expect(limits[name] == "0", "\(name)")
        }
        #expect(limits["Max data size"].flatMap { Int($0) } ?? .max < 1 << 30)
        // Only the two pipes, and /dev/null for errors.
        if let files = try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(decoder.process)/fd") {
            #expect(files.sorted() == ["0", "1", "2"])
        }
    }

    @Test func `What takes more memory than a decoder has costs one request, and the next is answered`()
        async throws
    {
        let pool = Self.pool { $0.decoderMemory = 64 << 20 }
        let large = try RGBImage(width: 4000, height: 4000, pixels: Array(repeating: 7, count: 48_000_000))
            .pngData()
        let error = await #expect(throws: ServiceError.self) {
            try await decode(pool) { decoder, work, permit in
                _ = try decoder.pictures([("a", large)], work, permit)
            }
        }
        #expect(
            error?.status == .unprocessableContent && error?.description.contains("64 MiB") == true,
            "\(String(describing: error))")
        let small = try png()
        #expect(try await decode(pool) { try $0.pictures([("a", small)], $1, $2) }.count == 1)
    }

    @Test
    func
        `A decoder continues when all of a service's processes are asked to end: requests in flight are answered first`()
        async throws
    {
        let pool = Self.pool()
        let small = try png()
        let process = try await decode(pool) { decoder, work, permit in
            _ = try decoder.pictures([("a", small)], work, permit)
            return try #require(decoder.processID)
        }
        for signal in [SIGTERM, SIGINT, SIGHUP] { kill(process, signal) }
        let images = try await decode(pool) { decoder, work, permit in
            #expect(decoder.processID == process)
            return try decoder.pictures([("a", small)], work, permit)
        }
        #expect(images.count == 1)
    }

    /// In a process that can no longer open files, such as the table of letters.
    @Test func `Names in an archive may be in any alphabet`() async throws {
        // One file in a folder, with names in UTF-8.
        let zip = try #require(
            Data(
                base64Encoded: """
                    UEsDBBQAAAgAAAAAIQCCSr9qAQAAAAEAAAAPAAAATcO8bGxlci/njosucG5nN1BLAQIUAxQAAAgAAAAAIQCCSr9q\
                    AQAAAAEAAAAPAAAAAAAAAAAAAACAAQAAAABNw7xsbGVyL+eOiy5wbmdQSwUGAAAAAAEAAQA9AAAALgAAAAAA
                    """))
        let files = try await decode { try $0.archive(zip, named: "archive", $1, $2) }
        #expect(files.map(\.path) == ["Müller/王.png"])
        #expect(files.map(\.bytes) == [Data("7".utf8)])
    }

    @Test
    func
        `Pictures that are decoded in the service itself are paid for, too, and nothing is done once the client has left`()
        async throws
    {
        let frame = try picture(width: 200, height: 200).pngData()
        let work = Work(RequestLimits(), of: "a")
        let before = work.cpu
        _ = try await decode(work: work) {
            try $0.smallPictures(Array(repeating: (name: "a", bytes: frame), count: 20), $1, $2)
        }
        #expect(work.cpu < before)
        work.end(.clientLeft)
        let error = await #expect(throws: ServiceError.self) {
            _ = try await decode(work: work) { try $0.smallPictures([("a", frame)], $1, $2) }
        }
        #expect(error == .clientLeft)
    }

    @Test func `A decoder that dies is replaced`() async throws {
        let pool = Self.pool()
        let small = try png()
        for _ in 0..<3 {
            let process = try await decode(pool) { decoder, work, permit in
                _ = try decoder.pictures([("a", small)], work, permit)
                return try #require(decoder.processID)
            }
            kill(process, SIGKILL)
            // The first request after the kill fails, unless the death was noticed before.
            _ = try? await decode(pool) { decoder, work, permit in
                _ = try decoder.pictures([("a", small)], work, permit)
            }
            #expect(try await decode(pool) { try $0.pictures([("a", small)], $1, $2) }.count == 1)
        }
    }

    @Test func `Decoding ends when the client has left, and the decoder remains usable`() async throws {
        let pool = Self.pool()
        let film = try Self.film(frames: 1000, width: 640, height: 480)
        let work = Work(RequestLimits(), of: "a")
        let task = Task {
            try await decode(pool, work: work) { decoder, work, permit in
                _ = try decoder.film(film, named: "f", work, permit)
            }
        }
        try await Task.sleep(for: .milliseconds(100))
        work.end(.clientLeft)
        await #expect(throws: ServiceError.clientLeft) { try await task.value }
        let small = try png()
        #expect(try await decode(pool) { try $0.pictures([("a", small)], $1, $2) }.count == 1)
    }

    @Test func `A request's pixels are counted, also those of frames that are passed over`() async throws {
        let film = try Self.film(frames: 20)
        var limits = RequestLimits()
        (limits.pixels, limits.totalPixels) = (5 * 64 * 48, 20 * 64 * 48)
        let kept = try await decode(Subject.decoders, limits) { try $0.film(film, named: "f", $1, $2) }
        #expect(kept.map(\.index) == [0, 4, 8, 12, 16])
        limits.totalPixels -= 1
        let tight = limits
        let error = await #expect(throws: ServiceError.self) {
            try await decode(Subject.decoders, tight) { decoder, work, permit in
                _ = try decoder.film(film, named: "f", work, permit)
            }
        }
        #expect(error?.status == .contentTooLarge && error?.description.contains("in all its frames") == true)
        // The decoder itself reported this, and continues.
        let frame = try png()
        var small = RequestLimits()
        small.pixels = 6 * 10 - 1
        let together = await #expect(throws: ServiceError.self) {
            try await decode(Subject.decoders, small) { decoder, work, permit in
                _ = try decoder.pictures([("a", frame)], work, permit)
            }
        }
        #expect(together == Work.tooManyPixelsTogether(small.pixels))
        limits.totalPixels = 6 * 10
        let work = Work(limits, of: "a")
        _ = try await decode(work: work) { try $0.pictures([("a", frame)], $1, $2) }
        await #expect(throws: ServiceError.self) {
            try await decode(work: work) { decoder, work, permit in
                _ = try decoder.pictures([("a", frame)], work, permit)
            }
        }
    }

    @Test func `A request's time of a processor is counted, and what takes more is ended`() async throws {
        let film = try Self.film(frames: 1000, width: 640, height: 480)
        let work = Work(RequestLimits(), of: "a")
        try work.spend(cpu: 19.9)
        let error = await #expect(throws: ServiceError.self) {
            try await decode(work: work) { decoder, work, permit in
                _ = try decoder.film(film, named: "f", work, permit)
            }
        }
        #expect(error == work.tooSlow && error?.status == .unprocessableContent)
    }

    @Test
    func
        `Memory is reserved before pictures are decoded, and the decoder remains usable if there is none`()
        async throws
    {
        let pool = Self.pool()
        let frame = try png(width: 100, height: 100)
        let process = try await decode(pool) { decoder, work, permit in
            _ = try decoder.pictures([("a", frame)], work, permit)
            return decoder.processID
        }
        let error = await #expect(throws: ServiceError.self) {
            try await decode(pool, memory: 29_999) { decoder, work, permit in
                _ = try decoder.pictures([("a", frame)], work, permit)
            }
        }
        #expect(error?.status == .tooManyRequests)
        let after = try await decode(pool, memory: 30_000) { decoder, work, permit in
            _ = try decoder.pictures([("a", frame)], work, permit)
            return decoder.processID
        }
        #expect(process == after)
    }

    // MARK: Messages through the pipes

    @Test func `Packets come out as they went in, and invalid ones are refused`() throws {
        var job = MediaJob(.archive, sizes: [3, 0, .max])
        (job.name, job.framePixels, job.pixels, job.totalPixels) = ("ä\u{0}", 1, 2, 3)
        (job.frames, job.entryBytes, job.bytes, job.cpuSeconds) = (4, 5, 6, 7)
        let back = try MediaJob(job.packet)
        #expect(back.packet == job.packet && back.sizes == job.sizes && back.name == job.name)
        let answers: [MediaAnswer] = [
            .question(1), .picture(index: 2, width: 3, height: 4),
            .broken(index: 5, .tooLarge(width: 6, height: 7, limit: 8)),
            .broken(index: 0, .corrupt("why")), .file("a/b", 9), .done(pixels: 10),
            .failed(isTooLarge: true, "too much"),
        ]
        for answer in answers {
            let packet = answer.packet
            #expect(try MediaAnswer(packet).packet == packet)
            for length in 0..<packet.bytes.count {
                #expect(throws: Packet.Malformed.self) {
                    try MediaAnswer(Packet(Array(packet.bytes.prefix(length))))
                }
            }
        }
        for (width, height) in [(0, 1), (1, -1), (Int.max, 1), (1 << 25, 1)] {
            let packet = MediaAnswer.picture(index: 0, width: width, height: height).packet
            #expect(throws: Packet.Malformed.self) { try MediaAnswer(packet) }
        }
        var text = Packet()
        text.add(Int.max)
        #expect(throws: Packet.Malformed.self) { try text.text() }
    }

    @Test func `An image's size is what its head says, and progressive ones count for more`() throws {
        let image = try png(width: 30, height: 20)
        #expect(DeclaredSize(image)?.pixels == 600 && DeclaredSize(image)?.isProgressive == false)
        let jpeg = try RGBImage(decoding: image, named: "a").jpegData()
        #expect(DeclaredSize(jpeg)?.pixels == 600 && DeclaredSize(jpeg)?.isProgressive == false)
        var progressive = jpeg
        let mark = try #require(jpeg.firstRange(of: Data([0xFF, 0xC0])))
        progressive[mark.lowerBound + 1] = 0xC2
        #expect(DeclaredSize(progressive)?.cost == 8 * 600)
        for bytes in [image, jpeg] {
            for length in 0..<bytes.count { _ = DeclaredSize(bytes.prefix(length)) }
        }
        var endless = image
        endless.replaceSubrange(16..<24, with: Data(repeating: 0xFF, count: 8))
        #expect(try #require(DeclaredSize(endless)).cost > 1 << 40)
        #expect(DeclaredSize(Data("no image at all".utf8)) == nil && DeclaredSize(Data()) == nil)
    }

    @Test func `Archives are read as the command reads them, folder by folder`() async throws {
        let paths = ["b/10.png", "b/9.png", "1.png", "a/x/1.png", "a/2_anchor.png", "a10/1.png", "a9/1.png"]
        let frame = try png()
        let folder = try TestFolder()
        for path in paths { try folder.url.add("z/" + path, frame) }
        let expected = try UnlabelledSequences([folder.path("z")]).sequences
        let room = Admission.Room(requests: 1, bytes: 1)
        let prefix = folder.url.path + "/"
        let found = try await Admission(room, ofClient: room).withMemoryPermit("a") { permit in
            var upload = Upload(RequestLimits(), permit)
            return try upload.sequences(paths.map { ($0, frame) }, inArchive: "z")
        }
        #expect(found.map(\.id) == expected.map { String($0.id.dropFirst(prefix.count)) })
        let names = found.map { sequence -> [String] in
            guard case .frames(let frames) = sequence.content else { return [] }
            return frames.map(\.name)
        }
        #expect(names == expected.map { $0.frames.map { String($0.dropFirst(prefix.count)) } })
    }
}
