import Foundation
import TestSupport
import Testing

@testable import Jersey
@testable import JerseyLab

@Suite("Configuration")
struct RunConfigTests {
    @Test func `Aliases that stand for more than the text holds are refused, and a few are read`() throws {
        var text = "a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n"
        for level in 1...9 {
            text +=
                "a\(level): &a\(level) [\(Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ","))]\n"
        }
        let start = ContinuousClock.now
        let error = #expect(throws: UsageError.self) { try ConfigTree(yaml: text) }
        #expect(error?.description.contains("aliases") == true && ContinuousClock.now - start < .seconds(10))
        #expect(try ConfigTree(yaml: "a: &a [1, 2]\nb: *a\n") == ConfigTree(yaml: "a: [1, 2]\nb: [1, 2]\n"))
    }

    @Test(arguments: [
        "? {a: 1}\n: 2\n", "data:\n ? [a]\n", "[a]: 1\n", "x: &a [1]\n*a : 2\n", "- {{a: 1}: 2}\n",
        "<<: {? [1]}\n",
    ])
    func `A key that is a list or a table is refused, and no trap`(text: String) {
        let error = #expect(throws: UsageError.self) { try ConfigTree(yaml: text) }
        #expect(error?.description.contains("a key must be a word") == true, "\(error?.description ?? "")")
    }

    private func overlay(_ text: String) throws -> ConfigOverlay {
        try withFolder { folder in
            try folder.add("c.yaml", Data(text.utf8))
            return try ConfigOverlay(file: folder.appendingPathComponent("c.yaml"))
        }
    }

    private func config(_ text: String) throws -> RunConfig { try RunConfig(overlays: [overlay(text)]) }

    private func set(_ words: String...) throws -> RunConfig {
        try RunConfig(overlays: [ConfigOverlay(assignments: words)])
    }

    /// The paths of all stored properties, including optional ones.
    private func paths(_ value: Any, _ prefix: String = "") -> [String] {
        Mirror(reflecting: value).children.flatMap { child -> [String] in
            let path = prefix + child.label!
            // The properties of the input belong to the data.
            if child.value is InputSpec { return paths(child.value, prefix) }
            let isGroup =
                Mirror(reflecting: child.value).displayStyle == .struct
                && "\(type(of: child.value))".hasSuffix("Config")
            return isGroup ? paths(child.value, path + ".") : [path]
        }
    }

    @Test func `The list of settings has every property, with a default or without`() {
        #expect(Setting.all.map(\.key).sorted() == paths(RunConfig()).sorted())
        #expect(Set(Setting.all.map(\.variable)).count == Setting.all.count)
    }

    @Test func `The defaults are valid, and come back from JSON as they were`() throws {
        let config = RunConfig()
        try config.validate()
        #expect(try JSONDecoder().decode(RunConfig.self, from: JSONEncoder().encode(config)) == config)
        #expect(try RunConfig(overlays: []) == config)
    }

