import Foundation
import Jersey
import TestSupport
import Testing

@testable import JerseyLab
@testable import JerseySynthesis

@Suite struct AnalysisTests {
    func input(_ groups: [RunGroup]? = nil) throws -> AnalysisInput {
        var input = AnalysisInput(groups: try groups ?? SampleExperiment.groups())
        (input.rounds, input.count) = (1, 3)
        return input
    }

    /// The content of a file in a result.
    private func data(_ result: AnalysisView, _ path: String) throws -> Data {
        let file = try #require(result.files.first { $0.path == path }, "there is no \(path)")
        switch file.content {
        case .data(let data): return data
        case .picture(let image, _): return try image.pngData()
        case .copy(let source): return try Data(contentsOf: source)
        }
    }

    private func json(_ data: Data) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    /// The keys of all objects within.
    private func keys(_ json: Any) -> Set<String> {
        switch json {
        case let object as [String: Any]: object.values.reduce(Set(object.keys)) { $0.union(keys($1)) }
        case let array as [Any]: array.reduce([]) { $0.union(keys($1)) }
        default: []
        }
    }

    func sole(_ group: RunGroup) -> AnalysisInput { AnalysisInput(groups: [group]) }

    func group(_ readings: [Reading], name: String = "m") throws -> RunGroup {
        RunGroup(name: name, runs: [try FinishedRun(reading: readings)])
    }

    func reading(_ id: Int, _ truth: String, _ read: String, certainty: Double = 0.9) -> Reading {
        Reading(FrameSequence("s\(id)", track: "t\(id)", number: truth), read: read, certainty: certainty)
    }

    // MARK: Every analysis

