import ArgumentParser
import Foundation
import Jersey
import TestSupport
import Testing

@testable import JerseyCLI
@testable import JerseyLab

@Suite struct ExperimentCommandTests {
    /// The sample experiment with its table of runs, which the runner builds from the folders.
    private static let experiment: TestFolder = {
        do {
            let folder = try TestFolder()
            try SampleExperiment.write(to: folder.url)
            let (status, text, errors) = try jersey(["experiment", "run", "--out", folder.url.path])
            precondition(status == 0, text + errors)
            return folder
        } catch {
            fatalError("the experiment cannot be written: \(error)")
        }
    }()

    private var folder: String { Self.experiment.url.path }

    /// Runs the program built beside the tests.
    private static func jersey(_ arguments: [String]) throws -> (status: Int32, text: String, errors: String)
    {
        let jersey = try ExternalProgram([Places.jersey] + arguments)
        return (jersey.status, String(decoding: jersey.output, as: UTF8.self), jersey.errors)
    }

    private func text(_ arguments: String...) throws -> String {
        let (status, text, errors) = try Self.jersey(arguments)
        #expect(status == 0, "\(errors)")
        return text
    }

    private func json(_ arguments: String...) throws -> Any {
        let (status, text, errors) = try Self.jersey(arguments + ["--json"])
        #expect(status == 0, "\(errors)")
        return try JSONSerialization.jsonObject(with: Data(text.utf8))
    }

