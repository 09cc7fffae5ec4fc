import ArgumentParser
import Foundation
import Jersey
import JerseyLab
import JerseyOutput

struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Writes the findings of an experiment, or of several, as one web page, and as Markdown.",
        discussion: """
            The page, report.html, holds its pictures and needs no network: tables in the study's layout beside the published \
            figures, statistics, learning curves, confusion matrices, the worst errors, confidences, settings, and how to reproduce \
            it all. Unfinished experiments can be reported, too. Models of several experiments are compared as if they were of one.

            Example: jersey report runs/phaseB

            Example, one comparison of all phases: jersey report runs/phase0 runs/phaseA runs/phaseB --out runs/report
            """)

    @Argument(help: ArgumentHelp("The experiments' folders.", valueName: "folder"))
    var folders: [String]

    @Option(
        help: ArgumentHelp(
            "Where the report goes; `report` in the experiment's folder where not given, and of several in the working folder.",
            valueName: "folder"))
    var out: String?

    @Option(
        help: ArgumentHelp(
            "The model or variant that the others are compared with; the best by validation where not given.", valueName: "name"))
    var baseline: String?

    @Option(help: ArgumentHelp("Data set, if it is not where the runs found it.", valueName: "folder"))
    var data: String?

    @Flag(help: "Leave out table 4, for which forward passes are timed here, up to two minutes.")
    var skipDeployment = false

    func run() throws {
        let experiments = folders.map { ExperimentFolder(URL(fileURLWithPath: $0)) }
        let target = URL(fileURLWithPath: out ?? (folders.count == 1 ? folders[0] + "/report" : "report"))
        try Report(
            experiments, baseline: baseline, data: data, measuresDeployment: !skipDeployment, progress: { Console.error($0) }
        ).write(to: target)
        Console.print(target.appendingPathComponent("report.html").relativePath)
        Console.print(target.appendingPathComponent("report.md").relativePath)
    }
}
