import Foundation
import TestSupport
import Testing

@testable import Jersey

@Suite struct ArchiveStreamTests {
    /// Folders, samples of several frames, and pictures with a label before or after them.
    private static let names = [
        "readme.txt", "7/0001/00/10.png", "7/0001/00/9.png", "7/0001/01/1.png", "a/000123.0.png",
        "a/000123.1.png", "a/000123.json", "a/000124.0.png", "a/one.png", "a/one.json", "a/two.json",
        "a/two.png",
        "a/x.png", "a/y.png", "._z.png", "top.png",
    ]
    private static let tracklets = [
        "7/0001/00": ["7/0001/00/9.png", "7/0001/00/10.png"], "7/0001/01": ["7/0001/01/1.png"],
        "a/000123": ["a/000123.0.png", "a/000123.1.png"], "a/000124": ["a/000124.0.png"],
        "a/one": ["a/one.png"], "a/two": ["a/two.png"], "a": ["a/x.png", "a/y.png"],
    ]

    private func pack(_ names: [String], _ name: String, in folder: URL) throws -> String {
        let image = try png()
        return try TestArchive.pack(
            names.map { .file($0, $0.hasSuffix(".png") ? image : Data("{}".utf8)) }, name, in: folder)
    }

    private func read(_ path: String, _ count: Int) throws -> [FrameSequence] {
        let file = open(path, O_RDONLY)
        defer { close(file) }
        let input = PipedInput(file)
        #expect(input.isArchive)
        let stream = try ArchiveStream(input, called: "standard input")
        var all: [FrameSequence] = []
        while true {
            let next = try stream.next(count)
            #expect(next.count <= count + 1)
            guard !next.isEmpty else { return all }
            for sequence in next {
                #expect(try RGBImage(contentsOf: URL(fileURLWithPath: sequence.file(0))) == picture(1))
            }
            all += next
        }
    }

    @Test(arguments: ["a.tar", "a.tar.gz", "a.tar.zst", "a.zip"], [1, 2, 100])
    func `Tracklets come as they stand in the archive, whatever packed it`(name: String, count: Int) throws {
        try withFolder { folder in
            let found = try read(pack(Self.names, name, in: folder), count)
            #expect(
                found.map(\.id) == [
                    "7/0001/00", "7/0001/01", "a/000123", "a/000124", "a/one", "a/two", "a", "standard input",
                ])
            for sequence in found.dropLast() { #expect(sequence.frames == Self.tracklets[sequence.id]) }
            #expect(found.map(\.track).prefix(3) == ["7/0001", "7/0001", "a/000123"])
        }
    }

    @Test(arguments: ["a.tar", "a.tar.zst"])
    func `The samples of a tar file are the same when it is read as a whole, or member by member`(
        name: String
    )
        throws
    {
        try withFolder { folder in
            let path = try pack(Self.names, name, in: folder)
            let found = try UnlabelledSequences([path]).sequences
            let whole = Dictionary(uniqueKeysWithValues: found.map { ($0.id, $0.frames) })
            for (id, frames) in Self.tracklets {
                #expect(whole["\(path)/\(id)"] == frames.map { "\(path)/\($0)" })
            }
            let parts = try #require(ArchiveMembers.parts(of: path + "#a/000123/"))
            #expect(parts == (path, "a/000123"))
            let members = try ArchiveMembers(path)
            #expect(try members.sequences(of: "a/000123").map(\.frames.count) == [2])
            #expect(try members.sequences(of: "7").map(\.frames.count) == [2, 1])
            #expect(try members.sequences(of: "7/0001/00/10.png").map(\.frames.count) == [1])
            #expect(throws: FileError.self) { try members.sequences(of: "a/0001") }
        }
    }

    @Test func `A zip file has no samples, and a folder called like a member is the folder`() throws {
        try withFolder { folder in
            let path = try pack(["a/1.0.png", "a/2.0.png"], "a.zip", in: folder)
            #expect(try UnlabelledSequences([path]).sequences.map(\.id) == [path + "/a"])
            #expect(ArchiveMembers.parts(of: path + "#") == nil)
            try folder.add("a.zip#b/1.png")
            #expect(ArchiveMembers.parts(of: path + "#b") == nil)
        }
    }

    @Test(arguments: [
        (["a/1.png", "b/1.png", "a/2.png"], "has frames of a in several places"),
        (["a/1.png", "../b.png"], "points outside the archive"),
    ])
    func `A stream that cannot be read in one pass is refused`(names: [String], hint: String) throws {
        try withFolder { folder in
            let path = try pack(names, "a.tar", in: folder)
            let error = #expect(throws: FileError.self) { try read(path, 1) }
            #expect(error?.description.contains(hint) == true, "\(error?.description ?? "")")
        }
    }

    @Test func `A stream that is cut gives the tracklets before, then an error`() throws {
        try withFolder { folder in
            let path = try pack((0..<40).map { "\($0 / 2)/\($0).png" }, "a.tar.gz", in: folder)
            let whole = try Data(contentsOf: URL(fileURLWithPath: path))
            try whole.prefix(whole.count / 2).write(to: URL(fileURLWithPath: path))
            #expect(throws: FileError.self) { try read(path, 1) }
        }
    }

    @Test(arguments: [Data(), Data("x".utf8), Data(count: 1000), Data([0xff, 0xd8, 0xff, 0xe0])])
    func `What is no archive is not taken for one`(bytes: Data) throws {
        try withFolder { folder in
            try folder.add("a", bytes)
            let file = open(folder.appendingPathComponent("a").path, O_RDONLY)
            defer { close(file) }
            let input = PipedInput(file)
            #expect(!input.isArchive && input.isEmpty == bytes.isEmpty)
        }
    }
}
