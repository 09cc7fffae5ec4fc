import ArgumentParser
import Foundation
import Jersey
import JerseyOutput

struct MergeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge",
        abstract: "Puts the results of all shards of a manifest together.",
        discussion: """
            Reads a folder that `jersey predict --manifest` has written to, and writes one file in the order of the manifest. It names \
            shards and items that are missing or there twice; then it writes nothing, and ends with status 1.

            Example: jersey merge results --output numbers.csv
            """)

    @Argument(help: ArgumentHelp("The folder of the results.", valueName: "folder"))
    var folder: String

    @Option(help: "jsonl or csv (default: by the extension of --output, or jsonl).")
    var format: MergeFormat?

    @Option(
        help: ArgumentHelp(
            "Write to this file instead of the terminal; - is standard output.", valueName: "file"))
    var output: String?

    @Flag(help: "Write names into CSV exactly as they are.")
    var raw = false

    enum MergeFormat: String, CaseIterable, ExpressibleByArgument {
        case jsonl, csv
    }

    private var file: String? { ["-", "/dev/stdout"].contains(output) ? nil : output }

    private var written: MergeFormat {
        format ?? output.flatMap {
            MergeFormat(rawValue: URL(fileURLWithPath: $0).pathExtension.lowercased())
        }
            ?? .jsonl
    }

    func validate() throws {
        guard !raw || written == .csv else { throw ValidationError("--raw needs --format csv") }
    }

    func run() throws {
        try file.map { try AtomicFile.check($0) }
        try file.map(OutputFormat.checkName)
        let results = try ShardedResults(URL(fileURLWithPath: folder))
        var merged = MergedResults(results)
        let problems = try merged.problems()
        guard problems.isEmpty else {
            Console.list(problems, rest: "problems") { $0 }
            throw FileError(
                folder, "is not whole, so nothing was written",
                advice: "read the missing shards; of a damaged part remove the file first")
        }
        if let file {
            try AtomicFile.write(to: URL(fileURLWithPath: file)) { add in
                try write(merged) { try $0.withUnsafeBytes(add) }
            }
        } else {
            do {
                try write(merged) { try FileHandle.standardOutput.write(contentsOf: $0) }
            } catch let error as CocoaError {
                throw FileError("standard output", doing: "write", error: error)
            }
        }
        let items = results.description.items
        let unread = merged.unreadItems == 0 ? "" : ", \(merged.unreadItems) of which could not be read"
        Console.error("\(items) item\(items == 1 ? "" : "s")\(unread)")
    }

    /// - Parameter add: gets the text in pieces of a megabyte or so.
    private func write(_ merged: MergedResults, _ add: (Data) throws -> Void) throws {
        var text = Data(written == .csv ? CSV.row(ItemColumns.header).utf8 : "".utf8)
        try merged.read { line in
            switch written {
            case .jsonl:
                text.append(contentsOf: line)
                text.append(UInt8(ascii: "\n"))
            case .csv:
                let result: ItemResult = try JSON.decoded(from: Data(line))
                text.append(contentsOf: CSV.row(ItemColumns.cells(result), isRaw: raw).utf8)
            }
            guard text.count > 1 << 20 else { return }
            try add(text)
            text.removeAll(keepingCapacity: true)
        }
        try add(text)
    }
}

/// The columns of merged results: those of predictions, between the item and its error. They are
/// always the same.
private enum ItemColumns {
    private static let columns = PredictionColumns(hasSpans: true, hasPlayers: true)

    static let header = ["item", "id"] + columns.header + ["error"]

    static func cells(_ result: ItemResult) -> [String] {
        ["\(result.item)", result.id ?? ""] + columns.cells(result.prediction) + [result.error ?? ""]
    }
}
