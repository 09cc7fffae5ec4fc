import ArgumentParser
import Foundation
import Jersey
import JerseyLab
import JerseyOutput

struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Writes a report on one or more experiments as a web page and as Markdown.",
        discussion: """
            report.html is self-contained. It has tables in the study's layout beside the published figures, statistics, learning \
            curves, confusion matrices, the worst errors, confidences, settings, and how to reproduce it all. Experiments may be \
            unfinished. Models from several experiments are compared as if they came from one.

            Example: jersey report runs/phaseB

            Example, comparing all phases: jersey report runs/phase0 runs/phaseA runs/phaseB --out runs/report
            """)

    @Argument(help: ArgumentHelp("Experiment folders.", valueName: "folder"))
    var folders: [String]

    @Option(
        help: ArgumentHelp(
            "Output folder (default: `report` in the experiment's folder; for several experiments, in the working folder).",
            valueName: "folder"))
    var out: String?

    @Option(
        help: ArgumentHelp(
            "Model or variant to compare the others with (default: the best by validation).",
            valueName: "name"))
    var baseline: String?

    @Option(help: ArgumentHelp("Data set, if it has moved since the runs.", valueName: "folder"))
    var data: String?

    @Flag(help: "Leave out table 4, which times forward passes for up to two minutes.")
    var skipDeployment = false

    func run() throws {
        let experiments = folders.map { ExperimentFolder(URL(fileURLWithPath: $0)) }
        let target = URL(fileURLWithPath: out ?? (folders.count == 1 ? folders[0] + "/report" : "report"))
        try Report(
            experiments, baseline: baseline, data: data, measuresDeployment: !skipDeployment,
            progress: { Console.error($0) }
        ).write(to: target)
        Console.print(target.appendingPathComponent("report.html").relativePath)
        Console.print(target.appendingPathComponent("report.md").relativePath)
    }
}