    @Test(arguments: Analysis.all.map(\.name))
    func `Every analysis finds something, and leaves JSON, pictures and its other files`(name: String) throws
    {
        let folder = try TestFolder()
        let result = try Analysis.named(name)(try input())
        #expect(!result.tables.isEmpty && result.tables.allSatisfy { !$0.rows.isEmpty && $0.title != nil })
        try result.write(to: folder.url, name: name)
        let data = try Data(contentsOf: folder.url.appendingPathComponent("\(name).json"))
        let found = try JSONSerialization.jsonObject(with: data)
        #expect(keys(found).allSatisfy { $0.wholeMatch(of: /[a-z0-9_]+/) != nil }, "\(keys(found).sorted())")
        #expect((found as? [Any])?.isEmpty != true && (found as? [String: Any])?.isEmpty != true)
        for chart in result.charts {
            for (kind, start) in [("png", "\u{89}PNG"), ("svg", "<svg")] {
                let picture = try Data(contentsOf: folder.url.appendingPathComponent("\(chart.name).\(kind)"))
                #expect(
                    picture.starts(with: start.unicodeScalars.map { UInt8($0.value) }),
                    "\(chart.name).\(kind)")
            }
        }
        let paths = result.files.map(\.path)
        #expect(
            Set(paths).count == paths.count && Set(result.charts.map(\.name)).count == result.charts.count)
        for path in paths { #expect(FileManager.default.fileExists(atPath: folder.path(path)), "\(path)") }
    }

    @Test(arguments: Analysis.all.filter(\.needsRuns).map(\.name))
    func `An analysis of runs asks for them`(name: String) throws {
        let error = #expect(throws: UsageError.self) { try Analysis.named(name)(AnalysisInput(groups: [])) }
        #expect(error?.description.contains("name run folders") == true)
    }

    @Test(arguments: ["mistakes", "failures", "labels", "sequence"])
    func `Frames that are gone are named, with the way out`(name: String) throws {
        var input = try input()
        input.data = TestFolder.missing
        let error = #expect(throws: FileError.self) { try Analysis.named(name)(input) }
        #expect(error?.path == TestFolder.missing && error?.advice?.contains("--data") == true)
        // This is not the data set that the run has read.
        let other = try TestFolder()
        try SyntheticDataset(
            numbers: try NumberShare.list("5"), tracksPerNumber: 1, sequencesPerTrack: 1,
            framesPerSequence: 1...1,
            renderer: SyntheticRenderer(seed: 1, difficulty: .easy, height: 48...64)
        ).write(to: other.url.appendingPathComponent("data"))
        input.data = other.path("data")
        let stranger = #expect(throws: FileError.self) { try Analysis.named(name)(input) }
        #expect(stranger?.advice?.contains("--data") == true)
    }

    @Test func `Misspelt names are answered with close matches`() throws {
        #expect(
            #expect(throws: UsageError.self) { try Analysis.named("confusoin") }?.description.contains(
                "confusion") == true)
        var selection = try RunSelection([SampleExperiment.folder.url.path])
        let error = #expect(throws: UsageError.self) { try selection.keep(["attn_ugru_gat"]) }
        #expect(error?.description.contains("did you mean attn_ugru_gate?") == true)
        try selection.keep(["seq_ugru_fs", "anchor_mv3s"])
        #expect(selection.groups.map(\.name) == ["seq_ugru_fs", "basic_mv3s"])
    }

    // MARK: Confusion

    @Test func `8 and 08 are different numbers, and every count is where it belongs`() throws {
        let readings = [
            reading(0, "8", "08"), reading(1, "8", "8"), reading(2, "08", "08"), reading(3, "08", "8"),
            reading(4, "08", "8"),
            reading(5, "48", "43"),
        ]
        let result = try Analysis.confusion(sole(try group(readings)))
        let summary = try json(data(result, "m_cm_summary.json"))
        #expect(
            Set(summary.keys) == [
                "model", "run", "seed", "test_acc_from_results", "confusion_matrix_accuracies", "num_samples",
                "ones_classes",
                "tens_classes", "full_number_classes", "counts",
            ])
        #expect(summary["full_number_classes"] as? [String] == ["8", "08", "43", "48"])
        #expect(summary["num_samples"] as? Int == 6 && summary["model"] as? String == "m")
        #expect(
            summary["tens_classes"] as? [Int] == Array(0...10)
                && summary["ones_classes"] as? [Int] == Array(0...9))
        let shares = try #require(summary["confusion_matrix_accuracies"] as? [String: Double])
        #expect(Set(shares.keys) == ["ones_digit", "tens_digit", "full_number"])
        #expect(abs(shares["ones_digit"]! - 5.0 / 6) < 1e-12 && abs(shares["tens_digit"]! - 0.5) < 1e-12)
        #expect(abs(shares["full_number"]! - 1.0 / 3) < 1e-12)
        #expect(abs((summary["test_acc_from_results"] as? Double ?? 0) - 1.0 / 3) < 1e-12)
        let counts = try #require((summary["counts"] as? [String: [[Int]]])?["full"])
        #expect(counts == [[1, 1, 0, 0], [2, 1, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0]])
        #expect(try matrix(data(result, "m_full_cm.npy")) == counts)
        #expect(try matrix(data(result, "m_tens_cm.npy"))[10] == [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])
        #expect(try matrix(data(result, "m_ones_cm.npy")).map(\.count) == Array(repeating: 10, count: 10))
        #expect(result.charts.map(\.title).contains("m: numbers, accuracy 33.33% (grey: no truth)"))
        let confusions = try #require(result.tables.last)
        #expect(confusions.rows[0] == ["08", "8", "2", "66.7%"] && confusions.rows.count == 3)
    }

    /// The matrix that a NumPy reader sees, by the description of the format.
    private func matrix(_ data: Data) throws -> [[Int]] {
        let bytes = [UInt8](data)
        #expect(bytes[..<8].elementsEqual([0x93] + Array("NUMPY".utf8) + [1, 0]))
        let length = Int(bytes[8]) | Int(bytes[9]) << 8
        #expect((10 + length).isMultiple(of: 64) && bytes[9 + length] == UInt8(ascii: "\n"))
        let header = String(decoding: bytes[10..<10 + length], as: UTF8.self)
        let pattern = /\{'descr': '<i8', 'fortran_order': False, 'shape': \((\d+), (\d+)\), \} *\n/
        let match = try #require(try pattern.wholeMatch(in: header))
        let (rows, columns) = (Int(match.1)!, Int(match.2)!)
        #expect(bytes.count == 10 + length + 8 * rows * columns)
        return (0..<rows).map { row in
            (0..<columns).map { column in
                let start = 10 + length + 8 * (row * columns + column)
                return bytes[start..<start + 8].reversed().reduce(0) { $0 << 8 | Int($1) }
            }
        }
    }

    // MARK: Mistakes and failures

    @Test func `Mistakes come most confident first, in folders named as in the study`() throws {
        let input = try input()
        let result = try Analysis.mistakes(input)
        let summary = try json(data(result, "mistakes_summary.json"))
        let mistakes = try #require(summary["mistakes"] as? [[String: Any]])
        let confidences = mistakes.compactMap { $0["confidence"] as? Double }
        #expect(confidences.count == 3 && confidences == confidences.sorted(by: >))
        let wrong = try input.run.outcomes.count { !$0.isRight }
        #expect(
            summary["num_mistakes"] as? Int == wrong && wrong > 3
                && summary["num_mistakes_extracted"] as? Int == 3)
        #expect(result.notes == ["\(wrong - 3) more; to show them, raise --count."])
        #expect(mistakes[0]["track_id"] as? String == SampleExperiment.mislabelled)
        let (truth, read) = (
            mistakes[0]["ground_truth"] as? [String: Any], mistakes[0]["prediction"] as? [String: Any]
        )
        #expect(
            truth?["jersey_str"] as? String == "48" && truth?["full_number"] as? Int == 48
                && read?["full_number"] as? Int == 99)
        let path = try #require(mistakes[0]["sequence_path"] as? String)
        #expect(
            path == Sample.folder.path("data/48/0001/00")
                && mistakes[0]["sequence"] as? String == "48/0001/00")
        // As in the study, where 7 and 07 have the same full number.
        #expect(["7", "07", "70"].map { Mistake.Number(JerseyNumber($0)!).fullNumber } == [7, 7, 70])

        let folder = "mistakes/mistake_01_00_gt48_pred99"
        let outcome = try #require(input.run.outcomes.first { $0.track == SampleExperiment.mislabelled })
        for (index, frame) in outcome.frames.enumerated() {
            let copy = try data(result, "\(folder)/frame_00\(index)_\(frame)")
            #expect(
                copy
                    == (try Data(
                        contentsOf: URL(
                            fileURLWithPath: Sample.folder.path("data/\(outcome.sequence)/\(frame)")))))
        }
        let info = String(decoding: try data(result, "\(folder)/info.txt"), as: UTF8.self)
        for line in [
            "Mistake #1", "Model: attn_ugru_gate", "Seed: 1", "  Jersey Number: 48", "  Jersey Number: 99",
            "  Tens Digit: 9",
            "  Full Number: 99", "  Path: \(path)", "  Tens - Predicted (9): 0.9990", "  Track ID: 48/0001",
            "  Number of Frames: \(outcome.frames.count)",
        ] {
            #expect(info.split(separator: "\n").contains { $0 == line }, "\(line)")
        }
    }

    @Test func `Two models' failures are parts of the whole`() throws {
        func plan(_ right: [Bool]) -> [Reading] {
            Array(zip(sequences, right).map { Reading($0, read: $1 ? $0.number!.description : "99") })
        }
        let sequences = try Dataset(Sample.config().data).sequences.prefix(6)
        var config = Sample.config()
        let folder = try TestFolder()
        let groups = try [
            [true, true, true, false, false, false], [true, false, false, true, false, false],
        ].enumerated().map {
            config.seed = UInt64($0)
            let run = RunFolder(folder.url.appendingPathComponent("r\($0)"))
            try run.pretend(config, plan($1))
            return RunGroup(name: "m\($0)", runs: [try FinishedRun(run)])
        }
        let result = try Analysis.failures(AnalysisInput(groups: groups))
        let found = try json(JSON.output(result.result))
        #expect(found["sequences"] as? Int == 6 && found["both_right"] as? Int == 1)
        let parts = try #require(found["parts"] as? [[String: Any]])
        #expect(parts.map { $0["name"] as? String } == ["both_wrong", "only_m0_wrong", "only_m1_wrong"])
        #expect(parts.map { $0["count"] as? Int } == [2, 1, 2])
        #expect(
            Set(parts.flatMap { $0["sequences"] as? [String] ?? [] }) == Set(sequences.dropFirst().map(\.id)))
        #expect(found["mcnemar_p"] as? Double == 1)
        let name = sequences[4].id.replacing("/", with: "_")
        let info = String(
            decoding: try data(result, "both_wrong/\(name)_gt\(sequences[4].number!)/info.txt"), as: UTF8.self
        )
        #expect(info.contains("m0 (run r0): 99 with probability 0.8100"))
        let alone = #expect(throws: UsageError.self) { try Analysis.failures(sole(groups[0])) }
        #expect(alone?.description.contains("two models") == true)
    }

    // MARK: Sequences

    @Test func `A sequence that is asked for is the one that is looked into`() throws {
        var input = try input()
        let sequence = try #require(input.run.outcomes.first { $0.track == "4/0000" })
        input.sequence = sequence.sequence
        let result = try Analysis.sequence(input)
        let found = try json(JSON.output(result.result))
        #expect(found["sequence"] as? String == sequence.sequence && found["truth"] as? String == "4")
        let frames = try #require(found["frames"] as? [[String: Any]])
        #expect(frames.count == sequence.frames.count)
        #expect(abs(frames.compactMap { $0["attention"] as? Double }.reduce(0, +) - 1) < 1e-4)
        #expect(result.files.count { $0.path.hasPrefix("gradcam_") } == sequence.frames.count)
        input.sequence = "4/0000/77"
        let error = #expect(throws: UsageError.self) { try Analysis.sequence(input) }
        #expect(error?.description.contains("did you mean 4/0000/00") == true)
    }

    @Test func `A sequence is named by its id, by its folder's path, or by as much of it as no other has`()
        throws
    {
        let frames = try input().frames(of: input().run)
        let id = "48/0001/00"
        let data = Sample.folder.path("data")
        for word in [
            id, "48/0001", "\(data)/\(id)", "\(data)/\(id)/", "\(data)/48/../48/0001/00", "\(data)/48/0001",
        ] {
            #expect(try frames.sequence(named: word).id == id, "\(word)")
        }
        let words =
            [("00", "matches several sequences: 4/0000/00"), ("48", "matches several")]
            + [("48/0001/01", "did you mean 48/0001/00")]
            + [
                ("\(data)/48/0001/77", "there is no sequence"), ("", "there is no sequence"),
                ("/", "there is no sequence"),
            ]
        for (word, hint) in words {
            let error = #expect(throws: UsageError.self, "\(word)") { try frames.sequence(named: word) }
            #expect(error?.description.contains(hint) == true, "\(word): \(error?.description ?? "")")
        }
    }

    // MARK: Parts of the split

    @Test(arguments: [Splits.Part.val, .train, nil])
    func `Another part is read with the run's best weights, and found in titles and JSON`(part: Splits.Part?)
        throws
    {
        let group = try #require(try SampleExperiment.groups().first { $0.name == SampleExperiment.leader })
        let dataset = try Dataset(Sample.config().data)
        let splits = try Splits(dataset, Sample.config().data)
        try RunFolder.write(splits, to: group.best.folder.splits)
        var input = sole(RunGroup(name: group.name, runs: [group.best]))
        input.part = part
        let ids = part.map { splits.sequences($0, of: dataset) } ?? dataset.sequences
        let run = try input.run
        #expect(run.outcomes.map(\.sequence) == ids.map(\.id) && !ids.isEmpty)
        let direct = try group.best.recognizer().reader.readAll(ids).0.map(Outcome.init)
        #expect(run.outcomes.map(\.prediction) == direct.map(\.prediction))
        let words = part.map { "\($0.title) sequences" } ?? "sequences"
        for analysis in [Analysis.confusion, .mistakes, .calibration] {
            let result = try analysis(input)
            #expect(
                result.tables[0].title?.contains(words) == true
                    && result.tables[0].title?.contains("test") == false)
            #expect(try json(JSON.output(result.result))["split"] as? String == part?.rawValue ?? "all")
        }
        #expect(try json(JSON.output(Analysis.confusion(sole(group)).result))["split"] == nil)
    }

    @Test func `What an analysis has nothing to do with is refused`() throws {
        var input = try input()
        input.part = .val
        for analysis in Analysis.all where analysis.subject != .readings {
            let error = #expect(throws: UsageError.self) { try analysis(input) }
            #expect(error?.description.contains("--split") == true, "\(analysis.name)")
        }
        (input.part, input.measuresTimes) = (.test, false)
        for analysis in Analysis.all where analysis.subject != .models {
            let error = #expect(throws: UsageError.self) { try analysis(input) }
            #expect(error?.description.contains("--no-times") == true, "\(analysis.name)")
        }
    }

    @Test(arguments: Analysis.all.filter { $0.subject == .models }.map(\.name))
    func `Costs can be had without times`(name: String) throws {
        var input = try input()
        input.measuresTimes = false
        let result = try Analysis.named(name)(input)
        #expect(result.charts.isEmpty && !result.tables[0].rows.isEmpty)
        #expect(!result.tables[0].text.contains(" ms") && !result.tables[0].text.contains("µs"))
        #expect(!JSON.text(try JSON.output(result.result)).contains("seconds"))
    }
}
