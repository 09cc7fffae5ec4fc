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
            Settings come from the defaults (the study's, or those of the weights that it starts from), a YAML or JSON file, the \
            environment (JERSEY_TRAINING_EPOCHS for training.epochs) and flags, each over the former; what came of them is config.json \
            in the run folder. \
            `jersey train --list-settings` shows them all, and `jersey help training.epochs` one.

            Ctrl-C, SIGTERM and SIGUSR1 end the step, save, and exit with status 130; --resume goes on as if nothing had happened.

            Example: jersey train --model attn_bgru_luong --data crops --run runs/luong
            """)

    @Option(
        name: .customLong("run"),
        help: ArgumentHelp("Folder of this run: configuration, metrics, weights, result.", valueName: "folder"))
    var folder: String?

    @Option(help: ArgumentHelp("Settings, YAML or JSON.", valueName: "file"))
    var config: String?

    @Flag(help: "Go on with the run in the folder, or begin it where there is none.")
    var resume = false

    @Flag(help: "Print every setting with its value, environment variable and meaning, and do nothing else.")
    var listSettings = false

    @OptionGroup var options: ConfigOptions

    func run() throws {
        if listSettings { return try printSettings() }
        let words = try options.overlays()
        guard let folder else { throw UsageError("name the run's folder with --run, such as --run runs/first") }
        let run = RunFolder(URL(fileURLWithPath: folder))
        let config = try resolved(run, words)
        if resume && run.exists(run.result) {
            Console.error("\(folder) is finished; its result is in \(run.result.path)")
            return
        }
        Runtime.keepMemory()
        let signals = StopSignals()
        let trainer = Trainer(config, folder: run, observer: TrainingConsole(keepsLog: true), shouldStop: { signals.isStopped })
        switch try trainer.run() {
        case .finished:
            if let problem = run.drawCurves() { Console.error(problem) }
            Console.error("weights: \(run.best.path)")
            Console.error("result:  \(run.result.path)")
            if let start = config.startFrom, (try? Checkpoint(named: start))?.card.calibration != nil {
                Console.error("note: \(start) knows when not to answer, these weights do not yet; `jersey calibrate` measures it")
            }
        case .stopped:
            Console.error("stopped and saved; `jersey train --run \(folder) --resume` goes on")
            throw ExitCode(130)
        }
    }

    private func resolved(_ run: RunFolder, _ words: [ConfigOverlay]) throws -> RunConfig {
        let environment = ConfigOverlay(environment: ProcessInfo.processInfo.environment)
        let file = try config.map { try ConfigOverlay(file: URL(fileURLWithPath: $0)) }
        if run.exists(run.config) {
            guard resume else {
                throw FileError(run.url.path, "already holds a run", advice: "go on with --resume, or name another --run folder")
            }
            let saved = try ConfigOverlay(file: run.config)
            let now = try RunConfig(overlays: [saved] + [file, environment].compactMap { $0 } + words)
            try now.checkContinues(RunConfig(overlays: [saved]), path: run.url.path)
            return now
        }
        let overlays = [file, environment].compactMap { $0 } + words
        var config = try RunConfig(overlays: overlays)
        if let start = config.startFrom { config = try RunConfig(overlays: [ConfigOverlay(startingFrom: start)] + overlays) }
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
