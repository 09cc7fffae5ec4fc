import Foundation
import Jersey
import TestSupport
import Testing

@testable import JerseyCLI
@testable import JerseyLab
@testable import JerseyOutput

@Suite struct ReportTests {
    /// The report of the sample experiment as the command writes it, without the table of measured
    /// times.
    private static let written: (folder: TestFolder, html: String, markdown: String) = {
        do {
            let folder = try TestFolder()
            let experiment = SampleExperiment.folder.url.path
            var command = try JerseyCommand.parseAsRoot([
                "report", experiment, "--out", folder.url.path, "--skip-deployment",
            ])
            try command.run()
            return (
                folder, try String(contentsOfFile: folder.path("report.html"), encoding: .utf8),
                try String(contentsOfFile: folder.path("report.md"), encoding: .utf8)
            )
        } catch {
            fatalError("the report cannot be written: \(error)")
        }
    }()

    /// Parses the page as XML, which needs HTML's empty elements closed.
    private func page(_ html: String) throws -> Page {
        var xml = html.replacingOccurrences(of: "<!doctype html>", with: "")
        for end in ["\"utf-8\"", "scale=1\""] {
            xml = xml.replacingOccurrences(of: end + ">", with: end + "/>")
        }
        // An image precedes its caption.
        xml = xml.replacingOccurrences(of: "\"><figcaption>", with: "\"/><figcaption>")
        return try #require(Page(xml), "the page is not well-formed")
    }

    // MARK: The page

    @Test func `A report is one file that needs nothing else`() throws {
        let page = try page(Self.written.html)
        #expect(page.elements.isDisjoint(with: ["script", "link", "iframe", "object", "embed"]))
        for (name, value) in page.attributes {
            if ["src", "href", "xlink:href"].contains(name) {
                #expect(value.hasPrefix("#") || value.hasPrefix("data:image/"), "\(name) \(value.prefix(80))")
            } else if !name.hasPrefix("xmlns") {
                #expect(!value.contains("://"), "\(name) \(value.prefix(80))")
            }
        }
        #expect(!page.texts.contains { $0.contains("://") || $0.contains("@import") || $0.contains("url(") })
    }

    @Test func `Its sections are in order, its ids unique, and its links lead somewhere`() throws {
        let page = try page(Self.written.html)
        let titles = [
            "Findings", "The study's tables", "Statistics", "Learning curves", "Errors of attn_ugru_gate",
            "Labels in doubt",
            "Confidence", "Configuration", "How to reproduce",
        ]
        #expect(page.texts.filter(titles.contains).prefix(titles.count) == titles[...])
        let headings = Self.written.html.components(separatedBy: "<h2>").dropFirst().map {
            String($0.prefix { $0 != "<" })
        }
        #expect(headings.map { $0.replacing("&#39;", with: "'") } == titles)
        #expect(Set(page.ids).count == page.ids.count)
        let links = page.attributes.filter { $0.name == "href" }.map { String($0.value.dropFirst()) }
        #expect(links.count == titles.count && Set(links + page.references).isSubset(of: page.ids))
    }

