import Foundation
import TestSupport
import Testing

@testable import JerseySupport

@Suite struct ShownTests {
    @Test(arguments: [
        ("plain", "plain"), ("Zoë Müller 7", "Zoë Müller 7"),
        ("\u{1b}]0;pwned\u{7}", "\\u{1b}]0;pwned\\u{7}"),
        ("a\nb\tc\r", "a\\nb\\tc\\r"), ("\u{9b}31m", "\\u{9b}31m"), ("\u{202e}gnp.exe", "\\u{202e}gnp.exe"),
        ("a\u{2028}b\u{2029}", "a\\u{2028}b\\u{2029}"),
        ("a\u{200b}\u{feff}\u{2066}\u{ad}b", "a\\u{200b}\\u{feff}\\u{2066}\\u{ad}b"),
        ("\u{e0041}\u{fe0f}\u{115f}", "\\u{e0041}\\u{fe0f}\\u{115f}"), ("\r\n", "\\r\\n"),
        ("a\u{0}b", "a\\u{0}b"), ("", ""),
        (String(fileSystemBytes: [UInt8(ascii: "M"), 0xfc, UInt8(ascii: "l")]), "M\\xfcl"),
    ])
    func `What steers a terminal or cannot be seen is written out, and stays so`(text: String, shown: String)
    {
        for function in [{ Shown.text($0) }, Shown.line, Shown.whole] {
            #expect(function(text) == shown)
            #expect(function(function(text)) == shown)
        }
        #expect(!shown.unicodeScalars.contains(where: Shown.isDeceptive))
    }

    @Test func `Lines keep their ends, and nothing else`() {
        #expect(Shown.lines("a\n\tb\u{1b}[2J\r") == "a\n\tb\\u{1b}[2J\\r")
    }

    @Test func `A long text is cut, in a time that does not depend on how long it is`() {
        let long = String(repeating: "a", count: 500) + "end"
        #expect(Shown.text(long, limit: 100).count == 100)
        #expect(
            Shown.text(long).hasPrefix("aaa") && Shown.text(long).hasSuffix("end")
                && Shown.text(long).contains("…"))
        let letters = String(repeating: "é", count: 300)
        #expect(Shown.text(letters) == letters)
        let huge = String(repeating: "x\u{301}", count: 20_000_000)
        let start = ContinuousClock.now
        #expect(Shown.line(huge).unicodeScalars.count <= 4000)
        #expect(ContinuousClock.now - start < .seconds(1))
    }

    @Test func `Errors of files are one line, whatever they name`() {
        let error = FileError(
            "/a/\u{1b}[2Jb\nc", "holds \u{202e}x", advice: "remove\n\(String(repeating: "y", count: 100_000))"
        )
        #expect(!error.description.unicodeScalars.contains(where: Shown.isDeceptive))
        #expect(
            error.description.count < 6000
                && error.description.hasPrefix("/a/\\u{1b}[2Jb\\nc: holds \\u{202e}x; remove\\ny"))
    }
}

@Suite struct FileNamesTests {
    /// Names that are not valid UTF-8, or that look alike.
    private static let names: [[UInt8]] = [
        Array("plain".utf8), [0x4d, 0xfc, 0x6c], [0x4d, 0xfd, 0x6c], [0xff], [0x80], [0xc3], [0xc3, 0xbc],
        [0x75, 0xcc, 0x88],
        [0xed, 0xa0, 0x80], [0xf0, 0x9f, 0x98], [0xf0, 0x9f, 0x98, 0x80], [0xc0, 0xae],
        Array("\u{ef80}".utf8),
        Array("\u{efff}\u{fffd}".utf8),
        Array("\\xfc".utf8),
    ]

    @Test func `Every name is one text and back`() {
        for name in Self.names { #expect(String(fileSystemBytes: name).fileSystemBytes == name) }
        #expect(Set(Self.names.map { ExactText(String(fileSystemBytes: $0)) }).count == Self.names.count)
        var generator = SplitMix64(seed: 1)
        for _ in 0..<500 {
            let name = (0..<12).map { _ in
                [UInt8.random(in: 1...255, using: &generator), 0xee, 0xbe, 0xbf, 0xed].randomElement(
                    using: &generator)!
            }
            #expect(String(fileSystemBytes: name).fileSystemBytes == name)
        }
    }

    @Test func `Files are listed, read and written by any name`() throws {
        try withFolder { folder in
            for name in Self.names {
                let url = folder.appendingPathComponent(String(fileSystemBytes: name))
                try AtomicFile.write(Data(name), to: url)
                #expect(try Data(reading: url) == Data(name))
            }
            let listed = try #require(FileNames.list(folder.path))
            #expect(listed.count == Self.names.count)
            for name in listed {
                #expect(try Data(reading: folder.appendingPathComponent(name)) == Data(name.fileSystemBytes))
            }
        }
    }

    @Test func `A slash is a slash for paths, whatever stands behind it`() {
        #expect("a/\u{301}b".lastName.unicodeScalars.first == "\u{301}" && "a/\u{301}b".parentPath == "a")
        #expect("a/\u{301}".withoutEndingSlashes.utf8.count == 4 && "a//".withoutEndingSlashes == "a")
    }

    @Test(
        arguments: [
            (0.0, 0), (1.9, 1), (-1.9, -1), (.nan, 0), (.infinity, Int.max), (-.infinity, .min),
            (1e300, .max), (-1e300, .min),
            (9_223_372_036_854_775_807.0, .max), (9_223_372_036_854_774_784.0, 9_223_372_036_854_774_784),
        ] as [(Double, Int)])
    func `Any number becomes a whole one`(value: Double, whole: Int) {
        #expect(Int(clamping: value) == whole)
        #expect(UInt8(clamping: value) == UInt8(clamping: whole))
    }
}
