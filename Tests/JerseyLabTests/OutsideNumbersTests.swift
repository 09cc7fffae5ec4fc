import Foundation
import Jersey
import TestSupport
import Testing
import Torch

@testable import JerseyCLI
@testable import JerseyLab
@testable import JerseyOutput

/// Our own files with values changed by a person or a bad disk. Any value gives a readable error.
@Suite struct OutsideNumbersTests {
    /// What JSON can hold in place of a number, and more.
    private static let numbers = [
        "-1", "-5", "1e300", "-1e300", "\"nan\"", "\"inf\"", "\"-inf\"", "9223372036854775807",
        "-9223372036854775808",
        "4611686018427387904", "0.5", "null", "true", "\"x\"", "[]", "{}",
    ]

    private func run(in folder: URL) throws -> RunFolder {
        let run = RunFolder(folder.appendingPathComponent("run"))
        var config = RunConfig()
        config.model = "basic_r18"
        let readings = (0..<6).map {
            Reading(
                FrameSequence("7/t\($0)/0", track: "7/t\($0)", number: "7", frames: 3),
                read: $0 == 0 ? "8" : "7",
                heights: [40, 40, 40], attention: true)
        }
        try run.pretend(config, readings)
        return run
    }

    /// Replaces the value of `key` with `value`, everywhere in the file.
    private func tamper(_ file: URL, _ key: String, _ value: String) throws {
        let text = try String(contentsOf: file, encoding: .utf8)
        let pattern = try Regex("(\"\(key)\" ?: ?)(\\[[^\\]]*\\]|\\{[^{}]*\\}|\"[^\"]*\"|[^,\\n}]+)")
        let changed = text.replacing(pattern) { "\(text[$0.output[1].range!])\(value)" }
        try Data(changed.utf8).write(to: file)
    }

    private static let keys: [(file: String, keys: [String])] = [
        (
            "outcomes.jsonl",
            ["confidence", "tens", "ones", "attention", "frames", "heights", "length", "truth", "prediction"]
        ),
        (
            "result.json",
            [
                "number_accuracy", "tens_accuracy", "count", "loss", "epochs", "best_epoch", "seconds",
                "unreadable_files",
                "parameters",
            ]
        ),
        (
            "metrics.jsonl",
            ["epoch", "loss", "number_accuracy", "sequences", "seconds", "rate_factor", "unreadable_files"]
        ),
    ]

    @Test(arguments: keys.flatMap { file in file.keys.map { (file.file, $0) } })
    func `A run folder with any value in the place of a number is analysed, or refused in a sentence`(
        file: String, key: String
    )
        throws
    {
        let folder = try TestFolder()
        for value in Self.numbers + ["[1e300]", "[\"nan\",\"nan\"]", "[-1,0.5]"] {
            let run = try run(in: folder.url)
            try tamper(run.url.appendingPathComponent(file), key, value)
            do {
                var input = AnalysisInput(groups: try RunSelection([run.url.path]).groups)
                input.count = 3
                for analysis in [Analysis.calibration, .confusion, .curves, .mistakes, .labels] {
                    do { _ = try analysis(input) } catch is FileError {} catch is UsageError {}
                }
                for group in input.groups {
                    _ = Breakdown.Kind.allCases.map { Breakdown.table([group], by: $0) }
                }
            } catch let error as FileError {
                #expect(!error.description.isEmpty)
            } catch let error as UsageError {
                #expect(!error.description.isEmpty)
            }
            try FileManager.default.removeItem(at: run.url)
        }
    }

