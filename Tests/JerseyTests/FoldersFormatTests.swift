import Foundation
import Testing
import Torch

@testable import Jersey

@Suite("Data set formats")
struct FoldersFormatTests {
    private func read(_ folder: URL, classes: [String]? = nil) throws -> Dataset {
        var config = DataConfig()
        config.path = folder.path
        config.classes = classes
        return try Dataset(config)
    }

    @Test("formats are found by name, and a misspelt name is met with the right one", arguments: DatasetFormat.all.map(\.name))
    func names(_ name: String) throws {
        let format = try DatasetFormat.named(name)
        #expect(format.name == name && !format.summary.isEmpty && DatasetFormat.all.filter { $0.name == name }.count == 1)
        let error = #expect(throws: UsageError.self) { try DatasetFormat.named(name + "x") }
        #expect(error?.description.contains("did you mean \(name)?") == true)
    }

    @Test("folders become sequences with number, track, frames and anchor, in natural order")
    func reading() throws {
        try withFolder { folder throws in
            for file in ["07/t10/0/1.jpg", "7/t10/0/1.JPEG", "7/t9/1/10.png", "7/t9/1/9_anchor.PNG", "7/t9/0/1.jpg"] {
                try folder.add(file)
            }
            for other in [".git/x/0/1.jpg", "readme.txt", "7/notes.md", "7/t9/.DS_Store", "7/t9/1/.10.jpg", "7/t9/1/z.txt"] {
                try folder.add(other)
            }
            let dataset = try read(folder)
            #expect(dataset.sequences.map(\.id) == ["07/t10/0", "7/t9/0", "7/t9/1", "7/t10/0"])
            #expect(dataset.tracks.count == 3 && dataset.numbers.map(\.description) == ["7", "07"] && dataset.remarks.isEmpty)
            let sequence = try #require(dataset.sequences.first { $0.id == "7/t9/1" })
            #expect(sequence.track == "7/t9" && sequence.number == JerseyNumber("7") && sequence.anchor == 0)
            #expect(sequence.frames == ["9_anchor.PNG", "10.png"].map { folder.path + "/7/t9/1/" + $0 })
        }
    }

    @Test("a folder that is no number is an error, unless the numbers to use are named")
    func wrongName() throws {
        try withFolder { folder throws in
            for file in ["7/t/0/1.jpg", "8/t/0/1.jpg", "unknown/t/0/1.jpg"] { try folder.add(file) }
            let error = #expect(throws: FileError.self) { try read(folder) }
            #expect(error?.path == folder.path + "/unknown" && error?.advice != nil)
            #expect(try read(folder, classes: ["8"]).numbers.map(\.description) == ["8"])
            #expect(throws: UsageError.self) { try read(folder, classes: ["eight"]) }
            #expect(throws: FileError.self) { try read(folder, classes: ["9"]) }
        }
    }

    @Test("what is odd is remarked upon: several anchors, folders without frames")
    func remarks() throws {
        try withFolder { folder throws in
            for file in ["7/a/0/1_anchor.jpg", "7/a/0/2_anchor.jpg", "7/a/1/readme.txt", "7/b/readme.txt"] {
                try folder.add(file)
            }
            let dataset = try read(folder)
            #expect(dataset.sequences.count == 1 && dataset.sequences[0].frames.count == 2 && dataset.sequences[0].anchor == 0)
            #expect(dataset.remarks.count == 3 && dataset.remarks.contains { $0.contains("2 anchors; the first is used") })
        }
    }

    @Test("an empty folder, a missing one and a file are errors that name the path")
    func nothing() throws {
        try withFolder { folder throws in
            #expect(throws: FileError.self) { try read(folder) }
            try folder.add("7/a/0/readme.txt")
            try folder.add("file")
            #expect(throws: FileError.self) { try read(folder) }
            for name in ["missing", "file"] {
                let path = folder.appendingPathComponent(name)
                #expect(throws: FileError.self) { try read(path) }
            }
            let error = #expect(throws: FileError.self) { try read(folder.appendingPathComponent("missing")) }
            #expect(error?.description == folder.path + "/missing: does not exist")
        }
    }
}
