import ArgumentParser
import Foundation
import Jersey
import JerseyServer
import Torch

/// The command line. Subcommands are listed here and nowhere else.
struct JerseyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jersey",
        abstract: "Reads shirt numbers of athletes from short image sequences.",
        version: jerseyVersion,
        subcommands: [
            PredictCommand.self, TrainCommand.self, EvaluateCommand.self, CalibrateCommand.self, ExperimentCommand.self,
            RunsCommand.self, AnalyzeCommand.self, ReportCommand.self, BenchmarkCommand.self, ExportCommand.self,
            ServeCommand.self, DatasetCommand.self, SynthesizeCommand.self, ModelsCommand.self, DoctorCommand.self,
        ])

    /// The parser would only say that there are words too many, and for `help` nothing.
    ///
    /// - Throws: `UsageError` with close matches where the first words, or the first after `help`, are no command.
    static func checkName(_ words: some Collection<String>) throws {
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
        throw UsageError.unknown(kind, word, among: names, advice: "there are: \(names.joined(separator: ", "))")
    }
}

@main
enum Main {
    /// Exits with 0, with 2 for a call that makes no sense, with what a command asks for, and with 1 for all else that goes wrong.
    static func main() {
        if CommandLine.arguments.dropFirst().first == DecoderWorker.word {
            DecoderWorker.run(Array(CommandLine.arguments.dropFirst(2)))
        }
        keepWaitsShort()
        do {
            // As bytes: a name that is not UTF-8 names its file all the same.
            let words = (1..<max(1, Int(CommandLine.argc))).compactMap { CommandLine.unsafeArgv[$0] }.map { word in
                String(fileSystemBytes: UnsafeRawBufferPointer(start: word, count: strlen(word)))
            }
            try JerseyCommand.checkName(words)
            try StudyFlag.check(words)
            var command = try JerseyCommand.parseAsRoot(words)
            try command.run()
            // What print has kept back is written only now.
            if fflush(nil) != 0 {
                fail("Error: standard output cannot be written: \(SystemError().reason)", code: 1)
            }
        } catch let error as UsageError {
            fail("Error: \(error)", code: 2)
        } catch let status as ExitCode {
            exit(status.rawValue)
        } catch {
            switch JerseyCommand.exitCode(for: error) {
            case .success: JerseyCommand.exit(withError: error)
            case .validationFailure:
                Console.error(lines: JerseyCommand.fullMessage(for: error))
                exit(2)
            // Our errors say all there is to say; a stray one of the system's is named by its description.
            default: fail("Error: \(error)", code: 1)
            }
        }
    }

    /// OpenMP's threads turn in circles for milliseconds while they wait for one whose processor another program has, and training waits
    /// at thousands of places: with one busy program on two cores it took twice as long, and with short waits a third less, while alone
    /// they cost nothing (docs/results.md). Small passes of reading they do slow down. The environment is read as libtorch is loaded, and
    /// therefore the program starts once more.
    private static func keepWaitsShort() {
        let name = "GOMP_SPINCOUNT"
        guard CommandLine.arguments.dropFirst().first == "train", getenv(name) == nil, getenv("OMP_WAIT_POLICY") == nil,
            setenv(name, "1000", 1) == 0
        else { return }
        // Where that fails, it goes on as it is.
        execv("/proc/self/exe", CommandLine.unsafeArgv)
    }

    private static func fail(_ message: String, code: Int32) -> Never {
        Console.error(message)
        exit(code)
    }
}
