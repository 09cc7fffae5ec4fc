import Foundation
import Jersey
import JerseyOutput
import Torch

extension Analysis {
    static let backbones = Analysis(
        name: "backbones",
        summary: "Compares the encoders: parameters, operations, activations, feature size, time.",
        subject: .models, BackbonesResult.self)
}

/// What each encoder costs.
struct BackbonesResult: AnalysisResult {
    struct Backbone: Encodable {
        let encoder: String
        /// Parameters of the encoder alone. The next two count the heads of a single-frame model,
        /// and encoder and heads together.
        let parameters: Int
        let fullyConnected: Int
        let total: Int
        let features: Int
        /// Multiply-accumulates per frame. `activations` counts the output values of convolutions.
        let macs: Int
        let activations: Int
        let macsAtImagenetSize: Int
        /// Median time of a single frame, and per frame in a batch; nil if not timed.
        fileprivate(set) var seconds: Double?
        fileprivate(set) var secondsPerFrameInBatch: Double?
    }

    /// How the times were measured.
    struct Times {
        let rounds: Int
        let threads: Int
    }

    /// Batch size in frames.
    static let batch = 16

    let frame = InputSpec()
    private(set) var backbones: [Backbone]
    /// Nil if nothing was timed.
    private(set) var times: Times?

    init(_ input: AnalysisInput) throws {
        let models = try EncoderKind.allCases.map {
            JerseyModel(try ModelSpec.named("basic_r18", encoder: $0))
        }
        backbones = models.map { [frame] in Backbone($0, frame) }
        if input.measuresTimes { time(models, rounds: input.rounds ?? 15) }
    }

    /// Takes medians of interleaved measurements.
    private mutating func time(_ models: [JerseyModel], rounds: Int) {
        let one = Backbone.frames(1, frame.height, frame.width)
        let many = Backbone.frames(Self.batch, frame.height, frame.width)
        let bodies = models.flatMap { model in
            [one, many].map { frames in { withoutGradients { _ = model.encode(frames) } } }
        }
        let seconds = Timing.inTurns(rounds: rounds, bodies).map(\.p50)
        for index in backbones.indices {
            backbones[index].seconds = seconds[2 * index]
            backbones[index].secondsPerFrameInBatch = seconds[2 * index + 1] / Double(Self.batch)
        }
        times = Times(rounds: rounds, threads: Runtime.threads)
    }

    func encode(to encoder: any Encoder) throws { try backbones.encode(to: encoder) }
}

extension BackbonesResult.Backbone {
    /// - Parameter model: a single-frame model that has only an encoder and heads.
    fileprivate init(_ model: JerseyModel, _ frame: InputSpec) {
        let here = OperationMeter()
        let usual = OperationMeter()
        features = withoutGradients {
            _ = model.encode(Self.frames(1, 224, 224), Pass(meter: usual))
            return model.encode(Self.frames(1, frame.height, frame.width), Pass(meter: here)).shape[1]
        }
        encoder = model.spec.encoder.rawValue
        parameters = model.store.trainable.filter { $0.group == JerseyModel.Part.encoder.rawValue }
            .reduce(0) { $0 + $1.tensor.count }
        total = model.store.parameterCount
        fullyConnected = total - parameters
        macs = here.multiplyAccumulates
        activations = here.activations
        macsAtImagenetSize = usual.multiplyAccumulates
    }

    /// Noise: (count, 3, height, width).
    fileprivate static func frames(_ count: Int, _ height: Int, _ width: Int) -> Tensor {
        .normal([count, 3, height, width], mean: 0, deviation: 1, seed: 1)
    }
}

// MARK: - View

extension BackbonesResult {
    func view(_ input: AnalysisInput) throws -> AnalysisView {
        AnalysisView(of: self, tables: [table], notes: [extremes], charts: times == nil ? [] : [chart])
    }

    private var size: String { "\(frame.width)x\(frame.height)" }

    private var table: Table {
        let timeColumns = times == nil ? [] : ["one frame", "a frame of \(Self.batch)"]
        return Table(
            ["encoder", "parameters", "heads (FC)", "together", "features", "MACs", "activations"]
                + timeColumns
                + ["MACs at 224x224"],
            rows: backbones.map { backbone in
                [
                    backbone.encoder, "\(backbone.parameters)", "\(backbone.fullyConnected)",
                    "\(backbone.total)",
                    "\(backbone.features)", Format.giga(backbone.macs), Format.mega(backbone.activations),
                ]
                    + (times == nil
                        ? [] : [backbone.seconds, backbone.secondsPerFrameInBatch].map { Format.time($0) })
                    + [Format.giga(backbone.macsAtImagenetSize)]
            }, title: "Encoders on frames of \(size)",
            note:
                "Heads: the fully connected tens and ones heads of a single-frame model. MACs: multiply-accumulates per frame; "
                + "activations: output values of convolutions per frame."
                + (times.map {
                    " Times: medians of \($0.rounds) interleaved measurements, \($0.threads) threads."
                } ?? ""))
    }

    private var extremes: String {
        let sorted = backbones.sorted { $0.total < $1.total }
        guard let smallest = sorted.first, let largest = sorted.last else { return "" }
        return
            "Smallest with its heads: \(smallest.encoder), \(smallest.total) parameters; largest: \(largest.encoder), "
            + "\(largest.total), "
            + "\(Format.decimal(Double(largest.total) / Double(max(smallest.total, 1)), places: 2)) times as many."
    }

    private var chart: Chart {
        Chart(
            name: "backbones", title: "Time against operations, frames of \(size)",
            .lines(
                Chart.Lines(
                    x: Chart.Axis("million multiply-accumulates"),
                    y: Chart.Axis("milliseconds a frame, \(Self.batch) at once"),
                    backbones.map { backbone in
                        .init(
                            backbone.encoder,
                            [
                                .init(
                                    Double(backbone.macs) / 1e6, (backbone.secondsPerFrameInBatch ?? 0) * 1e3)
                            ], style: .points)
                    })))
    }
}
