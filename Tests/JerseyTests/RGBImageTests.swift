import Foundation
import TestSupport
import Testing

@testable import Jersey

@Suite("RGBImage")
struct RGBImageTests {
    // MARK: what is read

    @Test(arguments: ImageFixture.all)
    func `Every kind of JPEG and PNG becomes the RGB that Pillow gives`(_ fixture: ImageFixture) throws {
        let image = try RGBImage(decoding: fixture.bytes, named: fixture.name)
        #expect(image == RGBImage(width: fixture.width, height: fixture.height, pixels: fixture.pixels))
        let info = try ImageInfo(decoding: fixture.bytes, named: fixture.name)
        #expect(info.width == fixture.width && info.height == fixture.height)
        #expect(info.format == (fixture.bytes.first == 0xFF ? .jpeg : .png))
    }

    @Test func `16-bit grey keeps its high byte`() throws {
        let bytes = data(
            "iVBORw0KGgoAAAANSUhEUgAAAAMAAAABEAAAAABuG5crAAAAD0lEQVR42mNg+C9k8u8OAAi+AyD+XSVkAAAAAElFTkSuQmCC"
        )
        #expect(
            try RGBImage(decoding: bytes, named: "grey").pixels == [
                0, 0, 0, 0x12, 0x12, 0x12, 0xFE, 0xFE, 0xFE,
            ])
    }

    @Test(
        arguments: [
            (1, "AB CD EF"), (2, "BA DC FE"), (3, "FE DC BA"), (4, "EF CD AB"),
            (5, "ACE BDF"), (6, "ECA FDB"), (7, "FDB ECA"), (8, "BDF ACE"), (9, "AB CD EF"),
        ])
    func `A JPEG is turned as its EXIF orientation says`(_ value: Int, _ letters: String) throws {
        let bytes = try withOrientation(UInt8(value), blocks("AB CD EF").jpegData(quality: 100))
        let image = try RGBImage(decoding: bytes, named: "turned")
        #expect(self.letters(image) == letters)
        let info = try ImageInfo(decoding: bytes, named: "turned")
        #expect((info.width, info.height) == (image.width, image.height))
    }

    /// With libjpeg's own list of markers, this would take minutes.
    @Test(.timeLimit(.minutes(2)))
    func `A million empty markers are passed over, and the first EXIF block behind them counts`() throws {
        let turned = try withOrientation(6, withOrientation(1, blocks("AB CD EF").jpegData(quality: 100)))
        let markers = Data((0..<1_000_000).flatMap { _ in [0xFF, 0xE1, 0, 2] as [UInt8] })
        let image = try RGBImage(decoding: turned.prefix(2) + markers + turned.dropFirst(2), named: "markers")
        #expect(letters(image) == "ECA FDB")
    }

    @Test func `A PNG named .jpg decodes, and a slice of a longer buffer too`() throws {
        let image = gradient(5, 4)
        let png = try image.pngData()
        try withFile("crop.jpg", png) { url throws in
            #expect(try RGBImage(contentsOf: url) == image)
            #expect(try ImageInfo(contentsOf: url).format == .png)
        }
        let longer = Data([1, 2, 3]) + png + Data("trailing".utf8)
        #expect(try RGBImage(decoding: longer[3...], named: "slice") == image)
    }

    // MARK: what is written

    @Test(arguments: [(1, 1), (7, 3), (48, 96), (1, 300)])
    func `PNG gives every pixel back, JPEG nearly`(_ width: Int, _ height: Int) throws {
        let image = gradient(width, height)
        #expect(try RGBImage(decoding: image.pngData(), named: "png") == image)
        let jpeg = try RGBImage(decoding: image.jpegData(quality: 95), named: "jpeg")
        #expect((jpeg.width, jpeg.height) == (width, height))
        let difference = zip(jpeg.pixels, image.pixels).map { abs(Int($0) - Int($1)) }.reduce(0, +)
        #expect(Double(difference) / Double(image.pixels.count) < 8)
    }

    @Test func `A lower quality makes a smaller file`() throws {
        let image = gradient(64, 64)
        #expect(try image.jpegData(quality: 10).count < image.jpegData(quality: 95).count)
    }

    @Test func `An image too long for JPEG is refused in words, and PNG takes it`() throws {
        let image = gradient(65_501, 1)
        #expect(
            throws: ImageError(
                name: "65501x1 image",
                reason: .unwritable("JPEG", "Maximum supported image dimension is 65500 pixels"))
        ) { try image.jpegData() }
        #expect(try RGBImage(decoding: image.pngData(), named: "long") == image)
    }

    // MARK: what is refused

    @Test(arguments: ["JPEG", "progressive JPEG", "PNG"])
    func `An image cut short at any length is truncated, never half an image`(_ format: String) throws {
        let whole =
            switch format {
            case "JPEG": try gradient(20, 12).jpegData()
            case "PNG": try gradient(20, 12).pngData()
            default: ImageFixture.progressive.bytes
            }
        #expect(throws: Never.self) { try RGBImage(decoding: whole, named: "whole") }
        for count in 0..<whole.count {
            let reason: ImageError.Reason = count == 0 ? .empty : .truncated
            #expect(throws: ImageError(name: "cut", reason: reason)) {
                try RGBImage(decoding: whole.prefix(count), named: "cut")
            }
            _ = try? ImageInfo(decoding: whole.prefix(count), named: "cut")
        }
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func `Flipped bytes throw an ImageError or decode, and never crash`(_ seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let originals =
            try [gradient(20, 12).jpegData(), gradient(20, 12).pngData()] + ImageFixture.all.map(\.bytes)
        for original in originals {
            for _ in 0..<100 {
                var bytes = original
                for _ in 0..<Int.random(in: 1...6, using: &random) {
                    bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(
                        in: 0...255, using: &random)
                }
                do {
                    let image = try RGBImage(decoding: bytes, named: "flipped", maximumPixels: 1_000_000)
                    #expect(image.pixels.count == image.width * image.height * 3)
                } catch {
                    #expect(error is ImageError)
                }
            }
        }
    }

    @Test func `A header that claims too many pixels is refused by its size`() throws {
        let png = data(
            """
            iVBORw0KGgoAAAANSUhEUgABhqAAAYagCAIAAAAnMJyfAAAACUlEQVR42mMAAAABAAGxDbaTAAAAAElFTkSuQmCC
            """)
        #expect(
            throws: ImageError(
                name: "p", reason: .tooLarge(width: 100_000, height: 100_000, limit: 64_000_000))
        ) {
            try RGBImage(decoding: png, named: "p")
        }
        #expect(try ImageInfo(decoding: png, named: "p").width == 100_000)
        for side in [65_000, 65_535] {  // on both sides of libjpeg's own limit
            let jpeg = try withSize(side, side, gradient(8, 8).jpegData())
            #expect(
                throws: ImageError(name: "j", reason: .tooLarge(width: side, height: side, limit: 64_000_000))
            ) {
                try RGBImage(decoding: jpeg, named: "j")
            }
        }
        let small = try gradient(10, 10).pngData()
        #expect(throws: ImageError(name: "s", reason: .tooLarge(width: 10, height: 10, limit: 99))) {
            try RGBImage(decoding: small, named: "s", maximumPixels: 99)
        }
        #expect(throws: Never.self) { try RGBImage(decoding: small, named: "s", maximumPixels: 100) }
    }

    @Test func `A progressive JPEG of hundreds of scans is refused`() throws {
        let bytes = ImageFixture.progressive.bytes
        let scan = try #require(bytes.range(of: Data([0xFF, 0xDA]))).lowerBound
        let end = try #require(bytes.range(of: Data([0xFF, 0xC4]), in: scan..<bytes.count)).lowerBound
        let again = [Data](repeating: bytes[scan..<end], count: 200).reduce(Data(), +)
        let bomb = bytes[..<scan] + again + bytes[scan...]
        #expect(throws: ImageError(name: "bomb", reason: .corrupt("more than 100 scans"))) {
            try RGBImage(decoding: bomb, named: "bomb")
        }
    }

    @Test func `Damage in the picture itself is corrupt, not grey`() throws {
        let whole = try gradient(64, 64).jpegData()
        let hole = whole.prefix(whole.count / 2 + 100) + Data([0xFF, 0xD9])
        #expect(
            throws: ImageError(
                name: "hole", reason: .corrupt("Corrupt JPEG data: premature end of data segment"))
        ) {
            try RGBImage(decoding: hole, named: "hole")
        }
        var png = try gradient(20, 12).pngData()
        png[60] ^= 0x10
        #expect(throws: ImageError.self) { try RGBImage(decoding: png, named: "png") }
    }

    @Test(
        arguments: [
            ("\0\0\0\u{18}ftypheic....", "a HEIC image"),
            ("\0\0\0\u{18}ftypavif....", "an AVIF image"),
            ("\0\0\0\u{18}ftypisom....", "an MP4 or QuickTime video"),
            ("%PDF-1.7", "a PDF document"), ("<html>\n", "a text file"),
            ("\u{1}\u{2}\u{3}", "of an unknown format"),
        ])
    func `What is not a JPEG or PNG is called by its name`(_ content: String, _ what: String) {
        #expect(throws: ImageError(name: "crop.jpg", reason: .unsupported(what))) {
            try RGBImage(decoding: Data(content.utf8), named: "crop.jpg")
        }
    }

    @Test func `A file that is missing, a folder or forbidden says so`() throws {
        let folder = FileManager.default.temporaryDirectory
        let missing = URL(fileURLWithPath: TestFolder.missing)
        #expect(throws: ImageError(name: missing.path, reason: .missing)) {
            try RGBImage(contentsOf: missing)
        }
        #expect(throws: ImageError(name: folder.path, reason: .unreadable("it is a folder"))) {
            try ImageInfo(contentsOf: folder)
        }
        try withFile("forbidden.png", gradient(2, 2).pngData()) { url in
            try #require(chmod(url.path, 0) == 0)
            // Root can read everything.
            guard !FileManager.default.isReadableFile(atPath: url.path) else { return }
            #expect(throws: ImageError(name: url.path, reason: .noPermission)) {
                try RGBImage(contentsOf: url)
            }
        }
    }

    @Test func `An error prints as one sentence with the name, the reason and the way out`() {
        let error = ImageError(name: "7/3.heic", reason: .unsupported("a HEIC image"))
        #expect(
            "\(error)"
                == "7/3.heic is a HEIC image, which is not read; convert it to JPEG or PNG, or replace it")
        #expect((error as any Error).localizedDescription == "\(error)")
        let large = ImageError(
            name: "a.png", reason: .tooLarge(width: 9_000, height: 8_000, limit: 64_000_000))
        #expect(
            "\(large)"
                == "a.png is 9000x8000, more than the limit of 64000000 pixels; scale it down or crop it")
    }
}