    @Test(arguments: [
        ("outcomes.jsonl", "confidence", "\"nan\""), ("outcomes.jsonl", "tens", "[]"),
        ("outcomes.jsonl", "attention", "[]"),
        ("result.json", "number_accuracy", "1e300"), ("metrics.jsonl", "epoch", "-1"),
        ("metrics.jsonl", "loss", "\"inf\""),
    ])
    func `What is out of range is named, with the way out`(file: String, key: String, value: String) throws {
        let folder = try TestFolder()
        let run = try run(in: folder.url)
        try tamper(run.url.appendingPathComponent(file), key, value)
        let error = #expect(throws: FileError.self) { try FinishedRun(run) }
        #expect(error?.path.hasSuffix(file) == true && error?.reason.contains("cannot be parsed") == true)
        #expect(error?.advice == "remove the run folder and train again")
    }

    private static let stateKeys = [
        "epoch", "batch", "unreadableFiles", "seconds", "bestAccuracy", "bestLoss", "step", "sequences",
    ]

    @Test(arguments: stateKeys)
    func `A saved state with any number is gone on from, or refused in a sentence`(key: String) throws {
        let folder = try TestFolder()
        let config = Sample.config("basic_mv3s")
        let run = RunFolder(folder.url.appendingPathComponent("run"))
        var steps = 0
        let first = Trainer(config, folder: run, observer: SilentObserver()) {
            steps += 1
            return steps == 2
        }
        #expect(try first.run() == .stopped)
        let saved = try Safetensors(contentsOf: run.state)
        let state = try #require(saved.metadata["state"])
        for value in ["-7", "1e300", "\"nan\"", "4611686018427387904", "9223372036854775807"] {
            let pattern = try Regex("(\"\(key)\":)([^,}]+)")
            let changed = state.replacing(pattern) { "\(state[$0.output[1].range!])\(value)" }
            try #require(changed != state)
            try Safetensors(metadata: ["state": changed], tensors: saved.tensors).write(to: run.state)
            let again = Trainer(config, folder: run, observer: SilentObserver()) { true }
            // Any finite number is a valid loss.
            if key == "bestLoss", Double(value).map({ abs($0) < 1e30 }) == true {
                #expect(try again.run() == .stopped)
            } else {
                #expect(throws: FileError.self, "\(key) = \(value)") { try again.run() }
            }
        }
    }

    @Test func `Progress of a run is a time, whatever its file says`() throws {
        let folder = try TestFolder()
        let file = folder.url.appendingPathComponent("progress.json")
        for seconds in ["1e300", "\"nan\"", "-1"] {
            try Data("{\"epoch\":1,\"epochs\":2,\"batch\":1,\"batches\":2,\"seconds\":\(seconds)}".utf8)
                .write(to: file)
            #expect(RunProgress(contentsOf: file) == nil)
        }
        for seconds in [0, 1e300, .nan, .infinity, -1e300, 3725.4] {
            #expect(!Format.duration(seconds).isEmpty)
        }
        #expect(Format.duration(3725.4) == "1:02:05")
        for share in [.nan, -1, 2, .infinity, 0.5] { #expect(Console.bar(share, width: 4).count == 6) }
    }

    @Test(arguments: [0.999999999999, 0.99999, Double(1).nextDown])
    func `A share of unreadable tracks near one is refused before anything is made`(share: Double) throws {
        let error = #expect(throws: (any Error).self) {
            var command = try JerseyCommand.parseAsRoot([
                "synthesize", "--out", "\(TestFolder.missing)/x", "--numbers", "7", "--tracks", "1000",
                "--unreadable",
                "\(share)",
            ])
            try command.run()
        }
        #expect("\(error.map { "\($0)" } ?? "")".contains("more than 10000000 sequences"))
    }

    @Test(arguments: [
        "training.epochs=4611686018427387904", "data.cacheMegabytes=9223372036854775807",
        "training.epochs=1e300",
    ])
    func `Settings that no machine can hold are refused by name`(setting: String) throws {
        let error = #expect(throws: UsageError.self) {
            let config = try RunConfig(overlays: [ConfigOverlay(assignments: ["model=basic_r18", setting])])
            try config.validate()
        }
        #expect(error?.description.contains(setting.prefix { $0 != "=" }) == true)
    }
}
