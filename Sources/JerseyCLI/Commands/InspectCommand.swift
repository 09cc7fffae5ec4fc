import ArgumentParser
import Foundation
import Jersey
import JerseyLab
import JerseyOutput

struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Shows what a data set contains, how it would be split, and its problems.",
        discussion:
            "Every frame is decoded. Example: jersey dataset inspect crops --group-pattern '/(\\d+)\\d\\d$'")

    @Argument(help: ArgumentHelp("Data set: a folder or an archive.", valueName: "folder"))
    var data: String

    @OptionGroup var options: DataOptions

    @Option(help: ArgumentHelp("Show this split instead of a new one.", valueName: "file"))
    var splits: String?

    @Option(
        help: ArgumentHelp(
            "Regular expression on the track id; tracks of one group stay in the same part.",
            valueName: "regex"))
    var groupPattern: String?

    @OptionGroup var decoding: WorkerOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        var config = options.config(path: data)
        config.groupPattern = groupPattern
        let dataset = try Dataset(config)
        let progress = ProgressLine("reading", total: dataset.sequences.reduce(0) { $0 + $1.frames.count })
        let inspection = DatasetInspection(dataset, workers: decoding.workers) { progress.advance() }
        progress.finish()
        if json { return Console.printExactly(JSON.text(try JSON.output(inspection))) }
        let split: Splits
        if let path = splits {
            split = try Splits(contentsOf: URL(fileURLWithPath: path))
            config.groupPattern = groupPattern ?? split.origin?.groupPattern
            try split.checkLeaks(config, path: path)
        } else {
            split = try Splits(dataset, config)
        }
        printDistribution(dataset, split, inspection)
        printAnchors(inspection)
        printProblems(inspection.problems)
    }

    private func printDistribution(_ dataset: Dataset, _ split: Splits, _ inspection: DatasetInspection) {
        let parts = Splits.Part.allCases.map { split.sequences($0, of: dataset) }
        func row(_ name: String, _ tracks: Int, _ frames: Int, _ counts: [Int]) -> [String] {
            let total = counts.reduce(0, +)
            let shares = counts.map { total > 0 ? Format.points(Double($0) / Double(total), places: 1) : "-" }
            return [name, "\(tracks)", "\(frames)", "\(total)"] + counts.map(String.init) + shares
        }
        var rows = inspection.numbers.map { count in
            row(
                count.number.description, count.tracks, count.frames,
                parts.map { $0.count { $0.number == count.number } })
        }
        rows.append(
            row(
                "all", dataset.tracks.count, inspection.numbers.reduce(0) { $0 + $1.frames },
                parts.map(\.count)))
        Console.print("Sequences by number, as they are split:")
        Console.print()
        Console.print(
            Table(
                [
                    "number", "tracks", "frames", "sequences", "train", "val", "test", "train %", "val %",
                    "test %",
                ], rows: rows))
        let tracks = Splits.Part.allCases.map { "\(split[$0].count) \($0.rawValue)" }
        Console.print()
        Console.print("Tracks: \(tracks.joined(separator: ", "))")
        for (part, sequences) in zip(Splits.Part.allCases, parts) where sequences.isEmpty {
            Console.print("warning: \(part.rawValue) is empty")
        }
        let unseen = Set(parts.dropFirst().joined().compactMap(\.number)).subtracting(
            split.seenNumbers(in: dataset)
        ).sorted()
        if !unseen.isEmpty {
            Console.print(
                "Numbers that do not occur in training: " + unseen.map(\.description).joined(separator: ", "))
        }
    }

    private func printAnchors(_ inspection: DatasetInspection) {
        let anchors = inspection.anchors
        Console.print()
        Console.print("Anchors:")
        Console.print()
        Console.print(
            Table(
                [],
                rows: [
                    ["sequences with an anchor", "\(anchors.marked)"],
                    ["sequences without (the first frame is used)", "\(anchors.missing)"],
                    ["anchor is the first frame", "\(anchors.first)"],
                    ["anchor is the last frame", "\(anchors.last)"],
                    ["anchor is in between", "\(anchors.between)"],
                    [
                        "frames of a sequence (least, median, most)",
                        inspection.lengths.map(String.init).joined(separator: ", "),
                    ],
                ]))
    }

    private func printProblems(_ problems: [DatasetInspection.Problem]) {
        Console.print()
        guard !problems.isEmpty else { return Console.print("No problems found.") }
        Console.print("Problems:")
        for kind in DatasetInspection.Problem.Kind.allCases {
            let texts = problems.filter { $0.kind == kind }.map(\.text)
            if texts.isEmpty { continue }
            Console.print()
            Console.print("\(kind.rawValue): \(texts.count)")
            for text in texts.prefix(20) { Console.print("  " + text) }
            if texts.count > 20 { Console.print("  and \(texts.count - 20) more; --json lists all") }
        }
    }
}
