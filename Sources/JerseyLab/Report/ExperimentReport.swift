import Foundation
import Jersey
import JerseyOutput

extension Report {
    /// The report on one experiment, or on several as if they were one, built from the run folders.
    ///
    /// - Parameters:
    ///   - baseline: the model or variant that others are compared with; nil for the best by
    ///     validation.
    ///   - data: the data set's folder, if it has moved since the runs.
    ///   - measuresDeployment: whether to time one model's forward passes on this machine, for at
    ///     most two minutes.
    ///   - progress: called before each long step with its description and expected duration.
    /// - Throws: `FileError` if no run is finished; `UsageError` if the baseline does not exist.
    package init(
        _ folders: [ExperimentFolder], baseline: String? = nil, data: String? = nil,
        measuresDeployment: Bool = true,
        progress: (String) -> Void = { _ in }
    ) throws {
        let experiments = try folders.map { folder in
            ReportedExperiment(
                folder: folder, definition: try folder.experiment(),
                records: (try? RunDatabase(reading: folder.database).runs()) ?? [])
        }
        let selection = try RunSelection(folders.map(\.url.relativePath))
        var input = AnalysisInput(groups: selection.ranked)
        input.data = data
        var page = try ReportBuilder(
            experiments, selection, baseline: baseline.map { try selection.group($0).name }, input)
        page.findings()
        page.studyTables(measuresDeployment: measuresDeployment, progress: progress)
        page.statistics()
        page.learning()
        page.errors()
        page.confidence()
        page.configuration()
        page.reproduction()
        let title =
            (experiments.count == 1 ? "Experiment " : "Experiments ")
            + experiments.map(\.definition.name).joined(separator: ", ")
        let summary = experiments.count == 1 ? experiments[0].definition.summary : nil
        self.init(
            title: title, subtitle: [summary, page.extent].compactMap { $0 }.joined(separator: ". "),
            sections: page.sections)
    }
}

private struct ReportedExperiment {
    let folder: ExperimentFolder
    let definition: Experiment
    let records: [RunRecord]
}

/// Builds the page section by section.
private struct ReportBuilder {
    private let experiments: [ReportedExperiment]
    private let records: [RunRecord]
    /// Groups in the experiments' order.
    private let groups: [RunGroup]
    private let problems: [String]
    /// Input of the analyses; the best model by validation comes first.
    private let input: AnalysisInput
    private let statistic: ModelStatistics
    /// Numbers of runs.
    private let planned, finished: Int
    private(set) var sections: [Report.Section] = []

    init(
        _ experiments: [ReportedExperiment], _ selection: RunSelection, baseline: String?,
        _ input: AnalysisInput
    ) throws {
        self.experiments = experiments
        self.input = input
        records = experiments.flatMap(\.records)
        groups = selection.groups
        problems = selection.problems
        statistic = ModelStatistics(groups, baseline: baseline)
        planned = try experiments.reduce(0) { $0 + (try $1.definition.runs().count) }
        finished = groups.reduce(0) { $0 + $1.runs.count }
    }

    var extent: String {
        let sizes = groups.flatMap(\.runs).compactMap(\.result.test?.all)
            .map { ", \($0.sequences.number.count) test sequences of \($0.tracks.number.count) tracks" }
        let size =
            sizes.first.map { first in sizes.allSatisfy { $0 == first } ? first : ", with different test sets"
            } ?? ""
        let day = records.compactMap(\.finished).max().map {
            ", last run finished on \(Format.day($0))"
        }
        return "\(finished) of \(planned) runs finished\(size)\(day ?? "")"
    }

    // MARK: Sections

    mutating func findings() {
        var items: [String] = []
        items += [statistic.leaderFinding].compactMap { $0 }
        let pairs = statistic.comparisons
        let separable = pairs.filter(\.isSeparable).sorted { abs($0.difference) > abs($1.difference) }
        if !pairs.isEmpty {
            items.append(
                separable.isEmpty
                    ? "None of the \(pairs.count) differences \(compared) is separable from noise."
                    : "\(separable.count) of \(pairs.count) differences \(compared) are separable from noise; the largest:"
            )
            items += separable.prefix(5).map { "\($0.finding)." }
        }
        let few = groups.filter { $0.runs.count < 3 }
        if !few.isEmpty {
            items.append(
                "Fewer than three runs: \(few.map(\.name).joined(separator: ", ")). Their deviations are unreliable."
            )
        }
        let failed = records.filter { $0.state == RunState.failed.rawValue }
        items += failed.map { "Failed: \($0.id)" + ($0.reason.map { ", \($0)" } ?? "") + "." }
        items += problems.map { "Skipped: \($0)" }
        let missing = planned - finished - failed.count - problems.count
        if missing > 0 { items.append("\(missing) runs are unfinished and not included.") }
        sections.append(.init("Findings", [.list(items)]))
    }

