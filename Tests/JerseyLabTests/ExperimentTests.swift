import Foundation
import Jersey
import TestSupport
import Testing

@testable import JerseyLab

@Suite struct ExperimentTests {
    private func experiment(
        _ extra: String = "", models: String = "[basic_mv3s, seq]", seeds: String = "[1, 2]"
    ) throws
        -> Experiment
    {
        try Experiment(yaml: "name: x\nmodels: \(models)\nseeds: \(seeds)\n\(extra)", source: "x.yaml")
    }

    // MARK: Definitions

    @Test(arguments: ShippedExperiment.names)
    func `Every shipped experiment plans a run for each model, seed and variant`(name: String) throws {
        let experiment = try Experiment.named(name)
        let runs = try experiment.runs()
        #expect(
            runs.count == experiment.models.count * experiment.seeds.count * max(experiment.variants.count, 1)
        )
        #expect(Set(runs.map(\.id)).count == runs.count)
    }

    @Test func `The study's experiment is its phases together, ninety runs, and all has every model`() throws
    {
        let phases = try ["phase0", "phaseA", "phaseB"].flatMap { try Experiment.named($0).models }
        let study = try Experiment.named("study")
        #expect(study.models == phases && study.models == ModelSpec.study.map(\.name))
        #expect(try study.runs().count == 90)
        #expect(try Experiment.named("all").models == ModelSpec.all.map(\.name))
    }

    private static let published = ConfigOverlay(
        source: "the command line", settings: ["published": .bool(true)])

    @Test(arguments: ShippedExperiment.names)
    func `Every shipped experiment can do as the study did, with the study's models alone`(name: String)
        throws
    {
        let experiment = try Experiment.named(name).overlaid(with: [Self.published])
        let runs = try experiment.runs()
        #expect(!runs.isEmpty && runs.allSatisfy(\.config.published))
        #expect(Set(experiment.models).isSubset(of: ModelSpec.study.map(\.name)))
        if name == "smoke" { #expect(runs.count == 18) }
        // A file says the same as the flag, and is read back as it was written.
        let again = try Experiment(
            yaml: String(decoding: JSONEncoder().encode(experiment), as: UTF8.self), source: "")
        #expect(try again == experiment && again.overlaid(with: [Self.published]) == experiment)
    }

    @Test func `Models that the study has nothing like are all refused by name before anything starts`()
        throws
    {
        let mixed = try experiment(models: "[basic_mv3s, evidence_tied, evidence_independent]")
        let error = #expect(throws: UsageError.self) { try mixed.overlaid(with: [Self.published]) }
        #expect(
            error?.description.hasPrefix(
                "not in the study: evidence_tied, evidence_independent; ") == true)
    }

    @Test func `A published experiment that was begun continues with its split`() throws {
        let folder = try TestFolder()
        let experiment = ExperimentFolder(folder.url)
        try experiment.begin(self.experiment("settings: {published: true}"))
        let runs = try experiment.experiment().runs()
        let (old, new) = (experiment.run(runs[0].id), experiment.run(runs[1].id))
        try experiment.shareSplit(with: runs[1])
        #expect(!new.exists(new.splits), "nothing is there to share")
        try old.create()
        // As earlier versions wrote it. They drew splits differently and did not note how.
        let sequences = ["4/a", "4/b", "4/c", "4/d"].map {
            FrameSequence(id: "\($0)/0", track: $0, number: JerseyNumber("4"), frames: ["1.jpg"], anchor: nil)
        }
        let dataset = Dataset(root: "", sequences: sequences, remarks: [])
        let splits = try Splits(dataset, runs[0].config.data)
        try splits.write(to: old.splits)
        try experiment.shareSplit(with: runs[1])
        #expect(try Splits(contentsOf: new.splits) == splits)
        #expect(try Splits.forRun(dataset, runs[1].config.data, published: true, at: new.splits) == splits)
        try Data().write(to: new.splits)
        try experiment.shareSplit(with: runs[1])
        #expect(try Data(contentsOf: new.splits).isEmpty, "what is there is not written over")
    }

    @Test(arguments: [
        ("name: x\nmodels: all\nseeds: [1]\nseed: 2", "did you mean seeds"),
        ("name: x\nmodels: [basic_r81]\nseeds: [1]", "basic_r18"),
        ("name: x\nmodels: all\nseeds: [1, 2, 1]", "the seed 1 is named twice"),
        ("name: x\nmodels: [seq, seq_bgru_mp]\nseeds: [1]", "the model seq_bgru_mp is named twice"),
        ("name: x\nmodels: all\nseeds: []", "at least one model and one seed"),
        ("name: x\nmodels: all\nseeds: [-1]", "not an experiment"), ("name: x\nmodels: all", "seeds"),
        ("name: a b\nmodels: all\nseeds: [1]", "'a b' is not a valid name"),
        ("name: ../x\nmodels: all\nseeds: [1]", "is not a valid name"),
        ("name: x\nmodels: all\nseeds: [1]\nsettings: {seed: 3}", "seed does not belong under settings"),
        (
            "name: x\nmodels: all\nseeds: [1]\nsettings: {model: basic_r18}\nvariants: [{name: a}, {name: b}]",
            "does not belong"
        ),
        (
            "name: x\nmodels: all\nseeds: [1]\nvariants: [{name: a, settings: {model: basic_r18}}]",
            "model does not belong"
        ),
        (
            "name: x\nmodels: all\nseeds: [1]\nvariants: [{name: a}, {name: a}]",
            "the variant a is named twice"
        ),
        ("name: x\nmodels: all\nseeds: [1]\nvariants: [{name: a, setting: {}}]", "did you mean settings"),
        ("just words", "is not a table of keys and values"), ("name: [", "x.yaml"),
    ])
    func `A definition that makes no sense is refused, and the file is named`(yaml: String, hint: String) {
        let error = #expect(throws: UsageError.self) { try Experiment(yaml: yaml, source: "x.yaml") }
        #expect(error?.description.contains(hint) == true, "\(error?.description ?? "")")
        #expect(error?.description.hasPrefix("x.yaml") == true)
    }

    @Test func `A wrong setting is named when runs are planned`() throws {
        let unknown = try experiment("settings: {training: {epoch: 3}}")
        #expect(
            #expect(throws: UsageError.self) { try unknown.runs() }?.description.contains("training.epochs")
                == true)
        let odd = try experiment("variants: [{name: big, settings: {training: {batchSize: many}}}]")
        #expect(
            #expect(throws: UsageError.self) { try odd.runs() }?.description.contains(
                "variant big: training.batchSize") == true)
    }

    @Test func `Runs come seed by seed, and models by their present names`() throws {
        let runs = try experiment("settings: {training: {batchSize: 8}}").runs()
        #expect(runs.map(\.id) == ["basic_mv3s-1", "seq_bgru_mp-1", "basic_mv3s-2", "seq_bgru_mp-2"])
        #expect(
            runs.allSatisfy {
                $0.config.training.batchSize == 8 && $0.config.model == $0.model && $0.config.seed == $0.seed
            })
        #expect(runs.map(\.group) == ["basic_mv3s", "seq_bgru_mp", "basic_mv3s", "seq_bgru_mp"])
    }

    @Test func `Variants lie over the common settings, which cannot take their place`() throws {
        let variants = try experiment(
            """
            settings: {optimizer: {clip: 2}}
            variants: [{name: small, settings: {training: {batchSize: 4}}}, {name: plain}]
            """, models: "basic_mv3s", seeds: "[7]")
        let runs = try variants.runs()
        #expect(runs.map(\.id) == ["basic_mv3s-small-7", "basic_mv3s-plain-7"])
        #expect(runs.map(\.config.training.batchSize) == [4, RunConfig().training.batchSize])
        #expect(runs.map(\.config.optimizer.clip) == [2, 2])
        let other = try variants.overlaid(with: [try ConfigOverlay(assignments: ["optimizer.clip=3"])])
        #expect(try other.runs().map(\.config.optimizer.clip) == [3, 3])
        let error = #expect(throws: UsageError.self) {
            try variants.overlaid(with: [try ConfigOverlay(assignments: ["training.batchSize=8"])])
        }
        #expect(error?.description.contains("the variants of x set training.batchSize themselves") == true)
    }

    @Test func `A word that is neither an experiment nor a file is met with close ones`() {
        let error = #expect(throws: UsageError.self) { try Experiment.named("phaseC") }
        #expect(error?.description.contains("phaseA or phaseB") == true, "\(error?.description ?? "")")
    }

    @Test func `An experiment may grow, and keeps what its runs have in common`() throws {
        let folder = try TestFolder()
        let files = ExperimentFolder(folder.url)
        try files.begin(try experiment(seeds: "[1]"))
        try files.begin(try experiment(seeds: "[1, 2]"))
        #expect(try files.experiment().runs().count == 4)
        // A call for some of the runs keeps the others.
        var part = try experiment(seeds: "[3]")
        part.models = [part.models[0]]
        try files.begin(part)
        #expect(try files.experiment().models.count == 2 && files.experiment().seeds == [1, 2, 3])
        let error = #expect(throws: FileError.self) {
            try files.begin(try experiment("settings: {optimizer: {clip: 9}}"))
        }
        #expect(error?.description.contains("optimizer.clip = 1") == true, "\(error?.description ?? "")")
        #expect(try files.experiment().settings == .table([:]))
        // New seeds and models would be averaged and compared with the existing ones.
        for new in [
            try experiment("settings: {optimizer: {clip: 9}}", seeds: "[8]"),
            try experiment("settings: {optimizer: {clip: 9}}", models: "[basic_sv2]", seeds: "[1]"),
        ] {
            let error = #expect(throws: FileError.self) { try files.begin(new) }
            #expect(
                error?.description.contains("was begun with optimizer.clip = 1, not 9") == true,
                "\(error?.description ?? "")")
        }
        #expect(try files.experiment().seeds == [1, 2, 3])
        let other = #expect(throws: FileError.self) {
            try files.begin(try experiment("variants: [{name: v}]"))
        }
        #expect(other?.description.contains("--out") == true, "\(other?.description ?? "")")
        try Data("name: x\nmodels: all".utf8).write(to: files.definition)
        let broken = #expect(throws: UsageError.self) { try files.experiment() }
        #expect(broken?.description.contains(files.definition.path) == true)
    }

    @Test func `A variant that is there cannot change, not even for other seeds`() throws {
        let folder = try TestFolder()
        let files = ExperimentFolder(folder.url)
        func variant(_ batchSize: Int, seeds: String) throws -> Experiment {
            try experiment(
                "variants: [{name: small, settings: {training: {batchSize: \(batchSize)}}}]", seeds: seeds)
        }
        try files.begin(try variant(4, seeds: "[1]"))
        let error = #expect(throws: FileError.self) { try files.begin(try variant(8, seeds: "[2]")) }
        #expect(
            error?.description.contains("training.batchSize = 4, not 8") == true,
            "\(error?.description ?? "")")
        try files.begin(try variant(4, seeds: "[2]"))
        #expect(try files.experiment().runs().allSatisfy { $0.config.training.batchSize == 4 })
    }

    @Test(arguments: [
        ("models: all\nseeds: [-1]", "seeds: needs whole numbers from 0, not -1"),
        ("models: all", "seeds: is missing"),
        ("models: all\nseeds: [1]\nvariants: [gentle]", "variants, entry 1: needs keys and values"),
        ("models: all\nseeds: 3", "seeds: needs a list"), ("seeds: [1]", "models: is missing"),
    ])
    func `What a file lacks is said in its own words`(lines: String, words: String) {
        let error = #expect(throws: UsageError.self) {
            try Experiment(yaml: "name: x\n" + lines, source: "x.yaml")
        }
        #expect(error?.description == "x.yaml is not an experiment (\(words))", "\(error?.description ?? "")")
    }

    // MARK: Status and selection

    @Test func `The time that is left goes by what runs of the same model took`() throws {
        let runs = try experiment().runs()
        var status = ExperimentStatus(runs: runs.map(ExperimentStatus.Run.init), jobs: 1)
        #expect(status.remainingSeconds == nil && status.count(.waiting) == 4)
        (status.runs[0].state, status.runs[0].seconds) = (.finished, 100)
        (status.runs[1].state, status.runs[1].progress) = (
            .running, RunProgress(epoch: 2, epochs: 4, batch: 0, batches: 5, seconds: 50)
        )
        // 100 s for the other basic_mv3s; 200 s for each seq, one of which is a quarter done.
        #expect(status.remainingSeconds == 450.0)
        status.jobs = 2
        #expect(status.remainingSeconds == 225)
        status.runs[2].state = .failed
        status.runs[3].state = .finished
        #expect(status.remainingSeconds == 150)
    }

    @Test func `Runs that are named one by one are put together by their settings`() throws {
        let folder = try TestFolder()
        let reading = Reading(FrameSequence("1", track: "t", number: "4"), read: "4")
        func write(_ name: String, seed: UInt64, batch: Int) throws -> String {
            var config = RunConfig()
            (config.seed, config.training.batchSize) = (seed, batch)
            try RunFolder(folder.url.appendingPathComponent(name)).pretend(config, [reading])
            return folder.path(name)
        }
        let paths = [
            try write("a", seed: 1, batch: 8), try write("b", seed: 2, batch: 8),
            try write("c", seed: 1, batch: 4),
        ]
        let together = try RunSelection([paths[0], paths[1], paths[0]])
        #expect(
            together.groups.map(\.name) == ["attn_bgru_luong"]
                && together.groups[0].runs.map(\.id) == ["a", "b"])
        let apart = try RunSelection(paths)
        #expect(
            apart.groups.map(\.name) == ["attn_bgru_luong (\(paths[0]))", "attn_bgru_luong (\(paths[2]))"])
        let neither = #expect(throws: FileError.self) { try RunSelection([folder.url.path]) }
        #expect(neither?.description.contains("neither a run folder") == true)
        try FileManager.default.removeItem(at: RunFolder(URL(fileURLWithPath: paths[2])).result)
        #expect(
            #expect(throws: FileError.self) { try RunSelection([paths[2]]) }?.description.contains(
                "not finished") == true)
    }

    @Test func `Two experiments with the same models keep their names apart`() throws {
        let other = try TestFolder()
        try SampleExperiment.write(to: other.url)
        let paths = [SampleExperiment.folder.url.path, other.url.path]
        let names = try RunSelection(paths).groups.map(\.name)
        #expect(names == paths.flatMap { path in SampleExperiment.models.map { "\($0) (\(path))" } })
    }
}
