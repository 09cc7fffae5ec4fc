import Foundation
import TestSupport
import Testing

@testable import Jersey
@testable import JerseyLab

@Suite("Data set formats")
struct FoldersFormatTests {
    private func read(_ folder: URL, classes: [String]? = nil) throws -> Dataset {
        var config = DataConfig()
        config.path = folder.path
        config.classes = classes
        return try Dataset(config)
    }

    @Test(arguments: DatasetFormat.all.map(\.name))
    func `Formats are found by name, and a misspelt name is met with the right one`(_ name: String) throws {
        let format = try DatasetFormat.named(name)
        #expect(
            format.name == name && !format.summary.isEmpty
                && DatasetFormat.all.filter { $0.name == name }.count == 1)
        let error = #expect(throws: UsageError.self) { try DatasetFormat.named(name + "x") }
        #expect(error?.description.contains("did you mean \(name)?") == true)
    }

    @Test func `Folders become sequences with number, track, frames and anchor, in natural order`() throws {
        try withFolder { folder throws in
            for file in [
                "07/t10/0/1.jpg", "7/t10/0/1.JPEG", "7/t9/1/10.png", "7/t9/1/9_anchor.PNG", "7/t9/0/1.jpg",
            ] {
                try folder.add(file)
            }
            for other in [
                ".git/x/0/1.jpg", "readme.txt", "7/notes.md", "7/t9/.DS_Store", "7/t9/1/.10.jpg",
                "7/t9/1/z.txt",
            ] {
                try folder.add(other)
            }
            let dataset = try read(folder)
            #expect(dataset.sequences.map(\.id) == ["07/t10/0", "7/t9/0", "7/t9/1", "7/t10/0"])
            #expect(
                dataset.tracks.count == 3 && dataset.numbers.map(\.description) == ["7", "07"]
                    && dataset.remarks.isEmpty)
            let sequence = try #require(dataset.sequences.first { $0.id == "7/t9/1" })
            #expect(sequence.track == "7/t9" && sequence.number == JerseyNumber("7") && sequence.anchor == 0)
            #expect(sequence.frames == ["9_anchor.PNG", "10.png"].map { folder.path + "/7/t9/1/" + $0 })
        }
    }

    @Test func `A folder that is not a number is an error, unless the numbers to use are named`() throws {
        try withFolder { folder throws in
            for file in ["7/t/0/1.jpg", "8/t/0/1.jpg", "unknown/t/0/1.jpg"] { try folder.add(file) }
            let error = #expect(throws: FileError.self) { try read(folder) }
            #expect(error?.path == folder.path + "/unknown" && error?.advice != nil)
            #expect(try read(folder, classes: ["8"]).numbers.map(\.description) == ["8"])
            #expect(throws: UsageError.self) { try read(folder, classes: ["eight"]) }
            #expect(throws: FileError.self) { try read(folder, classes: ["9"]) }
        }
    }

    @Test func `What is odd is remarked upon: several anchors, folders without frames`() throws {
        try withFolder { folder throws in
            for file in ["7/a/0/1_anchor.jpg", "7/a/0/2_anchor.jpg", "7/a/1/readme.txt", "7/b/readme.txt"] {
                try folder.add(file)
            }
            let dataset = try read(folder)
            #expect(
                dataset.sequences.count == 1 && dataset.sequences[0].frames.count == 2
                    && dataset.sequences[0].anchor == 0)
            #expect(
                dataset.remarks.count == 3
                    && dataset.remarks.contains { $0.contains("2 anchors; the first is used") })
        }
    }

    @Test func `An empty folder, a missing one and a file are errors that name the path`() throws {
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

    @Test(arguments: ["folders", "soccernet"])
    func `A data set may be an archive, with or without a folder around it`(format: String) throws {
        let image = try picture(1).pngData()
        for around in ["", "crops/", "a/b/"] {
            try withFolder { folder in
                let items: [TestArchive.Item] =
                    format == "folders"
                    ? [.file("\(around)7/t/0/1.png", image)]
                    : [
                        .file("\(around)images/12/1.png", image),
                        .file("\(around)train_gt.json", Data(#"{"12": 7}"#.utf8)),
                    ]
                var config = DataConfig()
                config.path = try TestArchive.pack(items, "a.zip", in: folder)
                config.format = format
                let dataset = try Dataset(config)
                #expect(dataset.sequences.count == 1 && dataset.sequences[0].number == JerseyNumber("7"))
                #expect(FileManager.default.fileExists(atPath: dataset.sequences[0].file(0)))
            }
        }
    }

    @Test func `A labelled data set has tracks of any name`() throws {
        try withFolder { folder in
            let track = folder.appendingPathComponent("7/" + String(fileSystemBytes: [0x74, 0xff]) + "/0")
            try FileManager.default.makeFolder(track)
            try AtomicFile.write(picture(1).pngData(), to: track.appendingPathComponent("1.png"))
            var config = DataConfig()
            config.path = folder.path
            let sequences = try Dataset(config).sequences
            #expect(
                sequences.count == 1
                    && (try? RGBImage(contentsOf: URL(fileURLWithPath: sequences[0].file(0)))) != nil)
            #expect(DatasetInspection(try Dataset(config), workers: 1) {}.problems.isEmpty)
        }
    }

    @Test
    func `Sequences without a number are taken in where asked for, and lie in every part of the split`()
        throws
    {
        try withFolder { folder throws in
            for track in 0..<10 {
                try folder.add("7/\(track)/0/1.jpg")
                try folder.add("unreadable/\(track)/0/1.jpg")
            }
            var config = DataConfig()
            config.path = folder.path
            #expect(try Dataset(config).sequences.count == 10)
            config.unreadable = true
            let dataset = try Dataset(config)
            #expect(dataset.sequences.count == 20 && dataset.sequences.count { $0.number == nil } == 10)
            let splits = try Splits(dataset, config)
            for part in Splits.Part.allCases {
                #expect(splits.sequences(part, of: dataset).contains { $0.number == nil })
            }
        }
    }
}
