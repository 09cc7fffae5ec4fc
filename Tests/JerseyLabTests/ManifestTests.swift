import ArgumentParser
import Foundation
import Jersey
import TestSupport
import Testing

@testable import JerseyCLI
@testable import JerseySynthesis

@Suite struct ManifestTests {
    /// A folder with a manifest of every kind of item, and what its results should be.
    private let folder: TestFolder
    private let results: String

    init() throws {
        folder = try TestFolder()
        results = folder.path("results")
    }

    private func write(_ items: [[String: String]]) throws -> String {
        let lines = try items.map { try JSONEncoder().encode($0) + Data("\n".utf8) }
        try folder.url.add("list.jsonl", lines.reduce(Data(), +))
        return folder.path("list.jsonl")
    }

    private func run(_ arguments: String...) throws {
        var command = try JerseyCommand.parseAsRoot(arguments)
        try command.run()
    }

    private func predict(_ manifest: String, _ more: [String] = []) throws {
        var command = try JerseyCommand.parseAsRoot(
            ["predict", "--manifest", manifest, "--out", results] + more)
        try command.run()
    }

    private func merged(_ name: String = "all.jsonl") throws -> String {
        try run("merge", results, "--output", folder.path(name))
        return try String(contentsOfFile: folder.path(name), encoding: .utf8)
    }

    private func lines(_ text: String) throws -> [ItemResult] {
        try text.split(separator: "\n").map { try JSONDecoder().decode(ItemResult.self, from: Data($0.utf8)) }
    }