    private var compared: String { statistic.baseline.map { "from the baseline \($0)" } ?? "between models" }

    mutating func studyTables(measuresDeployment: Bool, progress: (String) -> Void) {
        var blocks: [Report.Block] = [ModelSpec.Phase.singleFrame, .sequence, .attention]
            .compactMap { PublishedFigures.table($0, groups) }.map { .table($0) }
        if measuresDeployment {
            let group =
                groups.first { (try? $0.runs[0].config.spec().name) == "attn_bgru_luong" } ?? input.groups[0]
            let run = group.best
            blocks.append(
                attempt("The deployment benchmark failed") {
                    .table(
                        try ProductionBenchmark(run, frames: try? input.frames(of: run), within: 60) {
                            progress("table 4: \($0)")
                        }.studyTable)
                })
        }
        if !blocks.isEmpty { sections.append(.init("The study's tables", blocks)) }
    }

    mutating func statistics() {
        var blocks: [Report.Block] = [.table(statistic.summaryTable), .chart(accuracyChart)]
        blocks += [statistic.comparisonTable(allPairs: false)].compactMap { $0 }.map { .table($0) }
        blocks.append(.table(statistic.runTable))
        let leaders = Array(input.groups.prefix(4))
        blocks += Breakdown.Kind.allCases.compactMap { Breakdown.table(leaders, by: $0) }.map { .table($0) }
        sections.append(.init("Statistics", blocks))
    }

    private var accuracyChart: Chart {
        let lowest =
            groups.compactMap { group in
                group.summary(.number).mean.map { $0 - (group.summary(.number).standardDeviation ?? 0) }
            }.min() ?? 0
        // Bars from zero would hide the differences between good models.
        let range = lowest > 0.5 ? (lowest * 20).rounded(.down) / 20...1 : nil
        return Chart(
            name: "accuracy", title: "Test accuracy of numbers, mean ± standard deviation",
            .bars(
                Chart.Bars(
                    groups.map(\.name), counts: groups.map(\.runs.count),
                    axis: Chart.Axis("sequences read right", range: range, percent: true),
                    [.init("number", groups.map { Chart.Value($0.summary(.number)) })])))
    }

    mutating func learning() {
        sections.append(
            .init(
                "Learning curves",
                LearningCurve.charts(input.groups.map(LearningCurve.init)).map { .chart($0) }
                    + [.text(LearningCurve.lossNote)]))
    }

    mutating func errors() {
        var blocks: [Report.Block] = []
        blocks += found(.confusion, input, charts: { !$0.name.hasSuffix("_counts") })
        var gallery = input
        gallery.count = 8
        blocks += found(.mistakes, gallery)
        if input.groups.count > 1 { blocks += found(.failures, gallery, tables: 1) }
        sections.append(.init("Errors of \(input.groups[0].name)", blocks))
        gallery.count = 6
        sections.append(.init("Labels in doubt", found(.labels, gallery)))
    }

    mutating func confidence() {
        sections.append(.init("Confidence", found(.calibration, input)))
    }

    mutating func configuration() {
        var blocks = experiments.map(\.definition).flatMap { experiment -> [Report.Block] in
            let settings = ConfigOverlay(source: "", tree: experiment.settings).settings.sorted {
                $0.key < $1.key
            }
            let of = experiments.count > 1 ? " of \(experiment.name)" : ""
            let models = experiment.models.joined(separator: ", ")
            let seeds = experiment.seeds.map(String.init).joined(separator: ", ")
            return [
                .text("Models\(of): \(models). Seeds: \(seeds)."),
                .table(
                    Table(
                        ["setting", "value"], rows: settings.map { [$0.key, $0.value.displayText] },
                        title: "Settings\(of) that were given or differ from the defaults")),
            ]
                + experiment.variants.map { variant in
                    let own = ConfigOverlay(source: "", tree: variant.settings ?? .table([:])).settings.sorted
                    { $0.key < $1.key }
                    return .text(
                        "Variant \(variant.name)\(of): "
                            + own.map { "\($0.key) = \($0.value.displayText)" }.joined(separator: ", ") + ".")
                }
        }
        func all(_ words: [String?]) -> String {
            Set(words.compactMap { $0 }).sorted().joined(separator: ", ")
        }
        let results = groups.flatMap(\.runs).map(\.result)
        let seconds = results.reduce(0) { $0 + $1.seconds }
        blocks.append(
            .table(
                Table(
                    [],
                    rows: [
                        ["sources", all(records.map(\.commit))], ["hosts", all(records.map(\.host))],
                        ["device", all(results.map(\.device))],
                        ["libtorch", all(results.map(\.libtorch))],
                        ["training time, all runs", "\(Format.decimal(seconds / 3600, places: 1)) hours"],
                        ["training sequences", all(results.map { "\($0.trainSequences)" })],
                    ])))
        sections.append(.init("Configuration", blocks))
    }