// MARK: - images to test with

/// Made with Pillow. The pixels are those of its `convert("RGB")`.
struct ImageFixture: Sendable, CustomTestStringConvertible {
    let name: String
    let width: Int, height: Int
    let pixels: [UInt8]
    let bytes: Data

    var testDescription: String { name }

    init(_ name: String, _ width: Int, _ height: Int, _ pixels: [UInt8], _ base64: String) {
        (self.name, self.width, self.height, self.pixels, bytes) = (name, width, height, pixels, data(base64))
    }

    static let colours: [UInt8] = [255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30, 200, 150, 100, 255, 255, 255]
    static let halvedChroma: [UInt8] = [
        88, 93, 9, 140, 145, 61, 31, 14, 155, 31, 36, 0, 184, 189, 105, 223, 206, 255,
    ]

    static let progressive = ImageFixture(
        "progressive JPEG", 3, 2, halvedChroma,
        """
        /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0aHBwgJC4nICIsIxwcKDcpLDAxNDQ0Hyc5PTgyPC4zNDL/
        2wBDAQkJCQwLDBgNDRgyIRwhMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjL/wgARCAACAAMDASIAAhEBAxEB/8QA
        FQABAQAAAAAAAAAAAAAAAAAAAAb/xAAVAQEBAAAAAAAAAAAAAAAAAAADBf/aAAwDAQACEAMQAAABoBWP/8QAFRABAQAAAAAAAAAAAAAAAAAABAP/2gAIAQEA
        AQUCAaFAf//EABYRAAMAAAAAAAAAAAAAAAAAAAABMf/aAAgBAwEBPwF0/8QAGREAAQUAAAAAAAAAAAAAAAAAAAECBDNx/9oACAECAQE/AY9TcQ//xAAYEAEB
        AQEBAAAAAAAAAAAAAAACAQMAIf/aAAgBAQAGPwLFvHNKn20y9//EABcQAQADAAAAAAAAAAAAAAAAAAEAEYH/2gAIAQEAAT8hHX23HZ//2gAMAwEAAgADAAAA
        EP8A/8QAFREBAQAAAAAAAAAAAAAAAAAAADH/2gAIAQMBAT8Qs//EABcRAAMBAAAAAAAAAAAAAAAAAAABUfD/2gAIAQIBAT8QzIj/xAAXEAEBAQEAAAAAAAAA
        AAAAAAABESEA/9oACAEBAAE/EE1rrnJqK4Hf/9k=
        """)

