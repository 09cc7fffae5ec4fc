import ArgumentParser
import Foundation
import Jersey
import JerseyLab
import JerseyOutput
import Torch

struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Trains a model.",
        discussion: """
            Settings come from the defaults (the study's, or those of the weights that training starts from), a YAML or JSON file, the \
            environment (JERSEY_TRAINING_EPOCHS for training.epochs) and flags; each overrides the one before. The run folder keeps the \
            result as config.json. `jersey train --list-settings` shows all settings, `jersey help training.epochs` shows one.

            Several processes train together if Open MPI's mpirun or `srun --mpi=pmix` starts them.

            On Ctrl-C, SIGTERM, SIGUSR1 and SIGHUP, training finishes the step, saves, and exits with status 130. --resume continues exactly.

            Example: jersey train --model attn_bgru_luong --data crops --run runs/luong
            """)

    @Option(
        name: .customLong("run"),
        help: ArgumentHelp("Run folder, for configuration, metrics, weights and result.", valueName: "folder")
    )
    var folder: String?

    @Option(help: ArgumentHelp("YAML or JSON file with settings.", valueName: "file"))
    var config: String?

    @Flag(help: "Resume the run in the folder, or start one if there is none.")
    var resume = false

    @Flag(help: "Print every setting with its value, environment variable and meaning, then exit.")
    var listSettings = false

    @OptionGroup var options: ConfigOptions

    func run() throws {
        if listSettings { return try printSettings() }
        let group = try ProcessLaunch(environment: ProcessInfo.processInfo.environment).processes {
            Console.error("Error: \($0)")
        }
        let ending: Trainer.Ending?
        do {
            ending = try train(in: group)
            group.finish()
        } catch {
            guard group.size > 1 else { throw error }
            Console.error("Error: process \(group.rank) of \(group.size): \(error.message)")
            group.abort()
        }
        if ending == .stopped { throw ExitCode(130) }
    }

    /// - Returns: nil if the run is already finished.
    private func train(in group: any ProcessGroup) throws -> Trainer.Ending? {
        let words = try options.overlays()
        guard let folder else { throw UsageError("name the run folder with --run, such as --run runs/first") }
        let run = RunFolder(URL(fileURLWithPath: folder))
        // Process 0 decides for all, because the others may not see the run folder.
        let found = try group.shared { () throws -> Start in
            let config = try resolved(run, words)
            let isFinished = resume && run.exists(run.result)
            if isFinished { Console.error("\(folder) is finished; its result is in \(run.result.path)") }
            return Start(config: config, isFinished: isFinished, arguments: CommandLine.arguments)
        }
        guard found.arguments == CommandLine.arguments else {
            throw UsageError(
                "was started with other arguments than process 0; give all processes the same command")
        }
        guard !found.isFinished else { return nil }
        let config = found.config
        Runtime.keepMemory()
        let signals = StopSignals()
        let trainer = Trainer(
            config, folder: run, in: group, observer: TrainingConsole(keepsLog: true),
            shouldStop: { signals.isStopped })
        let ending = try trainer.run()
        guard group.isFirst else { return ending }
        switch ending {
        case .finished:
            if let problem = run.drawCurves() { Console.error(problem) }
            Console.error("weights: \(run.best.path)")
            Console.error("result:  \(run.result.path)")
            if let start = config.startFrom, (try? Checkpoint(named: start))?.card.calibration != nil {
                Console.error(
                    "note: these weights are not calibrated, unlike \(start); run `jersey calibrate` to enable abstention"
                )
            }
        case .stopped:
            Console.error("stopped and saved; resume with `jersey train --run \(folder) --resume`")
        }
        return ending
    }

    /// What process 0 tells the others.
    private struct Start: Codable {
        let config: RunConfig
        let isFinished: Bool
        let arguments: [String]
    }

    private func resolved(_ run: RunFolder, _ words: [ConfigOverlay]) throws -> RunConfig {
        let environment = ConfigOverlay(environment: ProcessInfo.processInfo.environment)
        let file = try config.map { try ConfigOverlay(file: URL(fileURLWithPath: $0)) }
        if run.exists(run.config) {
            guard resume else {
                throw FileError(
                    run.url.path, "already holds a run",
                    advice: "resume it with --resume, or choose another --run folder")
            }
            let saved = try ConfigOverlay(file: run.config)
            let now = try RunConfig(overlays: [saved] + [file, environment].compactMap { $0 } + words)
            try now.checkContinues(RunConfig(overlays: [saved]), path: run.url.path)
            return now
        }
        let overlays = [file, environment].compactMap { $0 } + words
        var config = try RunConfig(overlays: overlays)
        if let start = config.startFrom {
            config = try RunConfig(overlays: [ConfigOverlay(startingFrom: start)] + overlays)
        }
        guard !config.data.path.isEmpty else { throw UsageError("name the data set with --data") }
        return config
    }

    private func printSettings() throws {
        let config = try RunConfig(
            overlays: [ConfigOverlay(environment: ProcessInfo.processInfo.environment)] + options.overlays())
        let rows = Setting.all.map { [$0.key, $0.text(in: config), $0.variable, $0.meaning] }
        Console.print(Table(["setting", "value", "environment", "meaning"], rows: rows))
    }
}
