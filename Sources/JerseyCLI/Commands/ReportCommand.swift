import ArgumentParser
import Foundation
import Jersey
import JerseyLab

struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Writes an experiment's findings as one web page, and as Markdown.",
        discussion: """
            The page, report.html, holds its pictures and needs no network: tables in the study's layout beside the published \
            figures, statistics, learning curves, confusion matrices, the worst errors, confidences, settings, and how to reproduce \
            it all. Unfinished experiments can be reported, too.

            Example: jersey report runs/phaseB
            """)

    @Argument(help: ArgumentHelp("The experiment's folder.", valueName: "folder"))
    var folder: String

    @Option(
        help: ArgumentHelp("Where the report goes; `report` in the experiment's folder where not given.", valueName: "folder"))
    var out: String?

    @Option(help: ArgumentHelp("Data set, if it is not where the runs found it.", valueName: "folder"))
    var data: String?

    @Flag(help: "Leave out table 4, for which forward passes are timed here.")
    var skipDeployment = false

    func run() throws {
        let experiment = ExperimentFolder(URL(fileURLWithPath: folder))
        let target = URL(fileURLWithPath: out ?? folder + "/report")
        try Report(experiment, data: data, measuresDeployment: !skipDeployment).write(to: target)
        print(target.appendingPathComponent("report.html").relativePath)
        print(target.appendingPathComponent("report.md").relativePath)
    }
}