    @Test func `A weight for the full number brings its head, and some loss must have a weight`() throws {
        #expect(
            try !set("training.tensWeight=2").spec().hasFullHead
                && set("training.fullWeight=0.5").spec().hasFullHead)
        try set("training.tensWeight=0", "training.onesWeight=0", "training.fullWeight=1").validate()
        let nothing = try set("training.tensWeight=0", "training.onesWeight=0")
        let error = #expect(throws: UsageError.self) { try nothing.validate() }
        #expect(error?.description.contains("nothing to learn") == true)
    }

    @Test func `A file gives way to the environment, and that to flags`() throws {
        let file = try overlay("training: {epochs: 1, batchSize: 1, patience: 1}")
        let environment = ConfigOverlay(environment: [
            "JERSEY_TRAINING_EPOCHS": "2", "JERSEY_TRAINING_BATCH_SIZE": "2", "HOME": "/",
        ])
        let config = try RunConfig(overlays: [
            file, environment, ConfigOverlay(assignments: ["training.epochs=3"]),
        ])
        #expect((config.training.epochs, config.training.batchSize, config.training.patience) == (3, 2, 1))
        #expect(config.optimizer == OptimizerConfig())
    }

    @Test func `YAML, JSON and dotted keys say the same`() throws {
        for text in [
            "optimizer:\n  rate: 0.5\n  scheduler: onecycle\n",
            #"{"optimizer": {"rate": 0.5, "scheduler": "onecycle"}}"#,
            "optimizer.rate: 0.5\noptimizer.scheduler: onecycle",
        ] {
            let config = try config(text)
            #expect(config.optimizer.rate == 0.5 && config.optimizer.scheduler == .oneCycle)
        }
        for text in ["", "{}", "# nothing"] { #expect(try config(text) == RunConfig()) }
    }

    @Test func `Values of every kind are read from words`() throws {
        let config = try set(
            "optimizer.rate=1e-3", "optimizer.clip=2", "published=true", "encoder=shufflenet_v2_x1_0",
            "data.ratios=[0.6, 0.2, 0.2]", #"data.classes=["07", "7"]"#,
            "seed=9223372036854775807", "data.groupPattern=^([0-9]+)/", "training.threads=4",
            "training.labelSmoothing=.5")
        #expect(
            config.optimizer.rate == 1e-3 && config.optimizer.clip == 2 && config.published
                && config.encoder == .shufflenetV2)
        #expect(
            config.data.ratios == [0.6, 0.2, 0.2] && config.data.classes == ["07", "7"]
                && config.seed == UInt64(Int.max))
        #expect(
            config.data.groupPattern == "^([0-9]+)/" && config.training.threads == 4
                && config.training.labelSmoothing == 0.5)
        #expect(try set("training.threads=4", "training.threads=null").training.threads == nil)
    }

    @Test func `A quoted 07 stays a word, and a bare one is refused rather than read as 7`() throws {
        #expect(try config("data: {classes: ['07', \"7\"]}").data.classes == ["07", "7"])
        for text in ["data: {classes: [07]}", "data: {classes: [7, 10]}"] {
            if let classes = try? config(text).data.classes { #expect(classes != ["7"]) }
        }
    }

    @Test(
        arguments: [
            ("training: {epoch: 3}", "training.epochs"), ("data.widht: 3", "data.width"),
            ("modle: x", "model"),
            ("Seed: 1", "seed"),
        ])
    func `An unknown setting is met with the right one, and the source is named`(
        _ text: String, _ suggestion: String
    ) throws {
        let overlay = try overlay(text)
        let error = #expect(throws: UsageError.self) { try RunConfig(overlays: [overlay]) }
        #expect(error?.description.hasPrefix(overlay.source) == true)
        #expect(
            error?.description.contains("did you mean \(suggestion)") == true, "\(error?.description ?? "")")
    }

    @Test(
        arguments: [
            ("training: {epochs: many}", "training.epochs"), ("training: {epochs: 1.5}", "training.epochs"),
            ("published: 1", "published"),
            ("data: {ratios: 0.8}", "data.ratios"), ("encoder: vgg", "encoder"),
            ("optimizer: {scheduler: linear}", "optimizer.scheduler"),
            ("seed: -1", "seed"), ("model: null", "model"), ("training: {device: gpu}", "training.device"),
        ])
    func `A value of the wrong type names key and value`(_ text: String, _ key: String) {
        let error = #expect(throws: UsageError.self) { try config(text) }
        #expect(error?.description.contains(": \(key)") == true, "\(error?.description ?? "")")
    }

    @Test(arguments: ["[1, 2]", "just words", "a: [", "\u{1}", "a: b: c"])
    func `A missing file, or one of another kind, is an error`(_ text: String) {
        #expect(throws: FileError.self) { try overlay(text) }
        #expect(throws: FileError("/no/c.yaml", "cannot read the configuration: No such file or directory")) {
            try ConfigOverlay(file: URL(fileURLWithPath: "/no/c.yaml"))
        }
        #expect(throws: UsageError.self) { try ConfigOverlay(assignments: ["training.epochs"]) }
    }

    @Test(
        arguments: [
            "data.height=8", "data.width=9999", "data.maximumFrames=0", "data.ratios=[0.5, 0.5]",
            "data.ratios=[0.5, 0.5, 0.5]",
            "data.ratios=[1.5, -0.5, 0]",
            "data.heldOutShare=1", "data.workers=0", "data.cacheMegabytes=-1", "data.format=folder",
            "data.groupPattern='('",
            "augmentation.rotation=-1",
            "augmentation.zoom=2", "augmentation.flipProbability=1.5",
            "augmentation.blurRadii=[]", "augmentation.motionBlur=[8, 2]", "augmentation.noise=[0.3, 0.1]",
            "augmentation.blurProbability=.nan", "optimizer.rate=0",
            "optimizer.clip=.nan",
            "optimizer.weightDecay=-1", "optimizer.warmupEpochs=30", "optimizer.warmupEpochs=-1",
            "training.epochs=0",
            "training.batchSize=0",
            "training.patience=-1", "training.labelSmoothing=1", "training.onesWeight=-1",
            "training.fullWeight=-1",
            "training.threads=0",
            "training.saveEverySteps=0", "model=attn_bgru",
        ])
    func `Values out of range are refused by key`(_ word: String) throws {
        // NaN may be refused earlier, because JSON cannot express it.
        guard let config = try? set(word) else {
            #expect(word.hasSuffix(".nan"))
            return
        }
        let error = #expect(throws: UsageError.self) { try config.validate() }
        let key = word.prefix { $0 != "=" }
        let words = [
            "data.format": "data format", "data.groupPattern": "group pattern", "model": "model",
            "training.onesWeight": "Weight",
        ]
        #expect(
            error?.description.contains(words[String(key)] ?? String(key)) == true,
            "\(error?.description ?? "")")
    }

    @Test(arguments: [ModelSpec.all[0], ModelSpec.all[1]])
    func `One setting for first weights serves models of several encoders`(spec: ModelSpec) throws {
        var config = RunConfig()
        config.model = spec.name
        #expect(try config.pretrainedPath() == nil)
        config.pretrained = "weights/{encoder}.pth"
        #expect(try config.pretrainedPath() == "weights/\(spec.encoder.rawValue).pth")
    }

    @Test func `A run's config.json is read, and written with the same bytes`() throws {
        let text = #"""
            {
              "augmentation" : {
                "blurProbability" : 0.3,
                "blurRadii" : [
                  1,
                  1.5,
                  2
                ],
                "brightness" : 0.2,
                "contrast" : 0.2,
                "enabled" : true,
                "flipProbability" : 0,
                "frameJitter" : false,
                "motionBlur" : [
                  2,
                  8
                ],
                "motionBlurProbability" : 0,
                "noise" : [
                  0.01,
                  0.03
                ],
                "noiseProbability" : 0.2,
                "perSequence" : false,
                "rotation" : 5,
                "saturation" : 0.2,
                "shear" : 0,
                "shift" : 0,
                "stretch" : 0,
                "zoom" : 0
              },
              "data" : {
                "cacheMegabytes" : 0,
                "classes" : [
                  "07",
                  "7"
                ],
                "format" : "folders",
                "height" : 24,
                "heldOutShare" : 0,
                "maximumFrames" : 16,
                "path" : "data/easy",
                "ratios" : [
                  0.8,
                  0.1,
                  0.1
                ],
                "splitSeed" : 42,
                "strict" : false,
                "unreadable" : false,
                "wholePlayers" : "whole",
                "width" : 24,
                "workers" : 1
              },
              "hidden" : 128,
              "model" : "evidence_tied",
              "optimizer" : {
                "clip" : 1,
                "decoupled" : false,
                "encoderRate" : 0.0001,
                "excludeNormAndBias" : false,
                "headRate" : 0.0003,
                "rate" : 1e-05,
                "rates" : "uniform",
                "scheduler" : "cosine",
                "temporalRate" : 0.0003,
                "warmupEpochs" : 1,
                "weightDecay" : 0.0001
              },
              "published" : false,
              "seed" : 9007199254740993,
              "training" : {
                "balance" : "none",
                "batchSize" : 8,
                "device" : "automatic",
                "epochs" : 6,
                "fullWeight" : 0,
                "labelSmoothing" : 0,
                "logitAdjustment" : false,
                "onesWeight" : 1,
                "patience" : 30,
                "precision" : "automatic",
                "processTimeout" : 300,
                "readabilityWeight" : 0.3,
                "saveEverySteps" : 1,
                "syncBatchNorm" : true,
                "tensWeight" : 1,
                "threads" : 1
              }
            }

            """#
        let config = try config(text)
        #expect(JSON.text(try JSON.readable(config)) == text)
        #expect(try JSON.decoded(RunConfig.self, from: Data(text.utf8)) == config)
        #expect(
            config.seed == 9_007_199_254_740_993 && config.optimizer.rate == 1e-5
                && config.data.classes == ["07", "7"])
        #expect(
            (config.data.height, config.data.maximumFrames) == (24, 16) && config.training.saveEverySteps == 1
        )
    }
}
