import ArgumentParser
import Foundation
import Jersey
import JerseyLab
import JerseyOutput
import JerseyServer

/// The root command, with the only list of subcommands.
struct JerseyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jersey",
        abstract: "Reads shirt numbers of athletes from short image sequences.",
        version: jerseyVersion,
        subcommands: [
            PredictCommand.self, MergeCommand.self, TrackCommand.self, TrainCommand.self,
            TrainFinderCommand.self,
            EvaluateCommand.self,
            CalibrateCommand.self,
            ExperimentCommand.self,
            RunsCommand.self, AnalyzeCommand.self, ReportCommand.self, BenchmarkCommand.self,
            ExportCommand.self,
            ServeCommand.self, DatasetCommand.self, SynthesizeCommand.self, ModelsCommand.self,
            DoctorCommand.self,
        ])

    /// The setting that `jersey help training.epochs` asks about.
    static func setting(asked words: some Collection<String>) -> Setting? {
        guard words.count == 2, words.first == "help", let key = words.dropFirst().first else { return nil }
        // Commands take precedence over settings: a future command may share a setting's name.
        return configuration.subcommands.contains { $0._commandName == key } ? nil : Setting.find(key)
    }

    /// ArgumentParser reports only "unexpected argument", and nothing for `help`.
    ///
    /// - Throws: `UsageError` with close matches if the words, after an optional `help`, name no
    ///   command; or no setting, after `help`.
    static func checkName(_ words: some Collection<String>) throws {
        // Only settings have a dot in their name.
        if words.first == "help", let key = words.dropFirst().first, key.contains(".") {
            _ = try Setting.named(key)
            return
        }
        try check(words.first == "help" ? words.dropFirst().map(\.self) : Array(words), of: self)
    }

    private static func check(_ words: [String], of command: any ParsableCommand.Type) throws {
        let commands = command.configuration.subcommands
        guard let word = words.first, !word.hasPrefix("-"), !commands.isEmpty, word != "help" else { return }
        if let known = commands.first(where: { $0._commandName == word }) {
            return try check(Array(words.dropFirst()), of: known)
        }
        let names = commands.map { $0._commandName }
        let kind = command == self ? "command" : "command of \(command._commandName)"
        throw UsageError.unknown(kind, word, among: names)
    }
}

@main
enum Main {
    /// Exits with 0 on success, 2 on a usage error, a command's own exit code, or 1 on any other
    /// error.
    static func main() {
        if CommandLine.arguments.dropFirst().first == DecoderWorker.word {
            DecoderWorker.run(Array(CommandLine.arguments.dropFirst(2)))
        }
        keepWaitsShort()
        do {
            let words = CommandLine.words
            if let setting = JerseyCommand.setting(asked: words) {
                return Console.print(Table([], rows: setting.rows))
            }
            try JerseyCommand.checkName(words)
            try StudyFlag.check(words)
            var command = try JerseyCommand.parseAsRoot(words)
            try command.run()
            // Buffered output is written only now, so errors surface here.
            if fflush(nil) != 0 {
                fail("Error: standard output cannot be written: \(SystemError().reason)", code: 1)
            }
        } catch let error as UsageError {
            fail("Error: \(error.message)", code: 2)
        } catch let status as ExitCode {
            exit(status.rawValue)
        } catch {
            switch JerseyCommand.exitCode(for: error) {
            case .success: JerseyCommand.exit(withError: error)
            case .validationFailure:
                Console.error(lines: JerseyCommand.fullMessage(for: error))
                exit(2)
            // Our own errors are complete sentences; system errors print their description.
            default: fail("Error: \(error.message)", code: 1)
            }
        }
    }

    /// Re-executes `train` with short OpenMP waits in its environment, which libtorch reads while
    /// loading. Launchers set the variables for the tasks of an experiment.
    private static func keepWaitsShort() {
        guard CommandLine.arguments.dropFirst().first == "train" else { return }
        let variables = ShortWaits.variables(beside: ProcessInfo.processInfo.environment)
        guard !variables.isEmpty, variables.allSatisfy({ setenv($0.key, $0.value, 1) == 0 }) else { return }
        // If `execv` fails, training continues without them.
        execv("/proc/self/exe", CommandLine.unsafeArgv)
    }

    private static func fail(_ message: String, code: Int32) -> Never {
        Console.error(message)
        exit(code)
    }
}