    static let all = [
        progressive,
        ImageFixture(
            "JPEG with halved chroma", 3, 2, halvedChroma,
            """
            /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0aHBwgJC4nICIsIxwcKDcpLDAxNDQ0Hyc5PTgyPC4zNDL/
            2wBDAQkJCQwLDBgNDRgyIRwhMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjL/wAARCAACAAMDASIAAhEBAxEB/8QA
            FQABAQAAAAAAAAAAAAAAAAAAAAf/xAAcEAABBAMBAAAAAAAAAAAAAAABAAMEBQIGESH/xAAVAQEBAAAAAAAAAAAAAAAAAAADBv/EABwRAAEDBQAAAAAAAAAA
            AAAAAAABAgMFMjRysf/aAAwDAQACEQMRAD8AoOh6zQWeh0kyfSVsuU7EwLj78RtzPM857kR0+AIiKtp+JFq3iAPuU//Z
            """),
        ImageFixture(
            "grey JPEG", 3, 1, [0, 0, 0, 93, 93, 93, 255, 255, 255],
            """
            /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0aHBwgJC4nICIsIxwcKDcpLDAxNDQ0Hyc5PTgyPC4zNDL/
            wAALCAABAAMBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAB//EABsQAAAHAQAAAAAAAAAAAAAAAAABAgYHN3Sy/9oACAEBAAA/AEuJKqb+c+1D/9k=
            """),
        ImageFixture(
            "CMYK JPEG of Adobe", 2, 2, [255, 9, 0, 7, 217, 14, 154, 106, 107, 17, 18, 17],
            """
            /9j/7gAOQWRvYmUAZAAAAAAA/9sAQwAIBgYHBgUIBwcHCQkICgwUDQwLCwwZEhMPFB0aHx4dGhwcICQuJyAiLCMcHCg3KSwwMTQ0NB8nOT04MjwuMzQy/8AA
            FAgAAgACBEMRAE0RAFkRAEsRAP/EABQAAQAAAAAAAAAAAAAAAAAAAAf/xAAgEAADAAMAAgIDAAAAAAAAAAABAgMEBQYAERIhFCMx/9oADgRDAE0AWQBLAAA/
            AF8cby2YPysrmtPfIt+yta4Mmd2P2WYlfZJJ9knxy08pw0mBGM1nKePNURB6VQFAAAH8Hilp+I5KukwKU5fSO7Y02Zm18iSSo9kn4+GnT9r1eP1u5jHp91OU
            866IiZ9QqqKMAAA30B5//9k=
            """),
        ImageFixture(
            "PNG with alpha", 3, 2, colours,
            """
            iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAYAAACddGYaAAAAI0lEQVR4nGP4z8DAwPCfoYGB4f9/Bi4ROcYT01KY/v//zwwAaw8JfhF8w4QAAAAASUVO
            RK5CYII=
            """),
        ImageFixture(
            "grey PNG with alpha", 3, 1, [9, 9, 9, 99, 99, 99, 199, 199, 199],
            """
            iVBORw0KGgoAAAANSUhEUgAAAAMAAAABCAQAAACx6dw/AAAAD0lEQVR4nGPgZEj+f5wVAAZZAjiixvIdAAAAAElFTkSuQmCC
            """),
        ImageFixture(
            "palette PNG", 3, 2, colours,
            """
            iVBORw0KGgoAAAANSUhEUgAAAAMAAAACBAMAAABvWnspAAAAElBMVEX////IlmQA/wAKFB7/AAAAAP914yocAAAADklEQVR4nGN04mMwZAAAAfAAgxz6loQA
            AAAASUVORK5CYII=
            """),
        ImageFixture(
            "palette PNG with transparency", 3, 2, colours,
            """
            iVBORw0KGgoAAAANSUhEUgAAAAMAAAACBAMAAABvWnspAAAAElBMVEX////IlmQA/wAKFB7/AAAAAP914yocAAAAA3RSTlP//wDXyg1BAAAADklEQVR4nGN0
            4mMwZAAAAfAAgxz6loQAAAAASUVORK5CYII=
            """),
        ImageFixture(
            "1-bit PNG", 3, 2, [0, 0, 0, 255, 255, 255, 0, 0, 0, 255, 255, 255, 255, 255, 255, 0, 0, 0],
            """
            iVBORw0KGgoAAAANSUhEUgAAAAMAAAACAQAAAAC1D1u3AAAADElEQVR4nGNwYDgAAAGEAQEKf5BQAAAAAElFTkSuQmCC
            """),
        ImageFixture(
            "16-bit PNG", 2, 1, [18, 52, 255, 0, 127, 128],
            """
            iVBORw0KGgoAAAANSUhEUgAAAAIAAAABEAIAAAAr0DSeAAAAFUlEQVR42mMQ+m/S8P8/A2M9Q8N/ACVTBcNsPmYaAAAAAElFTkSuQmCC
            """),
        ImageFixture(
            "interlaced PNG", 3, 3, [5, 33, 61, 89, 117, 145, 173, 201, 229].flatMap { [$0, $0, $0] },
            """
            iVBORw0KGgoAAAANSUhEUgAAAAMAAAADCAAAAAEERNr1AAAAF0lEQVR42mNgZbBlWPuUQZHhJENk6UQAGVoEHtSv2S8AAAAASUVORK5CYII=
            """),
        ImageFixture(
            "animated PNG", 3, 2, colours,
            """
            iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAACGFjVEwAAAACAAAAAPONk3AAAAAaZmNUTAAAAAAAAAADAAAAAgAAAAAAAAAAAAAAAQAADoOa
            CQAAAB1JREFUeJxj+M/AwPCfgYHhPxO3iNyJ6Sn//zMAADz+Bv7GdkzQAAAAGmZjVEwAAAABAAAAAwAAAAIAAAAAAAAAAAAAAAEAAJXwcN0AAAAZZmRBVAAA
            AAJ4nGNkZGJmYGBgYGBgYoABAACmAAr112eOAAAAAElFTkSuQmCC
            """),
    ]
}

