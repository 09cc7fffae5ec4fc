import Foundation
import TestSupport
import Testing

@testable import Jersey

/// Pictures that are neither JPEG nor PNG, and EXIF in other containers. All show red at the left
/// and blue at the right, 8x4 pixels.
@Suite struct PictureKindTests {
    static func bytes(_ base64: String) -> Data { Data(base64Encoded: base64) ?? Data() }

    private static func isRed(_ image: RGBImage, _ x: Int, _ y: Int) -> Bool {
        let place = (y * image.width + x) * 3
        return image.pixels[place] > 140 && image.pixels[place + 2] < 110
    }

    @Test(arguments: [
        (
            "webp",
            "UklGRiIAAABXRUJQVlA4TBUAAAAvB8AAAA8wKEcBPRjy/EcL+hDR/wAA"
        ),
        (
            "bmp",
            "Qk2WAAAAAAAAADYAAAAoAAAACAAAAAQAAAABABgAAAAAAGAAAADEDgAAxA4AAAAAAAAAAAAAKCjIKCjIKCjIKCjI"
                + "yCgoyCgoyCgoyCgoKCjIKCjIKCjIKCjIyCgoyCgoyCgoyCgoKCjIKCjIKCjIKCjIyCgoyCgoyCgoyCgoKCjIKCjI"
                + "KCjIKCjIyCgoyCgoyCgoyCgo"
        ),
        (
            "tif",
            "SUkqACgAAACAMgUCiBQSBwWDwmDQSCw2FQqHQyIQ+FxFkRaKRiCQEAoAAAEDAAEAAAAIAAAAAQEDAAEAAAAEAAAA"
                + "AgEDAAMAAACmAAAAAwEDAAEAAAAFAAAABgEDAAEAAAACAAAAEQEEAAEAAAAIAAAAFQEDAAEAAAADAAAAFgEDAAEA"
                + "AAAEAAAAFwEEAAEAAAAgAAAAHAEDAAEAAAABAAAAAAAAAAgACAAIAA=="
        ),
        (
            "gif",
            "R0lGODdhCAAEAIEAAMgoKCgoyAAAAAAAACwAAAAACAAEAAAIEgABCAQQoGCAgQQNIjR4cCDDgAA7"
        ),
        (
            "avif",
            "AAAAIGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZk1BMUIAAADrbWV0YQAAAAAAAAAhaGRscgAAAAAAAAAAcGljdAAA"
                + "AAAAAAAAAAAAAAAAAAAOcGl0bQAAAAAAAQAAAB5pbG9jAAAAAEQAAAEAAQAAAAEAAAETAAAANgAAAChpaW5mAAAA"
                + "AAABAAAAGmluZmUCAAAAAAEAAGF2MDFDb2xvcgAAAABqaXBycAAAAEtpcGNvAAAAFGlzcGUAAAAAAAAACAAAAAQA"
                + "AAAQcGl4aQAAAAADCAgIAAAADGF2MUOBAAwAAAAAE2NvbHJuY2x4AAEADQAGgAAAABdpcG1hAAAAAAAAAAEAAQQB"
                + "AoMEAAAAPm1kYXQSAAoIGAh+0QENBoQyKBTHh4ZlAgggnlAAAAD2b2M9SQJKhjCckqdhvySy5b9/wZrPEelrnaA="
        ),
    ])
    func `Pictures of other kinds are read`(kind: String, base64: String) throws {
        let image = try RGBImage(decoding: Self.bytes(base64), named: kind)
        #expect((image.width, image.height) == (8, 4))
        #expect(Self.isRed(image, 1, 1) && !Self.isRed(image, 6, 2))
        let info = try ImageInfo(decoding: Self.bytes(base64), named: kind)
        #expect((info.width, info.height) == (8, 4))
        let error = #expect(throws: ImageError.self) {
            try RGBImage(decoding: Self.bytes(base64), named: kind, maximumPixels: 31)
        }
        if case .tooLarge = error?.reason {} else { Issue.record("\(kind): \(String(describing: error))") }
    }

    @Test(arguments: [
        (
            "PNG",
            "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAECAIAAAA8r+mnAAAAGmVYSWZNTQAqAAAACAABARIAAwAAAAEABgAAAAAA"
                + "ANZnS2kAAAAZSURBVHicYzyhocEAAwkMC+BsJgYcgHQJAMOEAiD3su+aAAAAAElFTkSuQmCC"
        ),
        (
            "WEBP",
            "UklGRlYAAABXRUJQVlA4WAoAAAAIAAAABwAAAwAAVlA4TBUAAAAvB8AAAA8wKEcBPRjy/EcL+hDR/wAARVhJRhoA"
                + "AABNTQAqAAAACAABARIAAwAAAAEABgAAAAAAAA=="
        ),
        (
            "TIFF",
            "SUkqACgAAACAMgUCiBQSBwWDwmDQSCw2FQqHQyIQ+FxFkRaKRiCQEAsAAAEDAAEAAAAIAAAAAQEDAAEAAAAEAAAA"
                + "AgEDAAMAAACyAAAAAwEDAAEAAAAFAAAABgEDAAEAAAACAAAAEQEEAAEAAAAIAAAAEgEDAAEAAAAGAAAAFQEDAAEA"
                + "AAADAAAAFgEDAAEAAAAEAAAAFwEEAAEAAAAgAAAAHAEDAAEAAAABAAAAAAAAAAgACAAIAA=="
        ),
    ])
    func `A picture is turned as its EXIF orientation says, whatever it is in`(kind: String, base64: String)
        throws
    {
        let image = try RGBImage(decoding: Self.bytes(base64), named: kind)
        // Held with its left side up.
        #expect((image.width, image.height) == (4, 8))
        #expect(Self.isRed(image, 1, 1) && !Self.isRed(image, 2, 6))
        let info = try ImageInfo(decoding: Self.bytes(base64), named: kind)
        #expect((info.width, info.height) == (4, 8))
    }

    @Test func `A cut picture of another kind is an error, and no crash`() {
        let whole = Self.bytes(
            "SUkqACgAAACAMgUCiBQSBwWDwmDQSCw2FQqHQyIQ+FxFkRaKRiCQEAoAAAEDAAEAAAAIAAAAAQEDAAEAAAAEAAAA"
                + "AgEDAAMAAACmAAAAAwEDAAEAAAAFAAAABgEDAAEAAAACAAAAEQEEAAEAAAAIAAAAFQEDAAEAAAADAAAAFgEDAAEA"
                + "AAAEAAAAFwEEAAEAAAAgAAAAHAEDAAEAAAABAAAAAAAAAAgACAAIAA==")
        for count in stride(from: 5, to: whole.count, by: 7) {
            _ = try? RGBImage(decoding: whole.prefix(count), named: "cut")
        }
    }

    @Test func `Pictures that cannot be read are named among the others, and not passed over`() throws {
        try withFolder { folder in
            try folder.add("p/1.jpg", picture(1).jpegData())
            try folder.add("p/2.heic", Data("\0\0\0\u{18}ftypheic....".utf8))
            try folder.add("p/3.jfif", picture(3).jpegData())
            try folder.add("p/notes.txt", Data("x".utf8))
            let found = try UnlabelledSequences([folder.path]).sequences
            #expect(found[0].frames.map(\.lastName) == ["1.jpg", "2.heic", "3.jfif"])
            let error = #expect(throws: ImageError.self) {
                try RGBImage(contentsOf: URL(fileURLWithPath: found[0].frames[1]))
            }
            #expect(error?.description.contains("is a HEIC image") == true)
        }
    }

    @Test func `A folder that links reach again is read once, under its own name`() throws {
        try withFolder { folder in
            for name in ["a/1.png", "b/1.png"] { try folder.add(name, picture(1).pngData()) }
            for (link, target) in [("a/again", "../a"), ("a/other", "../b"), ("all", "."), ("0", "a")] {
                try FileManager.default.createSymbolicLink(
                    atPath: folder.appendingPathComponent(link).path, withDestinationPath: target)
            }
            let found = try UnlabelledSequences([folder.path]).sequences
            #expect(found.count == 2)
        }
    }

    @Test func `HEVC that begins between key frames begins at the first, and says so`() throws {
        let film = Self.bytes(
            "AAAAAUABDAH//wFgAAADAJAAAAMAAAMAHpKAkAAAAAFCAQEBYAAAAwCQAAADAAADAB6gIIEFlkqSTK5oCAAAAwAI"
                + "AAADAMhAAAAAAUQBwXK0IgAAAAECAdAR/9Skhh5jkPqEAAAAAQIB0Bif/c+A4eY5+oQAAAABAgHQIJ/9zKBh5jv6"
                + "hAAAAAECAdAon/3PgOHmOfqEAAAAAQIB0DCf/cygYeY7+oQAAAABAgHQOJ/9z4GHGOT6hAAAAAFAAQwB//8BYAAA"
                + "AwCQAAADAAADAB6SgJAAAAABQgEBAWAAAAMAkAAAAwAAAwAeoCCBBZZKkkyuaAgAAAMACAAAAwDIQAAAAAFEAcFy"
                + "tCJAAAABKAGvEID0kev++eXQDgAAAAECAdAJfj5h5jv6hAAAAAECAdAR/9T4YeY5+oQAAAABAgHQGJ/9z4GHmOz6"
                + "hAAAAAECAdAgn/3KSBGY5PqEAAAAAQIB0Cif/cpIEmOQ+oQAAAABAgHQMJ/9ykgRGOz6hAAAAAECAdA4n/3KSBJj"
                + "kPqE")
        let video = try VideoReader(decoding: film, named: "cut")
        var shades: [UInt8] = []
        while try video.next() != nil { shades.append(try video.image().pixels[0]) }
        // Sixteen frames brighten by 15 each; the ninth is the next key frame.
        #expect(shades.count == 8 && 115...125 ~= shades[0])
        #expect(video.damage?.first.contains("6 pictures before the first key frame") == true)
    }
}
