import ArgumentParser
import Foundation
import Jersey
import JerseyLab
import Torch

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
        // What started this keeps standard error as the run's log, whose lines have times.
        Console.output.withLock { output in output = { Console.write(RunLog.stamped($0)) } }
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
