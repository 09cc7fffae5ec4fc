import ArgumentParser
import Foundation
import Jersey
import JerseyLab
import Torch

/// Trains one run. Launchers start this command.
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
        // The launcher keeps standard error as the run's log, so lines carry their time.
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
                throw FileError(error.path, error.reason, advice: "remove the run folder and train again")
            }
            try planned.config.checkContinues(saved, path: folder.url.path)
        }
        try experiment.shareSplit(with: planned)
        Runtime.keepMemory()
        let signals = StopSignals()
        signal(SIGPIPE, SIG_IGN)
        if leashed { signals.stopWhenInputCloses() }
        // When a runner was killed, its task stops only after the current step, which may take
        // long.
        let trainer = Trainer(
            planned.config, folder: folder, observer: TrainingConsole(keepsLog: false),
            shouldStop: { signals.isStopped },
            patience: 300)
        if try trainer.run() == .stopped { throw ExitCode(130) }
        if let problem = folder.drawCurves() { Console.error(problem) }
    }
}
