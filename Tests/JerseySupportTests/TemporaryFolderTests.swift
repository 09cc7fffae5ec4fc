import Foundation
import TestSupport
import Testing

@testable import JerseySupport

@Suite struct TemporaryFolderTests {
    private func mode(_ path: String) throws -> mode_t {
        var status = stat()
        try #require(lstat(path, &status) == 0)
        return status.st_mode & 0o7777
    }

    private func exists(_ url: URL) -> Bool { FileNames.exists(url.path) }

    @discardableResult
    private func add(_ path: String, in folder: URL) throws -> URL {
        let url = folder.appendingPathComponent(path)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data("x".utf8).write(to: url)
        return url
    }

    /// The name of a folder that a killed program left behind.
    private func name(_ purpose: TemporaryFolder.Purpose = .archive) -> String {
        "jersey-\(purpose.rawValue)-\(UUID().uuidString)"
    }

    @Test(arguments: TemporaryFolder.Purpose.allCases)
    func `A temporary folder and its files are for their owner alone, and gone with the last reference`(
        purpose: TemporaryFolder.Purpose
    ) throws {
        try withFolder { place in
            var folder: TemporaryFolder? = try TemporaryFolder(purpose, in: place)
            let url = try #require(folder?.url)
            #expect(try mode(url.path) == 0o700)
            close(try #require(folder?.makeFile(["upload"])))
            #expect(try mode(url.appendingPathComponent("upload").path) == 0o600)
            close(try #require(folder?.makeFile(["a", "b", "c.png"])))
            #expect(try mode(url.appendingPathComponent("a").path) == 0o700)
            #expect(try mode(url.appendingPathComponent("a/b/c.png").path) == 0o600)
            withExtendedLifetime(folder) {}
            folder = nil
            #expect(try FileManager.default.contentsOfDirectory(atPath: place.path).isEmpty)
        }
    }

    @Test func `No link is followed: what others planted stays, and what it points to, too`() throws {
        try withFolder { place in
            let victim = place.appendingPathComponent("victim")
            try add("thesis.txt", in: victim)
            let links = [name(), "jersey-archive-x", name(.upload)].map { place.appendingPathComponent($0) }
            for link in links {
                try FileManager.default.createSymbolicLink(at: link, withDestinationURL: victim)
                var long = [timeval(), timeval()]
                #expect(lutimes(link.path, &long) == 0)
            }
            TemporaryFolder.removeLeftovers(in: place)
            #expect(exists(victim.appendingPathComponent("thesis.txt")))
            #expect(
                links.allSatisfy {
                    (try? FileManager.default.destinationOfSymbolicLink(atPath: $0.path)) != nil
                })
            // A link inside a removed folder is removed, but not its target.
            let left = place.appendingPathComponent(name())
            try add("a/b", in: left)
            try FileManager.default.createSymbolicLink(
                at: left.appendingPathComponent("out"), withDestinationURL: victim)
            TemporaryFolder.removeLeftovers(in: place)
            #expect(!exists(left) && exists(victim.appendingPathComponent("thesis.txt")))
        }
    }

    @Test(arguments: TemporaryFolder.Purpose.allCases)
    func `What a killed program left is removed, and nothing else`(purpose: TemporaryFolder.Purpose) throws {
        try withFolder { place in
            let left = place.appendingPathComponent(name(purpose))
            try add("7/a/1.png", in: left)
            let own = try add("jersey-\(purpose.rawValue)-notes/a.txt", in: place)
            let used = try TemporaryFolder(purpose, in: place)
            close(try #require(used.makeFile(["x"])))
            TemporaryFolder.removeLeftovers(in: place)
            #expect(!exists(left) && exists(own) && exists(used.url.appendingPathComponent("x")))
        }
    }

    @Test func `What earlier programs made is removed, too, unless they are at work`() throws {
        try withFolder { place in
            let (left, used) = (place.appendingPathComponent(name()), place.appendingPathComponent(name()))
            for folder in [left, used] { try add(".lock", in: folder) }
            let lock = open(used.path + "/.lock", O_RDWR)
            #expect(flock(lock, LOCK_EX) == 0)
            let (old, new) = (try add(name(.upload), in: place), try add(name(.upload), in: place))
            var times = [timeval(), timeval()]
            #expect(utimes(old.path, &times) == 0)
            TemporaryFolder.removeLeftovers(in: place)
            #expect(!exists(left) && exists(used) && !exists(old) && exists(new))
            close(lock)
        }
    }

    @Test func `Another user's folder is not touched`() throws {
        // Only the superuser can create one.
        guard geteuid() == 0 else { return }
        try withFolder { place in
            let others = place.appendingPathComponent(name())
            try add("a.txt", in: others)
            #expect(chown(others.path, 65534, 65534) == 0)
            TemporaryFolder.removeLeftovers(in: place)
            #expect(exists(others.appendingPathComponent("a.txt")))
        }
    }

    @Test(arguments: [["..", "x"], ["a", "..", "..", "x"], [""], ["a/b"], []] as [[String]])
    func `A name that leads out of it makes no file`(parts: [String]) throws {
        try withFolder { place in
            let folder = try TemporaryFolder(.archive, in: place)
            #expect(folder.makeFile(parts) == nil)
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: place.path) == [
                    folder.url.lastPathComponent
                ])
        }
    }

    @Test func `No link within it is written through`() throws {
        try withFolder { place in
            let folder = try TemporaryFolder(.archive, in: place)
            let victim = place.appendingPathComponent("victim")
            try FileManager.default.createDirectory(at: victim, withIntermediateDirectories: true)
            try FileManager.default.createSymbolicLink(
                at: folder.url.appendingPathComponent("a"), withDestinationURL: victim)
            try FileManager.default.createSymbolicLink(
                at: folder.url.appendingPathComponent("b"),
                withDestinationURL: victim.appendingPathComponent("new"))
            #expect(folder.makeFile(["a", "x"]) == nil && folder.makeFile(["b"]) == nil)
            #expect(try FileManager.default.contentsOfDirectory(atPath: victim.path).isEmpty)
        }
    }

    @Test func `A folder that cannot be made is an error that says what to do`() {
        let error = #expect(throws: FileError.self) {
            try TemporaryFolder(.upload, in: URL(fileURLWithPath: TestFolder.missing))
        }
        #expect(error?.advice?.contains("TMPDIR") == true)
    }
}