    @Test func `The list of runs has a row for each`() throws {
        let lines = try text("runs", "list", folder).split(separator: "\n")
        #expect(lines.count == 2 + 6 && lines[0].hasPrefix("run"))
        #expect(
            lines[2].contains("basic_mv3s-1") && lines[2].contains("finished") && lines[2].contains("69.00%"))
        let records = try #require(try json("runs", "list", folder) as? [[String: Any]])
        #expect(records.map { $0["id"] as? String }.last == "attn_ugru_gate-2")
        #expect(
            records.allSatisfy { $0["state"] as? String == "finished" && $0["number_accuracy"] is Double })
    }

    @Test func `A run is shown with its epochs and settings`() throws {
        let shown = try text("runs", "show", folder, "seq_ugru_fs-2")
        for words in ["state           finished", "epoch  train loss", "best", "\"batchSize\":4"] {
            #expect(shown.contains(words), "\(words)")
        }
        let object = try #require(try json("runs", "show", folder, "seq_ugru_fs-2") as? [String: Any])
        #expect((object["epochs"] as? [Any])?.count == 3 && object["seed"] as? Int == 2)
        let config = try #require(object["config"] as? [String: Any])
        #expect((config["training"] as? [String: Any])?["batchSize"] as? Int == 4)
    }

    @Test func `Models are compared with intervals, verdicts and parts`() throws {
        let tables = try text("runs", "compare", folder, "--by", "number", "--by", "height", "--all-pairs")
        for words in [
            "Test accuracy and loss over seeds", "Runs\n", "Paired comparisons\n", "Accuracy by number",
            "Accuracy by crop height", "not separable from noise",
        ] {
            #expect(tables.contains(words), "\(words)")
        }
        let object = try #require(
            try json("runs", "compare", folder, "--models", "seq_ugru_fs,basic_mv3s") as? [String: Any])
        let models = try #require(object["models"] as? [[String: Any]])
        #expect(models.map { $0["name"] as? String } == ["seq_ugru_fs", "basic_mv3s"])
        let pairs = try #require(object["comparisons"] as? [[String: Any]])
        #expect(
            pairs.count == 1 && pairs[0]["p_value"] is Double
                && (pairs[0]["interval"] as? [Double])?.count == 2)
    }

    @Test func `An analysis prints its tables and leaves its files beside the experiment`() throws {
        let printed = try text("analyze", "curves", folder, "--models", "basic_mv3s")
        #expect(
            printed.contains("Training") && printed.contains("basic_mv3s") && !printed.contains("seq_ugru_fs")
        )
        for file in ["curves.json", "curves_loss.png", "curves_loss.svg", "curves_tens.png"] {
            #expect(
                FileManager.default.fileExists(atPath: Self.experiment.path("analyses/curves/\(file)")),
                "\(file)")
        }
    }

    @Test func `Runs whose data are gone fail with the reason, and the exit status tells`() throws {
        let folder = try TestFolder()
        let (status, _, errors) = try Self.jersey([
            "experiment", "run", "smoke", "--models", "basic_mv3s", "--seeds", "1", "--data",
            TestFolder.missing, "--out",
            folder.url.path,
        ])
        #expect(status == 1 && errors.contains(TestFolder.missing), "\(errors)")
        #expect(!ExperimentFolder(folder.url).exists, "nothing is begun with data that are not there")
    }

    @Test func `Runs that fail are shown with their reason, and the exit status tells`() throws {
        let folder = try TestFolder()
        let (status, _, errors) = try Self.jersey([
            "experiment", "run", "smoke", "--models", "basic_mv3s", "--seeds", "1", "--data",
            Sample.folder.path("data"), "--out",
            folder.url.path, "--set", "pretrained=\(TestFolder.missing)/weights.pth",
        ])
        #expect(status == 1)
        #expect(
            errors.contains("basic_mv3s-1 failed: \(TestFolder.missing)/weights.pth")
                && errors.contains("1 run failed"),
            "\(errors)")
        let overview = try text("experiment", "status", folder.url.path)
        #expect(
            overview.contains("1 runs: 1 failed")
                && overview.contains("basic_mv3s-1: \(TestFolder.missing)/weights"),
            "\(overview)")
        let status2 = try #require(try json("experiment", "status", folder.url.path) as? [String: Any])
        let runs = try #require(status2["runs"] as? [[String: Any]])
        #expect(runs.count == 1 && runs[0]["state"] as? String == "failed")
    }

    @Test func `A run's log has what the program said, each line once, whoever started it`() throws {
        let folder = try TestFolder()
        let small = [
            "--data", Sample.folder.path("data"), "--set", "data.height=32", "--set", "data.width=32",
        ]
        func lines(_ run: RunFolder) throws -> [String] {
            try String(contentsOf: run.log, encoding: .utf8).split(separator: "\n").map {
                #expect($0.prefixMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\s/) != nil)
                return String($0.dropFirst(21))
            }
        }
        let run = RunFolder(folder.url.appendingPathComponent("run"))
        let (status, _, errors) = try Self.jersey(
            [
                "train", "--model", "basic_mv3s", "--run", run.url.path, "--epochs", "2", "--batch-size", "4",
                "--threads", "1",
            ]
                + small)
        #expect(status == 0, "\(errors)")
        #expect(try lines(run) == errors.split(separator: "\n").map(String.init))
        // Another call adds nothing to it.
        #expect(try Self.jersey(["train", "--run", run.url.path] + small).status == 1)
        #expect(try lines(run).count == errors.split(separator: "\n").count)

        let experiment = ExperimentFolder(folder.url.appendingPathComponent("experiment"))
        let call = try Self.jersey(
            [
                "experiment", "run", "smoke", "--models", "basic_mv3s", "--seeds", "1", "--out",
                experiment.url.path,
            ] + small)
        #expect(call.status == 0 && call.errors.contains("starts from random weights"), "\(call.errors)")
        let log = try lines(experiment.run("basic_mv3s-1"))
        #expect(
            Set(log).count == log.count && log.contains { $0.hasPrefix("epoch 1/1: ") }
                && log.contains { $0.hasPrefix("test, ") }
        )
        #expect(experiment.run("basic_mv3s-1").exists(experiment.run("basic_mv3s-1").plots(of: "curves")))
    }

    @Test func `An edited experiment is refused, and one that was begun continues without being named`()
        throws
    {
        let folder = try TestFolder()
        let file = folder.url.appendingPathComponent("mine.yaml")
        func write(epochs: Int) throws {
            try Data(
                "name: mine\nmodels: [basic_mv3s]\nseeds: [1]\nsettings: {training: {epochs: \(epochs)}}".utf8
            ).write(
                to: file)
        }
        func run(_ more: String...) throws -> (status: Int32, text: String, errors: String) {
            try Self.jersey(
                ["experiment", "run", "--out", folder.path("out"), "--data", Sample.folder.path("data")]
                    + more)
        }
        try write(epochs: 3)
        let experiment = ExperimentFolder(folder.url.appendingPathComponent("out"))
        try experiment.begin(Experiment.named(file.path))
        for planned in try experiment.experiment().runs() {
            try experiment.run(planned.id).pretend(
                planned.config, [Reading(FrameSequence("1", track: "t", number: "4"), read: "4")])
        }
        #expect(try run(file.path).status == 0)
        try write(epochs: 4)
        let (status, _, errors) = try run(file.path)
        #expect(status == 1 && errors.contains("was begun with training.epochs = 3, not 4"), "\(errors)")
        #expect(try run().status == 0)
    }

    @Test(arguments: [
        (["runs", "show", "FOLDER", "seq_ugru_fs-3"], "did you mean seq_ugru_fs-1 or seq_ugru_fs-2"),
        (["runs", "compare", "FOLDER", "--models", "basic_mv3"], "did you mean basic_mv3s"),
        (["runs", "list", TestFolder.missing], "no experiment.json"),
        (["runs", "compare", TestFolder.missing], "neither a run folder"),
        (["runs", "compare", "FOLDER", "--by", "colour"], "number"),
        (["runs", "compare", "FOLDER", "--models", "basic_mv3s,basic_mv3s"], "basic_mv3s is named twice"),
        (["analyze", "heads", "FOLDER"], "takes no folder"),
        (["analyze", "backbones", "--models", "basic_r18"], "not runs"),
        (["analyze", "confusoin", "FOLDER"], "did you mean confusion"),
        (["analyze", "mistakes"], "name run folders"),
        (["analyze", "mistakes", "FOLDER", "--count", "0"], "--count must be"),
        (["analyze", "mistakes", "FOLDER", "--data", TestFolder.missing], "--data"),
        (["report", TestFolder.missing], "no experiment.json"),
        (["experiment", "show", "phase1"], "phase0"),
        (["experiment", "run", "smoke", "--out", "NEW"], "--data"),
        (["experiment", "run", "--out", "NEW"], "name an experiment"),
        (["experiment", "run", "smoke", "--out", "NEW", "--seeds", "1,x"], "--seeds"),
        (["experiment", "run", "smoke", "--out", "NEW", "--jobs", "0"], "--jobs"),
        (["experiment", "task", "FOLDER", "basic_mv3s-9"], "basic_mv3s-1"),
    ])
    func `What makes no sense is refused in words that help`(arguments: [String], hint: String) throws {
        let new = try TestFolder()
        let words = ["FOLDER": folder, "NEW": new.path("out")]
        let error = #expect(throws: (any Error).self) {
            var command = try JerseyCommand.parseAsRoot(arguments.map { words[$0] ?? $0 })
            try command.run()
        }
        let text = error.map { JerseyCommand.message(for: $0) } ?? ""
        #expect(text.contains(hint), "\(text)")
        #expect(!FileManager.default.fileExists(atPath: new.path("out")))
    }

    @Test(arguments: [0, 40, 5000])
    func `A table of runs that was written by half is named, with the way out`(bytes: Int) throws {
        let copy = try TestFolder()
        for name in ["experiment.json", "runs.sqlite"] {
            try FileManager.default.copyItem(atPath: Self.experiment.path(name), toPath: copy.path(name))
        }
        let table = URL(fileURLWithPath: copy.path("runs.sqlite"))
        try Data(contentsOf: table).prefix(bytes).write(to: table)
        for arguments in [["list", copy.url.path], ["show", copy.url.path, "basic_mv3s-1"]] {
            let error = #expect(throws: FileError.self) {
                var command = try JerseyCommand.parseAsRoot(["runs"] + arguments)
                try command.run()
            }
            #expect(error?.path == table.path && error?.advice?.contains("`jersey experiment run`") == true)
        }
    }
}