private func data(_ base64: String) -> Data {
    Data(base64Encoded: base64, options: .ignoreUnknownCharacters)!
}

private func gradient(_ width: Int, _ height: Int) -> RGBImage {
    let pixels = (0..<width * height).flatMap { i -> [UInt8] in
        let (x, y) = (i % width, i / width)
        return [x * 5, y * 7, (x + y) * 3].map { UInt8($0 & 255) }
    }
    return RGBImage(width: width, height: height, pixels: pixels)
}

/// A grey block of 8x8 pixels for each letter, A to F. Spaces separate rows.
private func blocks(_ letters: String) -> RGBImage {
    let rows = letters.split(separator: " ").map { $0.utf8.map { 20 + 40 * ($0 - 65) } }
    let pixels = rows.flatMap { row in
        (0..<8).flatMap { _ in row.flatMap { [UInt8](repeating: $0, count: 8 * 3) } }
    }
    return RGBImage(width: rows[0].count * 8, height: rows.count * 8, pixels: pixels)
}

/// The JPEG with an EXIF block that holds an orientation, right after the first marker.
private func withOrientation(_ value: UInt8, _ jpeg: Data) -> Data {
    let exif =
        Data("Exif\0\0MM\0*".utf8)
        + Data([0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, value, 0, 0, 0, 0, 0, 0])
    return jpeg.prefix(2) + Data([0xFF, 0xE1, 0, UInt8(exif.count + 2)]) + exif + jpeg.dropFirst(2)
}

/// The JPEG with another size in its frame header.
private func withSize(_ width: Int, _ height: Int, _ jpeg: Data) throws -> Data {
    let frame = try #require(jpeg.range(of: Data([0xFF, 0xC0]))).lowerBound
    var changed = jpeg
    changed.replaceSubrange(
        frame + 5..<frame + 9, with: [height, width].flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] })
    return changed
}

private func withFile(_ name: String, _ content: Data, _ body: (URL) throws -> Void) throws {
    try withFolder { folder in
        try folder.add(name, content)
        try body(folder.appendingPathComponent(name))
    }
}

extension RGBImageTests {
    /// The inverse of `blocks`.
    private func letters(_ image: RGBImage) -> String {
        stride(from: 4, to: image.height, by: 8).map { y in
            stride(from: 4, to: image.width, by: 8).map { x in
                String(UnicodeScalar(65 + image.pixels[(y * image.width + x) * 3] / 40))
            }.joined()
        }.joined(separator: " ")
    }
}
