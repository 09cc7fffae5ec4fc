import ArgumentParser
import Foundation
import Jersey
import JerseyLab

struct ExperimentRunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Runs an experiment, or goes on with one.",
        discussion: """
            An experiment is models × seeds × settings, from a small YAML file or one of those that come with jersey \
            (`jersey experiment list`). The same call goes on with an experiment that was stopped, in whatever way: finished runs \
            are kept, interrupted ones go on, failed ones are tried again. Ctrl-C saves and exits with status 130; a run that \
            fails twice makes the exit status 1, after all others are done.

            With --launcher slurm the runs are tasks of one job array, --jobs of them at once, each with as many cores as it has \
            threads; the cluster's nodes must see the program, the data and the folder where this machine has them. Ctrl-C \
            cancels the array. Killed or disconnected, the command leaves it at work, and the same call watches it again.

            Example: jersey experiment run phaseB --data crops --out runs/phaseB --jobs 2
            Example: jersey experiment run phaseB --data crops --out runs/phaseB --jobs 20 --launcher slurm --sbatch "--gres=gpu:1"
            """)

    @Argument(help: ArgumentHelp("Name or file; may be left out for an experiment that has begun.", valueName: "experiment"))
    var experiment: String?

    @Option(help: ArgumentHelp("Folder for the runs and the table of runs.", valueName: "folder"))
    var out: String

    @Option(help: ArgumentHelp("Data set.", valueName: "folder"))
    var data: String?

    @Option(help: ArgumentHelp("Runs at once.", valueName: "n"))
    var jobs = 1

    @Option(help: ArgumentHelp("Only these models.", valueName: "list"))
    var models: String?

    @Option(help: ArgumentHelp("These seeds instead of the experiment's.", valueName: "list"))
    var seeds: String?

    @Option(help: ArgumentHelp("Settings for all runs, YAML or JSON.", valueName: "file"))
    var config: String?

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp("A setting for all runs, such as training.epochs=5.", valueName: "key=value"))
    var assignments: [String] = []

    @Flag(help: "Do as the study did, its defects included.")
    var published = false

    @OptionGroup var launch: LaunchOptions

    func validate() throws {
        try (1...1024).check(jobs, "--jobs")
    }

    func run() throws {
        let folder = ExperimentFolder(URL(fileURLWithPath: out))
        let experiment = try definition(folder)
        let runs = try experiment.runs()
        let open = runs.filter { !folder.run($0.id).exists(folder.run($0.id).result) }
        try checkData(open)
        let lock = try folder.begin(experiment)
        if let note = try start(of: open.map(\.config)) { Console.error(note) }
        let signals = StopSignals()
        let console = ExperimentConsole(name: try folder.experiment().name)
        let runner = try ExperimentRunner(
            folder, only: Set(runs.map(\.id)), holding: lock, launcher: try launch.launcher(folder, jobs: jobs, say: console.say),
            jobs: jobs,
            observer: console,
            shouldStop: { signals.isStopped })
        let ending = try runner.run()
        console.finish()
        switch ending {
        case .finished:
            Console.error("all runs are finished; `jersey report \(out)` sums them up")
        case .failed(let count):
            Console.error("\(count) run\(count == 1 ? "" : "s") failed; the same call tries again")
            throw ExitCode(1)
        case .stopped:
            Console.error("stopped and saved; the same call goes on")
            throw ExitCode(130)
        }
    }

    /// What there is to tell of the encoders' first weights: the runs tell it in their logs, which few will read.
    private func start(of runs: [RunConfig]) throws -> String? {
        let random = runs.filter { $0.pretrained == nil && $0.startFrom == nil }
        return PretrainedEncoder.note(try random.map { try $0.spec().encoder }, published: random.contains(where: \.published))
    }

    /// What is wrong with the data of all runs is said before the first one, and before an experiment is begun with them.
    private func checkData(_ runs: [PlannedRun]) throws {
        var seen: [DataConfig] = []
        for run in runs where !seen.contains(run.config.data) {
            seen.append(run.config.data)
            _ = try Dataset(run.config.data)
        }
    }

    /// What was asked for, with everything that decides the numbers written down.
    private func definition(_ folder: ExperimentFolder) throws -> Experiment {
        let saved = folder.exists ? try folder.experiment() : nil
        guard var experiment = try self.experiment.map(Experiment.named) ?? saved else {
            throw UsageError("name an experiment, such as phaseB; `jersey experiment list` shows those that come with jersey")
        }
        if let models { experiment.models = models.split(separator: ",").map(String.init) }
        if let seeds {
            experiment.seeds = try seeds.split(separator: ",").map { word in
                guard let seed = UInt64(word) else { throw UsageError("--seeds is a list of whole numbers, and not '\(seeds)'") }
                return seed
            }
        }
        var flags: [String: ConfigTree] = [:]
        if published { flags["published"] = .bool(true) }
        if let data {
            // Tasks may be started elsewhere.
            flags["data.path"] = .string(URL(fileURLWithPath: data).standardizedFileURL.path)
        }
        var overlays = try [config.map { try ConfigOverlay(file: URL(fileURLWithPath: $0)) }].compactMap { $0 }
        overlays += [ConfigOverlay(source: "the command line", settings: flags), try ConfigOverlay(assignments: assignments)]
        // Where and how it goes on is as it was, unless told otherwise; what it is has to be said in full, or not at all.
        if let saved, self.experiment != nil {
            let machine = Set(Setting.all.filter(\.isMachineOnly).map(\.key))
            let known = ConfigOverlay(source: "", tree: saved.settings).settings.filter { machine.contains($0.key) }
            overlays.insert(ConfigOverlay(source: folder.definition.path, settings: known), at: 0)
        }
        let asked = experiment.models
        experiment = try experiment.overlaid(with: overlays)
        let leftOut = asked.filter { !experiment.models.contains($0) }
        if !leftOut.isEmpty { Console.error("left out, as the study has no such models: \(leftOut.joined(separator: ", "))") }
        let runs = try experiment.runs()
        guard runs.allSatisfy({ !$0.config.data.path.isEmpty }) else { throw UsageError("name the data set with --data") }
        if runs.contains(where: { $0.config.training.threads == nil }) {
            // Numbers depend on the number of threads; it must not change when the experiment goes on with other --jobs.
            experiment = try experiment.overlaid(
                with: [ConfigOverlay(source: "--jobs", settings: ["training.threads": .int(launch.threads(jobs: jobs))])])
        }
        return experiment
    }
}