    mutating func reproduction() {
        let commits = Set(records.compactMap(\.commit)).sorted()
        let clean = commits.filter { !$0.hasSuffix("-dirty") }
        // One file and one output folder per experiment.
        let names =
            experiments.count == 1
            ? [("experiment", "OUT")] : experiments.indices.map { ("experiment\($0 + 1)", "OUT\($0 + 1)") }
        var blocks = zip(experiments, names).flatMap { experiment, name -> [Report.Block] in
            var definition = experiment.definition
            // The path of the data is specific to this machine.
            definition.settings.remove(at: ["data", "path"])
            let what =
                experiments.count == 1
                ? "The experiment's definition" : "The definition of \(definition.name)"
            return [
                .text("\(what); save it as \(name.0).json:"),
                .code((try? JSON.readable(definition)).map(JSON.text) ?? ""),
            ]
        }
        let checkout = commits.count == 1 && clean.count == 1 ? ["git checkout \(clean[0])"] : []
        let runs = names.map { ".build/release/jersey experiment run \($0.0).json --data DATA --out \($0.1)" }
        let report = ".build/release/jersey report " + names.map(\.1).joined(separator: " ")
        blocks += [
            .text("Then run with \(experiments.count == 1 ? "it" : "them") and the same data:"),
            .code((checkout + ["make build"] + runs + [report]).joined(separator: "\n")),
        ]
        if commits.isEmpty {
            blocks.append(.text("The version of the sources is unknown."))
        } else if commits.count > 1 || clean.isEmpty {
            let words = commits.map { commit in
                commit.hasSuffix("-dirty") ? "\(commit.dropLast(6)) with uncommitted changes" : commit
            }
            blocks.append(.text("The runs were made with these sources: \(words.joined(separator: "; "))."))
        }
        blocks += pretrained.map { .text("The encoders of these runs started from \($0).") }
        blocks.append(
            .text(
                "The same seed, machine and number of threads give the same numbers. Other machines round differently, and differ "
                    + "within the deviations above."))
        sections.append(.init("How to reproduce", blocks))
    }

    /// The weight files that encoders started from, with their checksums.
    private var pretrained: [String] {
        let paths = Set(groups.flatMap(\.runs).compactMap { try? $0.config.pretrainedPath() }).sorted()
        return paths.map { path in
            // Calls sha256sum, because one checksum per report does not justify a library.
            let sum = try? ExternalProgram(["sha256sum", "--", path])
            let word = sum.flatMap {
                $0.status == 0 ? String(decoding: $0.output, as: UTF8.self).split(separator: " ").first : nil
            }
            return "\(URL(fileURLWithPath: path).lastPathComponent) ("
                + (word.map { "current SHA-256 \($0)" } ?? "not available")
                + ")"
        }
    }

    // MARK: Parts

    /// An analysis as blocks. An error becomes a paragraph.
    private func found(
        _ analysis: Analysis, _ input: AnalysisInput, tables: Int = .max,
        charts: (Chart) -> Bool = { _ in true }
    ) -> [Report.Block] {
        do {
            let result = try analysis(input)
            var blocks: [Report.Block] = result.tables.prefix(tables).map { .table($0) }
            blocks += result.charts.filter(charts).map { .chart($0) }
            for file in result.files {
                guard case .picture(let image, let caption) = file.content else { continue }
                blocks.append(
                    .picture(
                        name: String(file.path.dropLast(4)), try image.jpegData(quality: 85), caption: caption
                    ))
            }
            return blocks
        } catch {
            return [.text("\(analysis.name): \(error)")]
        }
    }

    private func attempt(_ what: String, _ body: () throws -> Report.Block) -> Report.Block {
        do {
            return try body()
        } catch {
            return .text("\(what): \(error)")
        }
    }
}
