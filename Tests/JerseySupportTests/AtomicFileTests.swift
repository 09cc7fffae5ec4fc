import Foundation
import TestSupport
import Testing

@testable import JerseySupport

@Suite("Atomic files")
struct AtomicFileTests {
    private func names(_ folder: URL) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    }

    @Test func `A file is written whole, pieces in order, and replaces the former one`() throws {
        try withFolder { folder throws in
            let url = folder.appendingPathComponent("a.bin")
            try AtomicFile.write(Data("first".utf8), to: url)
            let (one, two) = (Data("sec".utf8), Data("ond".utf8))
            try one.withUnsafeBytes { one in
                try two.withUnsafeBytes { two in
                    try AtomicFile.write([one, UnsafeRawBufferPointer(start: nil, count: 0), two], to: url)
                }
            }
            #expect(try Data(contentsOf: url) == Data("second".utf8))
            try AtomicFile.write(Data(), to: url)
            #expect(try Data(contentsOf: url).isEmpty)
            #expect(try names(folder) == ["a.bin"])
        }
    }

    @Test func `Outputs that cannot or must not be written are refused beforehand`() throws {
        try withFolder { folder throws in
            let (input, link) = (folder.appendingPathComponent("a"), folder.appendingPathComponent("link"))
            try Data([1]).write(to: input)
            try FileManager.default.createSymbolicLink(at: link, withDestinationURL: input)
            try AtomicFile.check(folder.path + "/b", unlike: [input.path])
            try AtomicFile.check(input.path)
            for (path, words) in [
                (folder.path + "/no/b", "a folder that does not exist"), (folder.path, "is a folder"),
                ("/dev/null", "not a regular file"),
                (input.path, "is an input"), (folder.path + "/./a", "is an input"),
                (link.path, "is an input"),
            ] {
                let error = #expect(throws: FileError.self) {
                    try AtomicFile.check(path, unlike: [input.path])
                }
                #expect(error?.description.contains(words) == true, "\(path)")
            }
        }
    }

    @Test func `A missing folder is an error in the system's words`() throws {
        try withFolder { folder throws in
            let url = folder.appendingPathComponent("no/a.bin")
            #expect(throws: FileError(url.path, "cannot create the file: No such file or directory")) {
                try AtomicFile.write(Data([1]), to: url)
            }
            #expect(try names(folder) == [])
        }
    }

    @Test func `When the target cannot be replaced, it stays and nothing is left behind`() throws {
        try withFolder { folder throws in
            let url = folder.appendingPathComponent("a.bin")
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
            #expect(throws: FileError(url.path, "cannot replace the file: Is a directory")) {
                try AtomicFile.write(Data([1]), to: url)
            }
            #expect(try names(folder) == ["a.bin"])
        }
    }

    /// Root can write everywhere.
    private static let obeysPermissions =
        (try? withFolder { chmod($0.path, 0o500) == 0 && access($0.path, W_OK) != 0 }) ?? false

    @Test(.enabled(if: obeysPermissions))
    func `A folder that may not be written is an error, and the former file stays`() throws {
        try withFolder { folder throws in
            let url = folder.appendingPathComponent("a.bin")
            try AtomicFile.write(Data([1]), to: url)
            #expect(chmod(folder.path, 0o500) == 0)
            defer { chmod(folder.path, 0o700) }
            #expect(throws: FileError(url.path, "cannot create the file: Permission denied")) {
                try AtomicFile.write(Data([2]), to: url)
            }
            #expect(try names(folder) == ["a.bin"])
            #expect(try Data(contentsOf: url) == Data([1]))
        }
    }

    @Test func `An error describes path, reason and advice`() {
        #expect(FileError("a/b", "is odd", advice: "look").description == "a/b: is odd; look")
        #expect(FileError("a/b", "is odd").localizedDescription == "a/b: is odd")
        do {
            _ = try Data(contentsOf: URL(fileURLWithPath: TestFolder.missing))
        } catch {
            #expect(
                FileError("x", doing: "read", error: error).reason == "cannot read: No such file or directory"
            )
        }
    }
}
