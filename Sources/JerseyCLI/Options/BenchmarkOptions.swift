import ArgumentParser
import Foundation
import Jersey
import JerseyLab
import JerseyOutput
import Torch

/// How long to measure, and where results go.
struct BenchmarkOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Readings of each time (default: as many as half a minute has, 5 to 101; 3 of anytime reading).", valueName: "n"))
    var rounds: Int?

    @Option(help: ArgumentHelp("Where files go; benchmarks/NAME where not given.", valueName: "folder"))
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
