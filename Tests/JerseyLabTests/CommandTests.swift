import ArgumentParser
import Foundation
import Jersey
import TestSupport
import Testing

@testable import JerseyCLI
@testable import JerseyLab
@testable import JerseyOutput
@testable import JerseySynthesis

@Suite struct CommandTests {
    @Test(arguments: JerseyCommand.configuration.subcommands.map { $0._commandName })
    func `Every command has a page of help`(name: String) {
        let help = JerseyCommand.helpMessage(
            for: JerseyCommand.configuration.subcommands.first { $0._commandName == name }!)
        #expect(help.contains("OVERVIEW"))
    }

    @Test(arguments: Setting.all)
    func `Help for a setting says what it means`(setting: Setting) throws {
        let asked = try #require(JerseyCommand.setting(asked: ["help", setting.key]))
        #expect(asked.rows.map { $0[1] }.contains(setting.meaning) && !setting.meaning.isEmpty)
        #expect(JerseyCommand.setting(asked: ["help", "predict"]) == nil)
    }

    @Test func `Flags come from the table, and a switch flips its default`() throws {
        let command = try JerseyCommand.parseAsRoot([
            "train", "--epochs", "3", "--classes", "4, 07", "--plain", "--strict", "--rate", "0.01",
            "--encoder",
            "EfficientNet-B0", "--data", "2024", "--size", "48x24", "--set", "training.epochs=4",
        ])
        let config = try RunConfig(overlays: #require(command as? TrainCommand).options.overlays())
        #expect(
            config.training.epochs == 4 && config.data.classes == ["4", "07"] && config.data.path == "2024")
        #expect(!config.augmentation.enabled && config.data.strict && !config.published)
        #expect(
            config.optimizer.rate == 0.01 && config.optimizer.rates == .uniform
                && config.encoder == .efficientnetB0)
        #expect((config.data.height, config.data.width) == (48, 24))
        let help = JerseyCommand.helpMessage(for: TrainCommand.self, columns: 10_000)
        for setting in Setting.all {
            if let flag = setting.flag {
                #expect(help.contains(flag.usage) && help.contains(setting.meaning))
            }
        }
    }

    @Test(arguments: [["predct", "a"], ["help", "predct"]])
    func `A misspelt command is answered with the one that was meant`(words: [String]) throws {
        let error = #expect(throws: UsageError.self) { try JerseyCommand.checkName(words) }
        #expect(error?.description.contains("did you mean predict?") == true)
        for words in [
            ["predict", "a"], ["help"], ["help", "predict"], ["--version"], [], ["dataset", "inspect", "x"],
            ["runs", "--help"],
        ] {
            try JerseyCommand.checkName(words)
        }
        let deeper = #expect(throws: UsageError.self) {
            try JerseyCommand.checkName(["dataset", "inspekt", "x"])
        }
        #expect(
            deeper?.description.contains(
                "there is no command of dataset 'inspekt'; did you mean inspect? Choose one of: ")
                == true)
    }

    @Test func `Help on a misspelt setting offers the setting that was meant`() throws {
        try JerseyCommand.checkName(["help", "training.patience"])
        let error = #expect(throws: UsageError.self) {
            try JerseyCommand.checkName(["help", "trainig.patience"])
        }
        #expect(error?.description.contains("did you mean training.patience") == true)
    }

    @Test func `The study's flags are answered with ours, and the docs say the same`() throws {
        let help = JerseyCommand.helpMessage(for: TrainCommand.self)
        let docs = try String(
            contentsOf: Places.repository.appendingPathComponent("docs/explanation/study.md"),
            encoding: .utf8)
        let rows = docs.split(separator: "\n").map {
            $0.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
        }
        for flag in StudyFlag.all {
            let words = flag.here.split(separator: " ")
            #expect(
                help.contains(words[0] + " ")
                    && (words[0] != "--set" || Setting.names.contains(String(words[1]))),
                "\(flag.here)")
            #expect(
                rows.contains {
                    $0.count > 1 && $0[0].contains("`\(flag.name)`") && $0[1].contains("`\(flag.here)")
                },
                "\(flag.name)")
            guard flag.isRenamed else { continue }
            for words in [["train", "--\(flag.name)", "x"], ["train", "--\(flag.name)=x"]] {
                let error = #expect(throws: UsageError.self) { try StudyFlag.check(words) }
                #expect(error?.description.contains("\(flag.here) for --\(flag.name)") == true)
            }
        }
        try StudyFlag.check(["train", "--epochs", "3", "--seed", "1", "--", "--lr"])
        let error = #expect(throws: UsageError.self) {
            try StudyFlag.check(["train", "--lr", "1", "--data_root", "x"])
        }
        #expect(error?.description.contains("--rate for --lr, --data for --data_root") == true)
    }

    @Test func `Advice on a GPU fits what is there`() {
        let advice = DoctorCommand.advice
        #expect(
            advice(false, false).contains("`make setup` fetches")
                && !advice(false, true).contains("make setup"))
        #expect(
            advice(true, false).contains("JERSEY_TORCH_CUDA=1 make setup")
                && advice(true, true).contains("nvidia-smi"))
    }

    @Test func `An epoch's line has the rates, and how long the loss has not been better`() {
        let part = EpochMetrics.Part(
            loss: 1.5, numberAccuracy: 0.25, tensAccuracy: 0.5, onesAccuracy: 0.5, sequences: 4)
        func line(_ rates: [Double], stale: Int) -> String {
            TrainingConsole.line(
                FinishedEpoch(
                    row: EpochMetrics(
                        epoch: 3, rateFactor: 0.5, train: part, validation: part, unreadableFiles: 0,
                        best: stale == 0,
                        seconds: 61),
                    epochs: 30, rates: rates, epochsWithoutBetterLoss: stale, patience: 7))
        }
        #expect(
            line([5e-4], stale: 0)
                == "epoch 3/30: train loss 1.5000, number 0.2500, validation loss 1.5000, number 0.2500 (best), rate 0.0005, 1:01"
        )
        #expect(
            line([5e-5, 1.5e-4], stale: 2).hasSuffix(
                "number 0.2500, no improvement for 2 of 7 epochs, rates 5e-05 0.00015, 1:01")
        )
    }

    @Test func `A model is shown and drawn, and what cannot be is refused`() throws {
        let folder = try TestFolder()
        for name in ["a.svg", "b.PNG"] {
            var command = try JerseyCommand.parseAsRoot([
                "models", "basic_mv3s", "--diagram", folder.path(name),
            ])
            try command.run()
        }
        #expect(try String(contentsOfFile: folder.path("a.svg"), encoding: .utf8).contains("<svg"))
        #expect(
            try Data(contentsOf: URL(fileURLWithPath: folder.path("b.PNG"))).starts(with: [
                0x89, 0x50, 0x4E, 0x47,
            ]))
    }

    /// The error of a refused call. MISSING stands for a path that does not exist.
    private func refusal(_ arguments: [String]) -> String {
        let words = arguments.map { $0.replacing("MISSING", with: TestFolder.missing) }
        let error = #expect(throws: (any Error).self) {
            var command = try JerseyCommand.parseAsRoot(words)
            try command.run()
        }
        return error.map { "\($0)" } ?? ""
    }

    @Test(arguments: [
        (["train", "--size", "48"], "height x width"), (["models", "--diagram"], "name it"),
        (["models", "basic", "--diagram", "a.gif"], ".svg or .png"),
        (["models", "--encoder", "compact"], "name it"),
        (["models", "basic_r81"], "basic_r18"),
        (["models", "basic", "--diagram", "MISSING/a.svg"], "a folder that does not exist"),
        (["train", "--set", "training.epochs"], "key=value"),
        (["train", "--run", "MISSING/x", "--data", "d", "--model", "attn_bgru_lung"], "attn_bgru_luong"),
        (["train", "--run", "MISSING/x", "--data", "d", "--set", "training.epoch=3"], "training.epochs"),
        (["train", "--run", "MISSING/x", "--data", "d", "--set", "training.epochs=many"], "wrong type"),
        (["train", "--run", "MISSING/x", "--data", "d", "--encoder", "resnet"], "resnet18"),
        (["predict", "--weights", "w", "a", "--video", "b.mp4"], "needs a video"),
        (["predict", "a.mp4", "b.mp4"], "read by itself"),
        (["predict", "a.mp4", "--first-frame", "0"], "--boxes"),
        (["predict", "a", "--everyone"], "without --boxes"),
        (["predict", "a.mp4", "--boxes", "c", "--detect-every", "2"], "without --boxes"),
        (["predict", "a.mp4", "--detect-every", "0"], "--detect-every"),
        (["predict", "udp://127.0.0.1:1", "--sheet", "a.html"], "an address"),
        (["predict", "-", "--format", "csv"], "lines of JSON"),
        (["predict", "-", "--reconnect", "100000"], "--reconnect"),
        (["predict", "a.mp4", "--all-frames"], "an address"),
        (["predict", "a.mp4", "--team-colours", "red"], "colour=name"),
        (["predict", "a.mp4", "--team-colours", "rad=Ajax"], "did you mean red"),
        (["predict", "a.mp4", "--team-colours", "red=A,blue=B,white=C"], "two teams"),
        (["track", "MISSING/a.mp4"], "does not exist"),
        (["track", "a.mp4", "--output", "a.mp4"], "is an input"),
        (["predict", "--weights", "w", "a.mp4", "--boxes", "c", "--video", "b.avi"], ".mkv"),
        (
            ["predict", "--weights", "w", "a.mp4", "--boxes", "c", "--video", "MISSING/b.mp4"],
            "a folder that does not exist"
        ),
        (["predict", "--weights", "w", "a", "--format", "mot"], "needs a video"),
        (["predict", "--weights", "w", "a.mp4", "b.mp4", "--boxes", "c"], "one video"),
        (["predict", "--weights", "w", "a", "--keep-tracks"], "--tracks"),
        (["predict", "--weights", "w", "a", "--stride", "0"], "--stride"),
        (["train", "--data", "d"], "--run"), (["train", "--run", "MISSING/x"], "--data"),
        (["predict", "--weights", "bundled", "--model", "basic_r18", "a"], "name it with --weights"),
        (["evaluate", "--published", "--data", "d"], "name it with --weights"),
        (["benchmark", "inference", "--published"], "name it with --weights"),
        (
            ["train", "--published", "--encoder", "efficientnet-lite0", "--run", "MISSING/x", "--data", "d"],
            "efficientnet_b0"
        ),
        (
            ["train", "--set", "hidden=0", "--run", "MISSING/x", "--data", "d"],
            "hidden is 0; it must be 1...2048"
        ),
        (
            ["train", "--model", "basic", "--set", "hidden=64", "--run", "MISSING/x", "--data", "d"],
            "with a recurrent layer"
        ),
        (["evaluate", "--weights", "bundeld", "--data", "d"], "bundeld"),
        (["predict", "a.mp4", "--boxes", "c.txt", "--format", "mot", "--output", "c.txt"], "is an input"),
        (["predict", "a.mp4", "--boxes", "c", "--video", "./a.mp4"], "is an input"),
        (["predict", "a", "--output", "/tmp/a.png", "--sheet", "/tmp/../tmp/a.png"], "different files"),
        (["predict", "a", "--output", "/tmp/a.xlsx"], "would be a text file named .xlsx"),
        (["predict", "a", "--frame-size", "48x48"], "name it with --weights"),
        (["predict", "a.mp4", "--box-stride", "2"], "--boxes"),
        (["predict", "a", "--output", "MISSING/b.csv"], "a folder that does not exist"),
        (["predict", "a", "--sheet", "b.gif"], ".png"),
        (["evaluate", "--data", "d", "--outcomes", "MISSING/b"], "a folder that does not exist"),
        (["calibrate", "--data", "d", "--out", "MISSING/b"], "a folder that does not exist"),
        (["synthesize", "--out", "a.avi"], "mp4"),
        (["synthesize", "--out", "a.mp4", "--tracks", "3"], "--tracks is for data sets"),
        (["synthesize", "--out", "a.mp4", "--tracks", "10"], "--tracks is for data sets"),
        (["synthesize", "--out", "a.mp4", "--framing", "body"], "--framing is for data sets"),
        (["synthesize", "--out", "a.mp4", "--difficulty", "real"], "--difficulty is for data sets"),
        (["synthesize", "--out", "a.mp4", "--cuts", "1"], "add --match"),
        (["synthesize", "--out", "a.mp4", "--match", "0"], "--match must be 0.04...3600"),
        (["synthesize", "--out", "a.mp4", "--match", "1", "--cuts", "25"], "fewer than the 25 frames"),
        (["synthesize", "--out", "a.mp4", "--match", "1", "--numbers", "7"], "numbers come from --seed"),
        (["synthesize", "--out", "a", "--match", "1", "--tracks", "7"], "a is a match"),
        (["synthesize", "--out", "a", "--preview", "MISSING/b.png"], "a folder that does not exist"),
    ])
    func `A call that makes no sense is refused in words that help`(arguments: [String], hint: String) throws
    {
        let text = refusal(arguments)
        #expect(text.contains(hint), "\(text)")
    }

    @Test(arguments: [
        (["evaluate", "--weights", "MISSING.safetensors", "--data", "d"], "does not exist"),
        (["predict", "--weights", "w", "MISSING"], "does not exist"),
        (["dataset", "inspect", "MISSING"], TestFolder.missing),
    ])
    func `A file that is not there is named`(arguments: [String], hint: String) throws {
        let text = refusal(arguments)
        #expect(text.contains(hint), "\(text)")
    }

    /// Weights of a fresh model, in their own folder.
    private func weights(_ model: String = "attn_bgru_luong") throws -> (TestFolder, String) {
        let folder = try TestFolder()
        var card = Checkpoint.Card(spec: try .named(model, encoder: .mobilenetV3Small))
        (card.height, card.width) = (48, 24)
        let url = folder.url.appendingPathComponent("w.safetensors")
        try Checkpoint.write(JerseyModel(card.spec, seed: 1), card, to: url)
        return (folder, url.path)
    }

    private func predict(_ arguments: [String]) throws -> String {
        let output = try TestFolder()
        var command = try JerseyCommand.parseAsRoot(["predict", "--output", output.path("out")] + arguments)
        try command.run()
        return try String(contentsOfFile: output.path("out"), encoding: .utf8)
    }

    @Test(arguments: ["attn_bgru_luong", "basic_mv3s", "seq_ulstm_fs"])
    func `Predictions as JSON can be read back, and probabilities sum to one`(model: String) throws {
        let (folder, weights) = try weights(model)
        let text = try predict(["--weights", weights, Sample.folder.path("data/48"), "--format", "json"])
        let predictions = try JSONDecoder().decode([Prediction].self, from: Data(text.utf8))
        #expect(predictions.count == 6)
        for prediction in predictions {
            #expect(
                abs(prediction.tens.reduce(0, +) - 1) < 1e-6 && abs(prediction.ones.reduce(0, +) - 1) < 1e-6)
            #expect(prediction.top.count == 3 && prediction.top[0].number == prediction.number)
        }
        withExtendedLifetime(folder) {}
    }

    @Test func `Every format has a row for each sequence, and tracks are combined on request`() throws {
        let (folder, weights) = try weights()
        let path = Sample.folder.path("data/4")
        let arguments = ["--weights", weights, path]
        let csv = try predict(arguments + ["--format", "csv"]).split(separator: "\r\n")
        #expect(
            csv.count == 7
                && Set(csv.map { $0.split(separator: ",", omittingEmptySubsequences: false).count }) == [34])
        #expect(try predict(arguments + ["--format", "jsonl"]).split(separator: "\n").count == 6)
        #expect(try predict(arguments + ["--format", "table"]).split(separator: "\n").count == 8)
        #expect(try predict(arguments + ["--format", "jsonl", "--tracks"]).split(separator: "\n").count == 6)
        withExtendedLifetime(folder) {}
    }

    @Test func `The bundled model can be asked for by its word, wherever weights are named`() throws {
        let path = Sample.folder.path("data/48")
        let arguments = [path, "--format", "jsonl"]
        #expect(try predict(["--weights", "bundled"] + arguments) == predict(arguments))
        let output = try TestFolder()
        for command in [
            [
                "evaluate", "--data", Sample.folder.path("data"), "--split", "all", "--outcomes",
                output.path("outcomes"),
            ],
            ["export", "--format", "safetensors", "--out", output.path("model.safetensors")],
        ] {
            var command = try JerseyCommand.parseAsRoot(command + ["--weights", "bundled"])
            try command.run()
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: output.url.path).count == 2)
    }

    @Test func `Skimming is refused for a model that is not calibrated`() throws {
        let (folder, weights) = try weights()
        let error = #expect(throws: UsageError.self) {
            try predict(["--weights", weights, "--skim", Sample.folder.path("data/48")])
        }
        #expect(error?.message.contains("jersey calibrate") == true)
        withExtendedLifetime(folder) {}
    }

    @Test func `Broken frames are left out and named, and single files make one sequence`() throws {
        let (folder, weights) = try weights()
        let frames = folder.url.appendingPathComponent("frames")
        try FileManager.default.createDirectory(at: frames, withIntermediateDirectories: true)
        let good = try RGBImage(width: 20, height: 40, pixels: Array(repeating: 90, count: 2400)).pngData()
        for name in ["1.png", "10.png", "2.png"] { try good.write(to: frames.appendingPathComponent(name)) }
        try Data("no image".utf8).write(to: frames.appendingPathComponent("3.jpg"))
        let files = ["1.png", "10.png", "2.png", "3.jpg"].map { frames.appendingPathComponent($0).path }
        let text = try predict(["--weights", weights, "--format", "json"] + files)
        let prediction = try JSONDecoder().decode([Prediction].self, from: Data(text.utf8))[0]
        #expect(
            prediction.frames.map { URL(fileURLWithPath: $0.path).lastPathComponent } == [
                "1.png", "2.png", "10.png",
            ])
        #expect(prediction.leftOut.map { URL(fileURLWithPath: $0.path).lastPathComponent } == ["3.jpg"])
    }

    @Test func `A video with boxes has a row for each track in every format, and is annotated on request`()
        throws
    {
        let (folder, weights) = try weights()
        let (film, boxes, read) = (folder.path("a.mp4"), folder.path("a.txt"), folder.path("read.mp4"))
        var sample = SyntheticVideo(numbers: ["7", "23"].compactMap(JerseyNumber.init), frames: 12, seed: 1)
        (sample.width, sample.height) = (320, 240)
        try sample.write(film, boxes: boxes)
        // A third player, far outside the picture.
        let rows = try String(contentsOfFile: boxes, encoding: .utf8) + "3,x,-500,0,20,40\n"
        try rows.write(toFile: boxes, atomically: true, encoding: .utf8)
        let arguments = ["--weights", weights, film, "--boxes", boxes]

        let json = try predict(arguments + ["--format", "json", "--sheet", folder.path("sheet.png")])
        let predictions = try JSONDecoder().decode([Prediction].self, from: Data(json.utf8))
        #expect(predictions.map(\.track) == ["1", "2", "x"] && predictions[2].number == nil)
        #expect(predictions[0].frames.first?.path == "\(film)#frame=1,track=1")
        #expect(try RGBImage(contentsOf: folder.url.appendingPathComponent("sheet.png")).width > 200)
        _ = try predict(arguments + ["--sheet", folder.path("sheet.html"), "--format", "json"])
        let page = try String(contentsOfFile: folder.path("sheet.html"), encoding: .utf8)
        #expect(
            page.components(separatedBy: "<figcaption>").count == 1 + 3
                && page.contains("2 of 3 sequences answered"))

        let mot = try predict(arguments + ["--format", "mot", "--video", read]).split(separator: "\n")
        #expect(mot.count == 25)
        let numbers = Dictionary(grouping: mot.map { $0.split(separator: ",") }) { $0[1] }.mapValues {
            Set($0.map { $0[10] })
        }
        #expect(numbers["x"] == ["-1"] && numbers["1"] == [Substring(predictions[0].number!.description)])
        #expect(rows.contains(mot[0].split(separator: ",")[0..<6].joined(separator: ",") + ","))

        let (before, after) = (try VideoReader(film), try VideoReader(read))
        #expect((after.width, after.height) == (320, 240))
        while try before.next() != nil, try after.next() != nil {
            let (plain, drawn) = (try before.image().pixels, try after.image().pixels)
            #expect(zip(plain, drawn).filter { abs(Int($0) - Int($1)) > 60 }.count > 300)
        }
        #expect(after.count == 12)
    }

    @Test func `A table keeps words to the left and numbers to the right`() {
        let table = Table(["name", "n"], rows: [["a", "5"], ["bb", "12"]]).description
        #expect(table == "name   n\n----  --\na      5\nbb    12")
    }
}
