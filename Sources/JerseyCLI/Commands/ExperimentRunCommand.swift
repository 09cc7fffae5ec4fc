import ArgumentParser
import Foundation
import Jersey
import JerseyLab

struct ExperimentRunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Runs or resumes an experiment.",
        discussion: """
            An experiment is models × seeds × settings. Name a small YAML file, or an experiment shipped with jersey \
            (`jersey experiment list`). Repeat the same command to resume an experiment that stopped for any reason: finished runs are \
            kept, interrupted runs resume, failed runs are retried. Ctrl-C saves and exits with status 130. A run that fails twice \
            makes the exit status 1, after all others are done.

            With --launcher slurm the runs are tasks of one job array, at most --jobs of them at once, each with one core per thread. \
            The nodes must see the program, the data and the folder at the same paths as this machine. Ctrl-C cancels the array. If \
            the command is killed or disconnected, the array keeps running; repeat the command to watch it again.

            Example: jersey experiment run phaseB --data crops --out runs/phaseB --jobs 2
            Example: jersey experiment run phaseB --data crops --out runs/phaseB --jobs 20 --launcher slurm --sbatch "--gres=gpu:1"
            """)

    @Argument(
        help: ArgumentHelp("Name or file; optional once the experiment has started.", valueName: "experiment")
    )
    var experiment: String?

    @Option(help: ArgumentHelp("Folder for the runs and the table of runs.", valueName: "folder"))
    var out: String

    @Option(help: ArgumentHelp("Data set.", valueName: "folder"))
    var data: String?

    @Option(help: ArgumentHelp("Runs in parallel.", valueName: "n"))
    var jobs = 1

    @Option(help: ArgumentHelp("Only these models.", valueName: "list"))
    var models: String?

    @Option(help: ArgumentHelp("These seeds instead of the experiment's.", valueName: "list"))
    var seeds: String?

    @Option(help: ArgumentHelp("YAML or JSON file with settings for all runs.", valueName: "file"))
    var config: String?

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp("A setting for all runs, such as training.epochs=5.", valueName: "key=value"))
    var assignments: [String] = []

    @Flag(help: "Do as the study did, including its defects.")
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
            folder, only: Set(runs.map(\.id)), holding: lock,
            launcher: try launch.launcher(folder, jobs: jobs, say: console.say),
            jobs: jobs,
            observer: console,
            shouldStop: { signals.isStopped })
        let ending = try runner.run()
        console.finish()
        switch ending {
        case .finished:
            Console.error("all runs are finished; `jersey report \(out)` summarizes them")
        case .failed(let count):
            Console.error("\(count) run\(count == 1 ? "" : "s") failed; repeat the command to retry")
            throw ExitCode(1)
        case .stopped:
            Console.error("stopped and saved; repeat the command to resume")
            throw ExitCode(130)
        }
    }

    /// A note on the encoders' first weights. The runs also log it, but few users read those logs.
    private func start(of runs: [RunConfig]) throws -> String? {
        let random = runs.filter { $0.pretrained == nil && $0.startFrom == nil }
        return PretrainedEncoder.note(
            try random.map { try $0.spec().encoder }, published: random.contains(where: \.published))
    }

    /// Checks the data of all runs before the experiment starts, so that no run fails hours later.
    private func checkData(_ runs: [PlannedRun]) throws {
        var seen: [DataConfig] = []
        for run in runs where !seen.contains(run.config.data) {
            seen.append(run.config.data)
            _ = try Dataset(run.config.data)
        }
    }

    /// The experiment that the user asked for, with every setting that affects its numbers filled
    /// in.
    private func definition(_ folder: ExperimentFolder) throws -> Experiment {
        let saved = folder.exists ? try folder.experiment() : nil
        guard var experiment = try self.experiment.map(Experiment.named) ?? saved else {
            throw UsageError(
                "name an experiment, such as phaseB; `jersey experiment list` shows the shipped ones")
        }
        if let models { experiment.models = models.split(separator: ",").map(String.init) }
        if let seeds {
            experiment.seeds = try seeds.split(separator: ",").map { word in
                guard let seed = UInt64(word) else {
                    throw UsageError("--seeds must be a list of whole numbers, not '\(seeds)'")
                }
                return seed
            }
        }
        var flags: [String: ConfigTree] = [:]
        if published { flags["published"] = .bool(true) }
        if let data {
            // Tasks may start in another working folder.
            flags["data.path"] = .string(URL(fileURLWithPath: data).standardizedFileURL.path)
        }
        var overlays = try [config.map { try ConfigOverlay(file: URL(fileURLWithPath: $0)) }].compactMap {
            $0
        }
        overlays += [
            ConfigOverlay(source: "the command line", settings: flags),
            try ConfigOverlay(assignments: assignments),
        ]
        // Settings of the machine carry over unless given again. All others must be given in full
        // or not at all.
        if let saved, self.experiment != nil {
            let machine = Set(Setting.all.filter(\.isMachineOnly).map(\.key))
            let known = ConfigOverlay(source: "", tree: saved.settings).settings.filter {
                machine.contains($0.key)
            }
            overlays.insert(ConfigOverlay(source: folder.definition.path, settings: known), at: 0)
        }
        let asked = experiment.models
        experiment = try experiment.overlaid(with: overlays)
        let leftOut = asked.filter { !experiment.models.contains($0) }
        if !leftOut.isEmpty {
            Console.error("skipped, because the study has no such models: \(leftOut.joined(separator: ", "))")
        }
        let runs = try experiment.runs()
        guard runs.allSatisfy({ !$0.config.data.path.isEmpty }) else {
            throw UsageError("name the data set with --data")
        }
        if runs.contains(where: { $0.config.training.threads == nil }) {
            // Numbers depend on the thread count, so it must not change when a resumed experiment
            // has other --jobs.
            experiment = try experiment.overlaid(
                with: [
                    ConfigOverlay(
                        source: "--jobs", settings: ["training.threads": .int(launch.threads(jobs: jobs))])
                ])
        }
        return experiment
    }
}
