import Foundation
import Jersey
import Torch

extension Report {
    /// Everything that an experiment's run folders tell.
    ///
    /// - Parameters:
    ///   - data: where the frames are, if not where the runs found them.
    ///   - measuresDeployment: times forward passes of one model on this machine.
    /// - Throws: `FileError` when no run is finished.
    public init(_ folder: ExperimentFolder, data: String? = nil, measuresDeployment: Bool = true) throws {
        let experiment = try folder.experiment()
        let selection = try RunSelection([folder.url.path])
        var input = AnalysisInput(groups: selection.ranked)
        input.data = data
        var page = try ReportBuilder(experiment, selection, input)
        let records = (try? RunDatabase(reading: folder.database).runs()) ?? []
        page.findings(records)
        page.studyTables(measuresDeployment: measuresDeployment)
        page.statistics()
        page.learning()
        page.errors()
        page.confidence()
        page.configuration(records)
        page.reproduction(records)
        title = "Experiment \(experiment.name)"
        subtitle = [experiment.summary, page.extent(records)].compactMap { $0 }.joined(separator: ". ")
        sections = page.sections
    }
}

/// Puts the page together, section by section.
private struct ReportBuilder {
    private let experiment: Experiment
    /// In the experiment's order.
    private let groups: [RunGroup]
    private let problems: [String]
    /// Of analyses: the best model by validation first.
    private let input: AnalysisInput
    private let statistic: ModelStatistics
    /// Runs.
    private let planned, finished: Int
    private(set) var sections: [Report.Section] = []

    init(_ experiment: Experiment, _ selection: RunSelection, _ input: AnalysisInput) throws {
        (self.experiment, self.input) = (experiment, input)
        (groups, problems) = (selection.groups, selection.problems)
        statistic = ModelStatistics(groups)
        planned = try experiment.runs().count
        finished = groups.reduce(0) { $0 + $1.runs.count }
    }

    func extent(_ records: [RunRecord]) -> String {
        let test = groups[0].runs[0].result.test?.all
        let size = test.map { ", \($0.sequences.number.count) test sequences of \($0.tracks.number.count) tracks" } ?? ""
        let day = records.compactMap(\.finished).max().map {
            ", last run finished on " + $0.formatted(.iso8601.year().month().day())
        }
        return "\(finished) of \(planned) runs finished\(size)\(day ?? "")"
    }

    // MARK: Sections

    mutating func findings(_ records: [RunRecord]) {
        var items: [String] = []
        if let leader = statistic.models.first(where: { $0.name == statistic.leader }) {
            items.append(
                "Highest mean test accuracy: \(leader.name), \(leader.number.percentText) of the sequences and \(leader.track.percentText) "
                    + "of the tracks (n = \(leader.number.n)).")
        }
        let pairs = statistic.comparisons
        let separable = pairs.filter(\.isSeparable).sorted { abs($0.difference) > abs($1.difference) }
        if !pairs.isEmpty {
            items.append(
                separable.isEmpty
                    ? "None of the \(pairs.count) differences between models is separable from noise."
                    : "\(separable.count) of \(pairs.count) differences between models are separable from noise; the largest:")
            items += separable.prefix(5).map { "\($0.finding)." }
        }
        let few = groups.filter { $0.runs.count < 3 }
        if !few.isEmpty {
            items.append("Fewer than three runs: \(few.map(\.name).joined(separator: ", ")). Their deviations say little.")
        }
        let failed = records.filter { $0.state == RunState.failed.rawValue }
        items += failed.map { "Failed: \($0.id)" + ($0.reason.map { ", \($0)" } ?? "") + "." }
        items += problems.map { "Left out: \($0)" }
        let missing = planned - finished - failed.count - problems.count
        if missing > 0 { items.append("\(missing) runs are not finished and not in these figures.") }
        sections.append(.init("Findings", [.list(items)]))
    }