    @Test func `It has the study's tables, with the published figures beside ours`() throws {
        let html = Self.written.html
        // A failure should not print the whole page.
        func has(_ words: String) -> Bool { html.contains(words) }
        for table in ["Table 1: Phase 0", "Table 2: Phase A", "Table 3: Phase B"] {
            #expect(has("<h3>\(table)"))
        }
        for model in SampleExperiment.models {
            let figure = try #require(PublishedFigures.all.first { $0.model == model })
            let group = try #require(try SampleExperiment.groups().first { $0.name == model })
            let row = try #require(
                html.split(separator: "\n").first {
                    $0.contains(figure.title.map { "<td>\($0)</td>" }.joined())
                })
            // The study used another encoder for two of these.
            #expect(row.contains(figure.number.text) == (model == "basic_mv3s"))
            #expect(row.contains(group.summary(.number).text) && row.contains(group.loss.text))
            #expect(row.contains("<td class=\"n\">2</td>"))
        }
        #expect(has("sequence models with MobileNetV3-Small") && !has("ResNet-18"))
        #expect(has("6 of 6 runs finished, 18 test sequences of 18 tracks"))
        #expect(has("Fewer than three runs: basic_mv3s, seq_ugru_fs, attn_ugru_gate."))
        #expect(has("<td>training.batchSize</td><td>4</td>"))
    }

    @Test func `Markdown names only files that exist, and the same sections`() throws {
        let (folder, html, markdown) = Self.written
        let files = markdown.matches(of: /!\[[^\]]*\]\(([^)]*)\)/).map { String($0.1) }
        #expect(files.count >= 8 && Set(files).count == files.count)
        for file in files { #expect(FileManager.default.fileExists(atPath: folder.path(file)), "\(file)") }
        #expect(markdown.components(separatedBy: "\n## ").count == html.components(separatedBy: "<h2>").count)
        #expect(markdown.contains("# Experiment sample") && !markdown.contains("<td"))
    }

    @Test func `What it takes to do it again is in the report, but where the data were`() throws {
        let markdown = Self.written.markdown
        let block = try #require(
            markdown.components(separatedBy: "save it as experiment.json:\n\n```\n").last)
        let text = try #require(block.components(separatedBy: "\n```").first)
        let again = try Experiment(yaml: text, source: "the report")
        var expected = try SampleExperiment.experiment().experiment()
        expected.settings.remove(at: ["data", "path"])
        #expect(again == expected && !markdown.contains("\"path\""))
    }

    @Test func `A run that was made with other settings is no seed of its model`() throws {
        let folder = try TestFolder()
        let experiment = try SampleExperiment.write(to: folder.url)
        let other = experiment.run("seq_ugru_fs-2")
        var config = try FinishedRun(other).config
        config.training.labelSmoothing = 0.1
        try RunFolder.write(config, to: other.config)
        let (runs, problems) = try experiment.finishedRuns()
        #expect(runs.count == 5 && problems.count == 1)
        #expect(
            problems.first?.contains(
                "\(other.config.path): has training.labelSmoothing = 0.1, but the experiment has 0") == true,
            "\(problems)")
    }

    @Test func `A run that is broken is named, and the others are reported`() throws {
        let folder = try TestFolder()
        let experiment = try SampleExperiment.write(to: folder.url)
        let (broken, short) = (experiment.run("seq_ugru_fs-1"), experiment.run("basic_mv3s-2"))
        try Data("{\"model\":".utf8).write(to: broken.result)
        let rows = try String(contentsOf: short.outcomes, encoding: .utf8).split(separator: "\n")
        try Data(rows.dropLast().joined(separator: "\n").utf8).write(to: short.outcomes)
        let report = try Report([experiment], measuresDeployment: false)
        guard case .list(let findings) = report.sections[0].blocks[0] else {
            Issue.record("findings are a list")
            return
        }
        let problems = findings.filter { $0.hasPrefix("Skipped: ") }
        #expect(problems.count == 2)
        #expect(problems.contains { $0.contains(broken.result.path) })
        #expect(
            problems.contains {
                $0.contains(short.outcomes.path) && $0.contains("17 labelled rows") && $0.contains("18")
            })
        #expect(report.subtitle.contains("4 of 6 runs finished"))
        #expect(!findings.contains { $0.contains("unfinished and not included") })
    }

    @Test func `An experiment without finished runs has no report`() throws {
        let folder = try TestFolder()
        let experiment = try SampleExperiment.write(to: folder.url, finished: false)
        let error = #expect(throws: FileError.self) { try Report([experiment]) }
        #expect(error?.description.contains("no finished run") == true)
        let nowhere = #expect(throws: FileError.self) {
            try Report([ExperimentFolder(folder.url.appendingPathComponent("x"))])
        }
        #expect(nowhere?.description.contains("experiment.json") == true)
    }

    @Test func `Several experiments make one comparison, and each can be done again`() throws {
        let folder = try TestFolder()
        let copy = try SampleExperiment.write(to: folder.url.appendingPathComponent("copy"))
        let report = try Report([SampleExperiment.experiment(), copy], measuresDeployment: false)
        #expect(report.title == "Experiments sample, sample")
        #expect(report.subtitle == "12 of 12 runs finished, 18 test sequences of 18 tracks")
        guard case .table(let summary) = report.sections[2].blocks[0] else {
            Issue.record("statistics begin with a table")
            return
        }
        // They are distinguished by their folders.
        #expect(summary.rows.count == 6 && summary.rows.contains { $0[0] == "basic_mv3s (\(copy.url.path))" })
        guard case .table(let first) = report.sections[1].blocks[0] else {
            Issue.record("the study's tables are tables")
            return
        }
        #expect(
            first.rows.map { $0[0] } == [
                "MobileNetV3-Small (\(SampleExperiment.folder.url.path))",
                "MobileNetV3-Small (\(copy.url.path))",
            ])
        let markdown = report.markdown
        for words in [
            "experiment2.json --data DATA --out OUT2", "jersey report OUT1 OUT2", "Settings of sample",
        ] {
            #expect(markdown.contains(words), "\(words)")
        }
    }

    @Test func `A report can be about a baseline`() throws {
        let report = try Report(
            [SampleExperiment.experiment()], baseline: "basic_mv3s", measuresDeployment: false)
        #expect(
            report.markdown.contains("Paired comparisons with basic\\_mv3s, the baseline")
                || report.markdown.contains("with basic_mv3s, the baseline"))
        guard case .list(let findings) = report.sections[0].blocks[0] else {
            Issue.record("findings are a list")
            return
        }
        #expect(
            findings.contains(
                "None of the 2 differences from the baseline basic_mv3s is separable from noise."))
        let error = #expect(throws: UsageError.self) {
            try Report([SampleExperiment.experiment()], baseline: "basic_mv3l", measuresDeployment: false)
        }
        #expect(error?.description.contains("did you mean basic_mv3s?") == true)
    }

    @Test func `Curves of digits are in the report`() throws {
        for chart in ["loss", "number", "tens", "ones"] {
            #expect(Self.written.markdown.contains("(curves_\(chart).png)"))
        }
    }

    @Test func `Odd characters stay what they are`() throws {
        let odd = #"a<b> & "c" 'd' <script>alert(1)</script>"#
        let table = Table([odd], rows: [[odd]], title: odd, note: odd)
        let report = Report(
            title: odd, subtitle: odd,
            sections: [
                .init(
                    odd,
                    [
                        .text(odd), .list([odd]), .table(table), .code(odd),
                        .picture(name: "p", Data([1]), caption: odd),
                    ])
            ])
        let html = try report.html()
        #expect(!html.contains("<script>") && !html.contains("a<b>"))
        let texts = try page(html).texts
        #expect(texts.count { $0 == odd } >= 11, "\(texts.filter { $0.contains("alert") })")
    }

    // MARK: Tables

    private static let table: Table = {
        var table = Table(
            ["name", "n", "words|_"],
            rows: [["a_b", "5", "x"], ["<i>", "-12", "y|z"], ["c", "<0.001", ""]], title: "T<1>",
            note: "note")
        table.emphasis = [[1, 1]]
        return table
    }()

    @Test func `A table in Markdown aligns numbers and escapes what Markdown reads`() {
        #expect(
            Self.table.markdown == """
                **T\\<1\\>**

                | name | n | words\\|\\_ |
                |---|---:|---|
                | a\\_b | 5 | x |
                | \\<i\\> | **-12** | y\\|z |
                | c | \\<0.001 |  |

                note
                """)
    }

    @Test func `A table in HTML aligns numbers and escapes what HTML reads`() {
        #expect(
            Self.table.html
                == """
                <table aria-label="T&lt;1&gt;"><thead><tr><th>name</th><th class="n">n</th><th>words|_</th></tr></thead><tbody>
                <tr><td>a_b</td><td class="n">5</td><td>x</td></tr>
                <tr><td>&lt;i&gt;</td><td class="n"><strong>-12</strong></td><td>y|z</td></tr>
                <tr><td>c</td><td class="n">&lt;0.001</td><td></td></tr>
                </tbody></table>
                """.replacing("\n</tbody>", with: "</tbody>").replacing(
                    "</tr></tbody>", with: "</tr>\n</tbody>"))
    }

    @Test func `A table as text has straight columns, also where rows are short`() {
        #expect(Self.table.description.split(separator: "\n")[1] == "----  ------  -------")
        #expect(
            Self.table.text.hasPrefix("T<1>\nname       n  words|_\n") && Self.table.text.hasSuffix("\nnote"))
        #expect(Table([], rows: [["é", "10"], ["long"]]).description == "é     10\nlong")
    }

    // MARK: Published figures

    @Test func `The study's eighteen models have published figures, and no other`() {
        #expect(
            PublishedFigures.all.map(\.model) == ModelSpec.study.map(\.name) && ModelSpec.study.count == 18)
    }

    @Test(arguments: PublishedFigures.all)
    func `Our models have as many parameters as the study's`(figure: PublishedFigures) throws {
        let model = JerseyModel(try ModelSpec.named(figure.model))
        #expect(model.store.parameterCount == figure.parameters, "\(figure.model)")
    }

    /// A group of one run, with the model's own encoder or another.
    private func group(_ model: String, _ encoder: EncoderKind?, fullWeight: Double = 0) throws -> RunGroup {
        let readings = [Reading(FrameSequence("1", track: "t", number: "4"), read: "4")]
        let run = try FinishedRun(reading: readings, model: model, encoder: encoder, fullWeight: fullWeight)
        return RunGroup(name: model, runs: [run])
    }

    @Test
    func
        `Tables are titled by the encoders that were trained, and published figures stand beside the networks they are of`()
        throws
    {
        let single = try #require(
            PublishedFigures.table(
                .singleFrame,
                [
                    group("basic_r18", nil), group("basic_r18", .compact), group("basic_effl0", nil),
                    group("basic_efflite0", nil),
                    group("basic_r18", nil, fullWeight: 1),
                ]))
        let rows = single.rows.map { [$0[0], $0[7]] }
        #expect(
            rows == [
                ["ResNet-18", "0.9564 ± 0.0049"], ["Compact", "-"], ["ResNet-18, full head", "-"],
                ["EfficientNet-L0", "0.9577 ± 0.0070"], ["EfficientNet-Lite0", "-"],
            ])
        #expect(single.note?.contains("deviation divided by n") == false)
        let alike = try #require(
            PublishedFigures.table(
                .sequence, [group("seq_bgru_mp", .compact), group("seq_ulstm_fs", .compact)]))
        #expect(
            alike.title == "Table 2: Phase A, sequence baselines with Compact"
                && alike.header[1] == "Parameters")
        #expect(alike.rows.map { [$0[0], $0[7]] } == [["BiGRU", "-"], ["UniLSTM", "-"]])
        let mixed = try #require(
            PublishedFigures.table(
                .attention, [group("attn_bgru_luong", nil), group("attn_bgru_luong", .efficientnetB0)]))
        #expect(mixed.title == "Table 3: Phase B, attention-based sequence models")
        #expect(
            mixed.rows.map { [$0[0], $0[1], $0[2]] } == [
                ["BiGRU", "Multiplicative", "ResNet-18"], ["BiGRU", "Multiplicative", "EfficientNet-B0"],
            ])
        #expect(mixed.rows.map { $0[9] } == ["0.9787 ± 0.0068", "-"])
        let own = try #require(PublishedFigures.table(.attention, [group("attn_bgru_luong", nil)]))
        #expect(own.title == "Table 3: Phase B, attention-based sequence models with ResNet-18")
    }

    @Test func `Table 4 has the study's rows`() throws {
        let group = try #require(try SampleExperiment.groups().first)
        let benchmark = try ProductionBenchmark(
            group.best, frames: RunFrames(group.best, data: nil), rounds: 1)
        let table = benchmark.studyTable
        // Lower precision without compilation is listed only if the processor has it.
        let optimized = ExecutionMode.all(on: .cpu).modes.contains { $0.name == "eager bfloat16" } ? 2 : 1
        #expect(
            table.rows.map(\.[0]) == ["Baseline"] + Array(repeating: "Optimized", count: optimized)
                + [1, 4, 8, 16].map { "Batch = \($0)" })
        #expect(table.rows[0][3] == "1.00×" && table.rows.allSatisfy { $0.count == 5 })
        #expect(table.rows.contains { $0[1].hasPrefix("compiled") })
        #expect(benchmark.rows.allSatisfy { $0.sequencesPerSecond > 0 } && benchmark.setting.readings == 1)
    }
}
