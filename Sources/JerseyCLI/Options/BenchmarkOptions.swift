import ArgumentParser
import Foundation
import Jersey
import JerseyLab
import JerseyOutput

/// How long to measure, and where to write results.
struct BenchmarkOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Repetitions per measurement (default: as many as fit in 30 s, 5 to 101; 3 for `anytime`).",
            valueName: "n"))
    var rounds: Int?

    @Option(help: ArgumentHelp("Output folder (default: benchmarks/NAME).", valueName: "folder"))
    var out: String?

    func validate() throws {
        try (1...10_000).check(rounds, "--rounds")
    }

    func write(_ tables: [Table], _ report: Report, json: some Encodable, name: String) throws {
        Console.print(tables)
        let folder = URL(fileURLWithPath: out ?? "benchmarks/\(name)")
        try report.write(to: folder)
        try AtomicFile.write(JSON.output(json), to: folder.appending(path: "\(name).json"))
        Console.error()
        Console.error("files are in \(folder.relativePath)")
    }
}
