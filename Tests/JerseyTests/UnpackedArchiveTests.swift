import Foundation
import TestSupport
import Testing

@testable import Jersey

@Suite struct UnpackedArchiveTests {
    @Test(arguments: ["a.zip", "a.tar", "a.tar.gz", "A.TGZ"])
    func `Sequences are found in an archive as in a folder, and the copy is gone afterwards`(name: String)
        throws
    {
        try withFolder { folder in
            let image = try picture(1).pngData()
            let path = try TestArchive.pack(
                [
                    .file("crops/7/10.png", image), .file("./crops/7/9.png", image),
                    .file("crops/Zoë/1.png", image),
                    .file("crops/readme.txt", Data("x".utf8)), .file("__MACOSX/crops/._9.png", image),
                    .file(".x/1.png", image),
                ], name, in: folder)
            var found: UnlabelledSequences? = try UnlabelledSequences([path])
            let sequences = try #require(found?.sequences)
            #expect(sequences.map(\.id) == ["7", "Zoë"].map { "\(path)/crops/\($0)" })
            #expect(sequences[0].frames == ["9.png", "10.png"].map { "\(path)/crops/7/\($0)" })
            let read = try RGBImage(contentsOf: URL(fileURLWithPath: sequences[0].file(0)))
            #expect(read == picture(1))
            let copy = try #require(sequences[0].archive?.folder.path)
            #expect(FileManager.default.fileExists(atPath: copy))
            #expect(
                try FileManager.default.subpathsOfDirectory(atPath: copy).filter { $0.contains(".") }.count
                    == 3)
            withExtendedLifetime(sequences) {}
            found = nil
        }
    }

    @Test func `The copy of an archive is removed with the last sequence`() throws {
        try withFolder { folder in
            let path = try TestArchive.pack([.file("7/1.png", try picture(1).pngData())], in: folder)
            func copy() throws -> String {
                let sequences = try UnlabelledSequences([path]).sequences
                let copy = try #require(sequences[0].archive?.folder.path)
                #expect(FileManager.default.fileExists(atPath: copy))
                return copy
            }
            #expect(!FileManager.default.fileExists(atPath: try copy()))
        }
    }

    @Test(arguments: [
        ("../evil.png", "../evil.png points outside the archive"),
        ("a/../../evil.png", "points outside the archive"),
        ("/tmp/evil.png", "/tmp/evil.png points outside the archive"),
        ("a\\..\\evil.png", "points outside the archive"),
        ("a/b\u{1b}[2J.png", "a/b\\u{1b}[2J.png has control characters"),
        ("a/\u{202e}gnp.b.png", "a/\\u{202e}gnp.b.png has control characters"),
        ("a/\u{2028}b.png", "control characters"),
        (String(repeating: "a/", count: 40) + "b.png", "folders deep"),
    ])
    func `A path that leads out of the archive, or plays tricks, is refused by name`(
        name: String, words: String
    ) throws {
        for ending in ["a.tar", "a.zip"] {
            try withFolder { folder in
                let image = try picture(1).pngData()
                let path = try TestArchive.pack(
                    [.file("a/1.png", image), .file(name, image)], ending, in: folder)
                let error = #expect(throws: FileError.self) { try UnpackedArchive(path) }
                #expect(
                    error?.path == path && error?.reason.contains(words) == true,
                    "\(error?.description ?? "")")
                #expect(!FileManager.default.fileExists(atPath: "/tmp/evil.png"))
            }
        }
    }

    @Test func `Links, devices and doubles are refused by name`() throws {
        let image = try picture(1).pngData()
        let cases: [(TestArchive.Item, String)] = [
            (.link("b.png", to: "/etc/passwd"), "b.png is a symbolic link"),
            (.link("a", to: ".."), "a is a symbolic link"),
            (.hardLink("b.png", to: "/etc/passwd"), "b.png is a link"),
            (.other("b.png", S_IFIFO), "b.png is a device, a pipe or a socket"),
            (.other("b.png", S_IFCHR), "b.png is a device, a pipe or a socket"),
            (.file("1.png", image), "1.png occurs twice"),
        ]
        for (item, words) in cases {
            try withFolder { folder in
                let path = try TestArchive.pack([.file("1.png", image), item], in: folder)
                let error = #expect(throws: FileError.self) { try UnpackedArchive(path) }
                #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
            }
        }
    }

    @Test(arguments: ["a.tar", "a.zip"])
    func `A slash or dots with an accent behind them are what the system takes them for`(ending: String)
        throws
    {
        try withFolder { folder in
            let image = try picture(1).pngData()
            // The first path begins with a combining accent. It must lie inside the copy, and
            // nowhere else.
            let path = try TestArchive.pack(
                [.file("\u{301}a/1.png", image), .file("b/\u{301}/2.png", image)], ending, in: folder)
            let sequences = try UnlabelledSequences([path]).sequences
            #expect(sequences.count == 2)
            for sequence in sequences {
                let copy = try #require(sequence.archive?.folder.path)
                #expect(sequence.file(0).utf8.starts(with: (copy + "/").utf8))
                #expect(try RGBImage(contentsOf: URL(fileURLWithPath: sequence.file(0))) == picture(1))
            }
            let out = try TestArchive.pack(
                [.file("a/1.png", image), .file("../\u{301}x/1.png", image)], "out-" + ending, in: folder)
            let error = #expect(throws: FileError.self) { try UnpackedArchive(out) }
            #expect(error?.reason.contains("points outside the archive") == true)
            let both = try TestArchive.pack(
                [.file("a.png", image), .file("a.png/b.png", image)], "both-" + ending, in: folder)
            let other = #expect(throws: FileError.self) { try UnpackedArchive(both) }
            #expect(
                other?.description.contains(FileManager.default.temporaryDirectory.path + "/jersey-archive")
                    == false)
            #expect(other?.reason.contains("a.png/b.png is both a file and a folder") == true)
        }
    }

    @Test func `Bombs are refused: too many entries, too large a one, too much for the file's size`() throws {
        var limits = UnpackedArchive.Limits()
        (limits.entries, limits.entryBytes, limits.ratio) = (5, 1 << 20, 10)
        let zeros = Data(count: 1 << 20)
        let cases: [([TestArchive.Item], String)] = [
            ((0...5).map { .file("\($0).png", Data()) }, "more than the limit of 5 entries"),
            ([.file("1.png", zeros + [0])], "1.png is larger than the limit of 1 MiB"),
            // Even if nothing in it is wanted.
            ([.file("1.bin", zeros + [0])], "1.bin is larger than the limit"),
            ((0..<4).map { .file("\($0).png", zeros) }, "unpacks to more than 1 MiB"),
        ]
        for (items, words) in cases {
            for ending in ["a.tgz", "a.zip"] {
                try withFolder { folder in
                    let path = try TestArchive.pack(items, ending, in: folder)
                    let error = #expect(throws: FileError.self) { try UnpackedArchive(path, limits: limits) }
                    #expect(
                        error?.description.contains(words) == true, "\(ending): \(error?.description ?? "")")
                }
            }
        }
    }

    @Test func `A file that is not an archive, or a damaged one, is refused, wherever it is cut`() throws {
        try withFolder { folder in
            try folder.add("text.zip", Data("no archive at all, but long enough to look at\n".utf8))
            try folder.add("empty.tar")
            for name in ["text.zip", "empty.tar"] {
                let error = #expect(throws: FileError.self) {
                    try UnlabelledSequences([folder.appendingPathComponent(name).path])
                }
                #expect(
                    error.map {
                        $0.reason.contains("is not a zip, tar") || $0.reason.contains("holds no frames")
                    } == true,
                    "\(error?.description ?? "")")
            }
            let image = try picture(1, width: 60, height: 60).pngData()
            for ending in ["a.zip", "a.tgz"] {
                let whole = try Data(
                    contentsOf: URL(
                        fileURLWithPath: TestArchive.pack([.file("7/1.png", image)], ending, in: folder)))
                for share in 1..<12 {
                    let path = folder.appendingPathComponent("cut-" + ending)
                    try whole.prefix(whole.count * share / 12).write(to: path)
                    // A zip is read from its end, which is cut off here. The beginning of a tar may
                    // be intact.
                    guard let found = try? UnlabelledSequences([path.path]) else { continue }
                    #expect(found.sequences[0].frames.count == 1)
                }
            }
        }
    }
}
