import Foundation
import Jersey
import JerseyLab
import JerseyServer
import Torch

/// Readers of untrusted input. They must return or throw, whatever the bytes.
public enum Reader: String, CaseIterable, Sendable {
    // Weights and media.
    case safetensors, pth, card, image, archive, video
    // Users' tables and texts.
    case boxes, roster, splits, soccernet, config, experiment
    // Files in a run folder.
    case outcomes, result, metrics, progress
    // Input of the service: bodies, hosts and origins, and its decoders' answers.
    case body, infer, head, packet

    /// - Parameter name: the name in scripts.
    public init(named name: String) {
        guard let reader = Reader(rawValue: name) else {
            fatalError("unknown reader '\(name)'; use one of \(Self.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        self = reader
        Runtime.threads = 1
    }

    /// For readers that need a file or a folder.
    private static let folder: TemporaryFolder = {
        guard let folder = try? TemporaryFolder(.benchmark) else { fatalError("cannot create a temporary folder") }
        return folder
    }()

    private static func file(_ name: String, _ data: Data) throws -> URL {
        let url = folder.url.appendingPathComponent(name)
        try FileManager.default.makeFolder(url.deletingLastPathComponent())
        try data.write(to: url)
        return url
    }

    public func read(_ data: Data) throws {
        switch self {
        case .safetensors: _ = try Safetensors(data: data, named: "x.safetensors")
        case .pth: _ = try PthFile(data: data, named: "x.pth")
        case .card:
            let weights = Safetensors(metadata: [Checkpoint.cardKey: String(decoding: data, as: UTF8.self)], tensors: [:])
            let url = Self.folder.url.appendingPathComponent("card")
            try weights.write(to: url)
            _ = try Checkpoint(contentsOf: url).model(on: .cpu, path: "x")
        case .image:
            let image = try RGBImage(decoding: data, named: "x")
            _ = image.resized(width: 48, height: 48)
        case .archive:
            let archive = try UnpackedArchive(Self.file("x.zip", data).path)
            _ = try UnlabelledSequences(archive)
        case .video:
            let video = try VideoReader(decoding: data, named: "x", maximumPixels: 1_000_000)
            var left = 32
            while left > 0, let frame = try video.next() {
                left -= 1
                if !frame.isDamaged { _ = try video.image() }
            }
        case .boxes: _ = try TrackBoxes(contentsOf: Self.file("x.csv", data).path)
        case .roster: _ = try Roster(contentsOf: Self.file("x.csv", data).path)
        case .splits: _ = try Splits(contentsOf: Self.file("x.json", data))
        case .soccernet: _ = try SoccerNetLabels(contentsOf: Self.file("x.json", data).path)
        case .config: try RunConfig(overlays: [ConfigOverlay(file: Self.file("x.yaml", data))]).validate()
        case .experiment: _ = try Experiment(yaml: String(decoding: data, as: UTF8.self), source: "x").runs()
        case .progress: _ = try RunProgress(contentsOf: Self.file("run/progress.json", data)).map { $0.share }
        case .outcomes, .result, .metrics: try readRun(data)
        case .body: try RequestReading.body(data)
        case .infer: try RequestReading.infer(data)
        case .head: try RequestReading.head(data)
        case .packet: RequestReading.packet(data)
        }
    }

    /// Reads a finished run that contains the fuzzed file, and runs analyses on it.
    private func readRun(_ data: Data) throws {
        let run = RunFolder(Self.folder.url.appendingPathComponent("run"))
        var config = RunConfig()
        config.model = "basic_r18"
        let labelled = data.split(separator: UInt8(ascii: "\n")).count { row in
            self == .outcomes && (try? JSON.decoded(Outcome.self, from: row))?.truth != nil
        }
        let files: [(Reader, String, String)] = [
            (.outcomes, "outcomes.jsonl", ""), (.metrics, "metrics.jsonl", Self.epoch),
            (.result, "result.json", Self.result(labelled)),
        ]
        _ = try Self.file("run/config.json", JSON.readable(config))
        for (reader, name, text) in files { _ = try Self.file("run/" + name, reader == self ? data : Data(text.utf8)) }
        let input = AnalysisInput(groups: try RunSelection([run.url.path]).groups)
        for name in ["calibration", "confusion", "curves"] { _ = try? Analysis.named(name)(input) }
        for kind in Breakdown.Kind.allCases { _ = Breakdown.table(input.groups, by: kind) }
    }

    private static let epoch = """
        {"best":true,"epoch":1,"rate_factor":1,"seconds":1,"train":{"loss":5,"number_accuracy":0,"ones_accuracy":0,"sequences":3,\
        "tens_accuracy":0},"unreadable_files":0}

        """

    private static func result(_ labelled: Int) -> String {
        let counts = #"{"count":\#(labelled),"number_accuracy":0,"ones_accuracy":0,"tens_accuracy":0}"#
        return #"""
            {"best_epoch":1,"device":"cpu","encoder":"resnet18","epochs":1,"libtorch":"2","model":"basic_r18","parameters":1,
            "published":false,"seconds":1,"seed":1,"train_sequences":1,"test":{"loss":1,"sequences":\#(counts),"tracks":\#(counts),
            "unreadable_files":0,"unreadable_sequences":0}}
            """#
    }

    /// Writes valid seeds that only the program can make: short videos.
    public func makeSeeds(in folder: URL) throws {
        guard self == .video else { return }
        for name in ["a.mp4", "a.mkv", "a.mov"] {
            let file = folder.appendingPathComponent(name)
            guard !FileNames.exists(file.path) else { continue }
            let writer = try VideoWriter(file.path, width: 32, height: 16, rate: 10)
            for index in 0..<3 {
                let pixels = (0..<32 * 16 * 3).map { UInt8(truncatingIfNeeded: $0 * (7 + index)) }
                try writer.add(RGBImage(width: 32, height: 16, pixels: pixels), time: Double(index) / 10)
            }
            try writer.finish()
        }
    }
}
