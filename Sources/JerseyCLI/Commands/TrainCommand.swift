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
        let words = try options.overlays()
        guard let folder else { throw UsageError("name the run folder with --run, such as --run runs/first") }
        let run = RunFolder(URL(fileURLWithPath: folder))
        let config = try resolved(run, words)
        if resume && run.exists(run.result) {
            Console.error("\(folder) is finished; its result is in \(run.result.path)")
            return
        }
        Runtime.keepMemory()
        let signals = StopSignals()
        let trainer = Trainer(
            config, folder: run, observer: TrainingConsole(keepsLog: true), shouldStop: { signals.isStopped })
        switch try trainer.run() {
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
            throw ExitCode(130)
        }
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