    @Test func `Items of every kind are read in order, and one that cannot be read says why`() throws {
        let frames = Sample.folder.url.appendingPathComponent("data/48")
        let tracks = try FileManager.default.contentsOfDirectory(atPath: frames.path).sorted()
        let sequence = frames.path + "/\(tracks[0])/00"
        let images = try FileManager.default.contentsOfDirectory(atPath: sequence).filter {
            $0.hasSuffix(".jpg")
        }.sorted()
        let image = try Data(contentsOf: URL(fileURLWithPath: sequence + "/" + images[0]))
        let archive = try TestArchive.pack(
            [
                .file("x/1.jpg", image), .file("x/2.jpg", image), .file("k.0.jpg", image),
                .file("k.json", Data()),
            ],
            "a.tar", in: folder.url)
        var sample = SyntheticVideo(numbers: ["7", "23"].compactMap(JerseyNumber.init), frames: 4, seed: 1)
        (sample.width, sample.height) = (320, 240)
        try sample.write(folder.path("a.mp4"), boxes: folder.path("a.txt"))
        try folder.url.add("broken/1.jpg", Data("no".utf8))

        let manifest = try write([
            ["path": sequence, "id": "first"], ["path": TestFolder.missing],
            ["path": sequence + "/" + images[0]],
            ["path": archive + "#x"], ["path": archive + "#k"], ["path": archive + "#y"],
            ["path": folder.path("a.mp4"), "boxes": folder.path("a.txt")], ["path": frames.path],
            ["path": folder.path("broken")], ["path": folder.path("a.mp4"), "boxes": TestFolder.missing],
            ["id": "no path"],
        ])
        try predict(manifest)
        let text = try merged()
        let all = try lines(text)
        #expect(
            all.map(\.item)
                == [1, 2, 3, 4, 5, 6, 7, 7] + Array(repeating: 8, count: tracks.count) + [9, 10, 11])
        #expect(Set(all.filter { $0.error != nil }.map(\.item)) == [2, 6, 10, 11])
        #expect(all[0].id == "first" && all[0].prediction.sequence == sequence)
        #expect(
            all[1].error?.contains("does not exist") == true
                && all[1].prediction.sequence == TestFolder.missing)
        #expect(all[2].prediction.frames.count == 1 && all[3].prediction.frames.count == 2)
        #expect(all[4].prediction.track == archive + "/k")
        #expect(all[6].prediction.track == "1" && all[7].prediction.track == "2")
        #expect(all.first { $0.item == 9 }?.prediction.leftOut.count == 1)
        let csv = try merged("all.csv").split(separator: "\r\n")
        #expect(
            csv.count == all.count + 1 && csv[0].hasPrefix("item,id,sequence,") && csv[0].hasSuffix(",error"))

        // A finished shard is not read again; other settings are refused.
        try FileManager.default.removeItem(atPath: archive)
        try predict(manifest)
        #expect(try merged() == text)
        let error = #expect(throws: FileError.self) { try predict(manifest, ["--target", "0.9"]) }
        #expect(error?.description.contains("target = its default, not 0.9") == true)
    }

    @Test func `Shards are merged once all are there`() throws {
        let tracks = try (0..<6).map { track in
            let numbers = ["4", "48", "07"]
            let number = Sample.folder.path("data/\(numbers[track % 3])")
            return number + "/"
                + (try FileManager.default.contentsOfDirectory(atPath: number).sorted()[track])
        }
        let manifest = try write(tracks.map { ["path": $0] })
        for shard in ["2/3", "1/3"] { try predict(manifest, ["--shard", shard]) }
        let error = #expect(throws: FileError.self) { try merged() }
        #expect(error?.description.contains("is not whole") == true)
        #expect(!FileManager.default.fileExists(atPath: folder.path("all.jsonl")))
        try predict(manifest, ["--shard", "3/3"])
        #expect(try lines(merged()).map(\.item) == Array(1...6))
    }

    @Test func `A shard of which nothing can be read ends with status 1, and is finished`() throws {
        let manifest = try write([["path": TestFolder.missing], ["path": TestFolder.missing + "/x"]])
        #expect(throws: ExitCode(1)) { try predict(manifest) }
        #expect(try lines(merged()).allSatisfy { $0.error != nil })
    }

    @Test(arguments: [
        (
            ["--launcher", "slurm", "a", "--jobs=3", "--sbatch", "--time=5", "--shards", "7", "b"],
            ["a", "b"]
        ),
        (["predict", "--manifest", "--launcher=slurm"], ["predict", "--manifest"]),
    ])
    func `Tasks are called without the launcher`(words: [String], left: [String]) {
        #expect(ManifestOptions.withoutLauncher(words) == left)
    }

    @Test func `Tracklets in standard input are answered one by one`() throws {
        let data = Sample.folder.path("data/48")
        let command =
            "tar --sort=name -C \(data) -cf - . | gzip | \(Places.jersey) predict - --batch-size 2 --threads 1"
        let call = try RunningProgram(
            "/usr/bin/env", ["bash", "-o", "pipefail", "-c", command],
            environment: ProcessInfo.processInfo.environment, limit: .seconds(60))
        let (status, output, errors) = call.end()
        #expect(status == 0, "\(errors)")
        let predictions = try output.split(separator: "\n").map {
            try JSONDecoder().decode(Prediction.self, from: Data($0.utf8))
        }
        let tracks = try FileManager.default.contentsOfDirectory(atPath: data).sorted()
        #expect(predictions.map(\.sequence) == tracks.map { "\($0)/00" })
    }

    @Test(arguments: [
        (["predict"], "name a path"), (["predict", "a", "--manifest", "b", "--out", "c"], "name no others"),
        (["predict", "--manifest", "b"], "needs --out"),
        (["predict", "a", "--out", "b"], "needs --manifest"),
        (["predict", "a", "--shard", "1/2"], "need --manifest"),
        (["predict", "--manifest", "a", "--out", "b", "--shard", "0/2"], "count from 1"),
        (
            ["predict", "--manifest", "a", "--out", "b", "--shard", "1/2", "--shards", "2"],
            "leave out --shards"
        ),
        (["predict", "--manifest", "a", "--out", "b", "--sheet", "c.png"], "does not go with --manifest"),
        (["predict", "--manifest", "a", "--out", "b", "--format", "csv"], "jersey merge"),
        (["predict", "--manifest", "a", "--out", "b", "--jobs", "2"], "--launcher slurm"),
        (["predict", "--manifest", "a", "--out", "b", "--launcher", "slurm"], "and --shards"),
        (["predict", "-", "--output", "a"], "on standard output"),
        (["predict", "-", "--boxes", "a"], "standard input"),
        (["predict", "--manifest", "MISSING", "--out", "b"], "does not exist"),
        (["merge", "MISSING"], "no results of a manifest"), (["merge", "a", "--raw"], "--format csv"),
    ])
    func `A call about manifests that makes no sense is refused in words that help`(
        arguments: [String], hint: String
    ) throws {
        let error = #expect(throws: (any Error).self) {
            var command = try JerseyCommand.parseAsRoot(
                arguments.map { $0.replacing("MISSING", with: TestFolder.missing) })
            try command.run()
        }
        #expect(error.map { "\($0)" }?.contains(hint) == true, "\(error.map { "\($0)" } ?? "")")
    }
}
