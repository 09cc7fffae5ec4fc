import ArgumentParser
import Foundation
import Jersey
import JerseyLab
import Torch

struct ExperimentCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "experiment",
        abstract: "Trains many models over many seeds, and keeps track of them.",
        subcommands: [
            ExperimentRunCommand.self, ExperimentStatusCommand.self, ExperimentListCommand.self, ExperimentShowCommand.self,
            ExperimentTaskCommand.self,
        ])
}

struct ExperimentListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists the experiments that come with jersey.")

    func run() throws {
        let rows = Experiment.shipped.map { experiment, _ in
            let runs = experiment.models.count * max(experiment.variants.count, 1) * experiment.seeds.count
            return [experiment.name, "\(runs)", experiment.summary ?? ""]
        }
        Console.print(Table(["name", "runs", "what"], rows: rows))
        Console.print()
        Console.print("`jersey experiment show NAME` prints its file: a start for one of your own.")
    }
}

struct ExperimentShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Prints the file of an experiment that comes with jersey.")

    @Argument(help: ArgumentHelp("Name.", valueName: "name"))
    var name: String

    func run() throws {
        guard let shipped = Experiment.shipped.first(where: { $0.experiment.name == name }) else {
            throw UsageError.unknown(
                "experiment", name, among: Experiment.shipped.map(\.experiment.name),
                advice: "`jersey experiment list` shows them")
        }
        Console.printExactly(shipped.text)
    }
}

struct ExperimentStatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "status", abstract: "Shows how far an experiment is.")

    @Argument(help: ArgumentHelp("The experiment's folder.", valueName: "folder"))
    var folder: String

    @Flag(help: "Print JSON instead of a table.")
    var json = false

    func run() throws {
        let folder = ExperimentFolder(URL(fileURLWithPath: self.folder))
        let status = try ExperimentStatus(folder)
        if json {
            Console.printExactly(JSON.text(try JSON.readable(status, snakeCase: true)))
            return
        }
        let overview = ExperimentOverview(name: try folder.experiment().name, status: status)
        Console.print(overview.headline)
        Console.print()
        Console.print(overview.table)
        for line in overview.failures { Console.print(line) }
    }
}

/// One run; what launchers start.
struct ExperimentTaskCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "task", abstract: "Trains one run of an experiment.", shouldDisplay: false)

    @Argument(help: ArgumentHelp("The experiment's folder.", valueName: "folder"))
    var folder: String

    @Argument(help: ArgumentHelp("Name of the run.", valueName: "run"))
    var id: String

    @Flag(help: "Save and stop when standard input closes.")
    var leashed = false

    func run() throws {
        // What started this keeps it as the run's log.
        Console.log.withLock { $0 = .standardError }
        let experiment = ExperimentFolder(URL(fileURLWithPath: folder))
        let runs = try experiment.experiment().runs()
        guard let planned = runs.first(where: { $0.id == id }) else {
            throw UsageError.unknown("run", id, among: runs.map(\.id))
        }
        let folder = experiment.run(planned.id)
        if folder.exists(folder.config) {
            let saved: RunConfig
            do {
                saved = try RunConfig(overlays: [ConfigOverlay(file: folder.config)])
            } catch let error as FileError {
                throw FileError(error.path, error.reason, advice: "remove the run folder and train anew")
            }
            try planned.config.checkContinues(saved, path: folder.url.path)
        }
        try experiment.shareSplit(with: planned)
        Runtime.keepMemory()
        let signals = StopSignals()
        signal(SIGPIPE, SIG_IGN)
        if leashed { signals.stopWhenInputCloses() }
        // The task of a runner that was killed stops after its step, which may be a long one.
        let trainer = Trainer(
            planned.config, folder: folder, observer: TrainingConsole(keepsLog: false), shouldStop: { signals.isStopped },
            patience: 300)
        if try trainer.run() == .stopped { throw ExitCode(130) }
        if let problem = folder.drawCurves() { Console.error(problem) }
    }
}