    mutating func studyTables(measuresDeployment: Bool) {
        var blocks: [Report.Block] = [ModelSpec.Phase.singleFrame, .sequence, .attention]
            .compactMap { PublishedFigures.table($0, groups) }.map { .table($0) }
        if measuresDeployment {
            let group = groups.first { $0.name == "attn_bgru_luong" } ?? input.groups[0]
            let run = group.best
            blocks.append(
                attempt("The deployment benchmark could not be made") {
                    .table(try ProductionBenchmark(run, frames: try? input.frames(of: run)).studyTable)
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
        // Good models differ in what bars from zero would not show.
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
                LearningCurve.charts(input.groups.map(LearningCurve.init)).prefix(2).map { .chart($0) }
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

    mutating func configuration(_ records: [RunRecord]) {
        let settings = ConfigOverlay(source: "", tree: experiment.settings).settings.sorted { $0.key < $1.key }
        var blocks: [Report.Block] = [
            .text(
                "Models: \(experiment.models.joined(separator: ", ")). Seeds: \(experiment.seeds.map(String.init).joined(separator: ", "))."
            ),
            .table(
                Table(
                    ["setting", "value"], rows: settings.map { [$0.key, $0.value.words] },
                    title: "Settings that differ from the defaults, or were given")),
        ]
        for variant in experiment.variants {
            let own = ConfigOverlay(source: "", tree: variant.settings ?? .table([:])).settings.sorted { $0.key < $1.key }
            blocks.append(
                .text("Variant \(variant.name): " + own.map { "\($0.key) = \($0.value.words)" }.joined(separator: ", ") + "."))
        }
        func all(_ words: [String?]) -> String { Set(words.compactMap { $0 }).sorted().joined(separator: ", ") }
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
                        ["training time, all runs", String(format: "%.1f hours", seconds / 3600)],
                        ["training sequences", all(results.map { "\($0.trainSequences)" })],
                    ])))
        sections.append(.init("Configuration", blocks))
    }

    mutating func reproduction(_ records: [RunRecord]) {
        let commits = Set(records.compactMap(\.commit)).sorted()
        let clean = commits.filter { !$0.hasSuffix("-dirty") }
        var definition = experiment
        // Where the data were is nobody else's place.
        definition.settings.remove(at: ["data", "path"])
        let text = (try? JSON.readable(definition)).map(JSON.text) ?? ""
        var blocks: [Report.Block] = [
            .text("The experiment's definition, to be saved as experiment.json:"), .code(text),
            .text("With it and the same data:"),
            .code(
                (commits.count == 1 && clean.count == 1 ? "git checkout \(clean[0])\n" : "")
                    + "make build\n.build/release/jersey experiment run experiment.json --data DATA --out OUT\n"
                    + ".build/release/jersey report OUT"),
        ]
        if commits.isEmpty {
            blocks.append(.text("Which sources the runs were made with is not known."))
        } else if commits.count > 1 || clean.isEmpty {
            let words = commits.map { commit in
                commit.hasSuffix("-dirty") ? "\(commit.dropLast(6)) with changes that are not in it" : commit
            }
            blocks.append(.text("The runs were made with these sources: \(words.joined(separator: "; "))."))
        }
        blocks += pretrained.map { .text("The encoders of these runs started from \($0).") }
        blocks.append(
            .text(
                "The same seed, machine and number of threads give the same numbers; other machines round otherwise, and differ "
                    + "within the deviations above."))
        sections.append(.init("How to reproduce", blocks))
    }

    /// Each file of weights that encoders started from, with what tells it from others.
    private var pretrained: [String] {
        let paths = Set(groups.flatMap(\.runs).compactMap { try? $0.config.pretrainedPath() }).sorted()
        return paths.map { path in
            // As a program of the system: one figure a report is no reason for a library.
            let sum = try? ExternalProgram(["sha256sum", "--", path])
            let word = sum.flatMap {
                $0.status == 0 ? String(decoding: $0.output, as: UTF8.self).split(separator: " ").first : nil
            }
            return "\(URL(fileURLWithPath: path).lastPathComponent) (" + (word.map { "now of SHA-256 \($0)" } ?? "which is gone")
                + ")"
        }
    }

    // MARK: Parts

    /// An analysis as blocks; what it cannot find becomes a sentence.
    private func found(
        _ analysis: Analysis, _ input: AnalysisInput, tables: Int = .max, charts: (Chart) -> Bool = { _ in true }
    ) -> [Report.Block] {
        do {
            let result = try analysis(input)
            var blocks: [Report.Block] = result.tables.prefix(tables).map { .table($0) }
            blocks += result.charts.filter(charts).map { .chart($0) }
            for file in result.files {
                guard case .picture(let image, let caption) = file.content else { continue }
                blocks.append(.picture(name: String(file.path.dropLast(4)), try image.jpegData(quality: 85), caption: caption))
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
