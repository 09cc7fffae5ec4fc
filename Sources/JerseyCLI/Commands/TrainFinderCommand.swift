import ArgumentParser
import Foundation
import Jersey
import JerseyLab
import Torch

struct TrainFinderCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train-finder",
        abstract: "Trains a finder of numbers on rendered frames.",
        discussion: """
            The finder locates the number in a picture of a player, so that a model with data.wholePlayers number reads it enlarged. \
            It learns from frames with a truth.jsonl beside them, as `jersey synthesize` writes it.

            On Ctrl-C and SIGTERM training stops; the same command resumes after the last whole epoch.

            Example: jersey train-finder --data rendered --run runs/finder
            """)

    @Option(help: ArgumentHelp("Data set of rendered frames.", valueName: "folder"))
    var data: String

    @Option(
        name: .customLong("run"),
        help: ArgumentHelp("Run folder, for weights and state.", valueName: "folder"))
    var folder: String

    @Option(help: ArgumentHelp("Epochs.", valueName: "n"))
    var epochs = FinderTrainer().epochs

    @Option(help: ArgumentHelp("Frames in a batch.", valueName: "n"))
    var batchSize = FinderTrainer().batchSize

    @Option(help: ArgumentHelp("Peak learning rate.", valueName: "rate"))
    var rate = FinderTrainer().rate

    @Option(help: ArgumentHelp("Seed of weights, order and augmentation.", valueName: "n"))
    var seed = FinderTrainer().seed

    func validate() throws {
        guard epochs >= 1 else { throw ValidationError("--epochs must be at least 1") }
        guard batchSize >= 1 else { throw ValidationError("--batch-size must be at least 1") }
        guard rate > 0, rate.isFinite else { throw ValidationError("--rate must be above 0") }
    }

    func run() throws {
        var trainer = FinderTrainer()
        (trainer.epochs, trainer.batchSize, trainer.rate, trainer.seed) = (epochs, batchSize, rate, seed)
        var config = DataConfig()
        config.path = data
        config.unreadable = true
        Runtime.keepMemory()
        let signals = StopSignals()
        let isFinished = try trainer.run(
            config, folder: URL(fileURLWithPath: folder), shouldStop: { signals.isStopped },
            report: { Console.error($0) })
        guard isFinished else {
            Console.error("stopped; the same command resumes after the last whole epoch")
            throw ExitCode(130)
        }
        Console.error("weights: \(folder)/finder.safetensors")
    }
}
