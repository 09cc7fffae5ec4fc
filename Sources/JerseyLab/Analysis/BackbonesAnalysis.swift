import Foundation
import Jersey
import JerseyOutput
import Torch

extension Analysis {
    /// The encoders side by side.
    static let backbones = Analysis(
        name: "backbones", summary: "The encoders: parameters, operations, activations, feature size, and time measured here.",
        subject: .models
    ) { input in
        let rounds = input.rounds ?? 15
        let config = InputSpec()
        var figures: [BackboneFigure] = []
        var bodies: [() -> Void] = []
        let batch = 16
        for kind in EncoderKind.allCases {
            let model = JerseyModel(try ModelSpec.named("basic_r18", encoder: kind))
            func frames(_ count: Int, _ height: Int, _ width: Int) -> Tensor {
                .normal([count, 3, height, width], mean: 0, deviation: 1, seed: 1)
            }
            let (one, many) = (frames(1, config.height, config.width), frames(batch, config.height, config.width))
            let (here, usual) = (OperationMeter(), OperationMeter())
            let features = withoutGradients {
                _ = model.encode(frames(1, 224, 224), Pass(meter: usual))
                return model.encode(one, Pass(meter: here)).shape[1]
            }
            let parameters = model.store.trainable.filter { $0.group == JerseyModel.Part.encoder.rawValue }
                .reduce(0) { $0 + $1.tensor.count }
            figures.append(
                BackboneFigure(
                    encoder: kind.rawValue, parameters: parameters, fullyConnected: model.store.parameterCount - parameters,
                    total: model.store.parameterCount, features: features, macs: here.multiplyAccumulates,
                    activations: here.activations, macsAtImagenetSize: usual.multiplyAccumulates))
            bodies.append { withoutGradients { _ = model.encode(one) } }
            bodies.append { withoutGradients { _ = model.encode(many) } }
        }
        if input.measuresTimes {
            let seconds = Timing.inTurns(rounds: rounds, bodies).map(\.p50)
            for index in figures.indices {
                figures[index].seconds = seconds[2 * index]
                figures[index].secondsPerFrameInBatch = seconds[2 * index + 1] / Double(batch)
            }
        }
        let times: [(String, (BackboneFigure) -> String)] =
            input.measuresTimes
            ? [
                ("one frame", { Format.time($0.seconds) }),
                ("a frame of \(batch)", { Format.time($0.secondsPerFrameInBatch) }),
            ] : []
        let chart = Chart(
            name: "backbones", title: "Time against operations, frames of \(config.width)x\(config.height)",
            .lines(
                Chart.Lines(
                    x: Chart.Axis("million multiply-accumulates"), y: Chart.Axis("milliseconds a frame, \(batch) at once"),
                    figures.map { figure in
                        .init(
                            figure.encoder, [.init(Double(figure.macs) / 1e6, (figure.secondsPerFrameInBatch ?? 0) * 1e3)],
                            style: .points)
                    })))
        return AnalysisResult(
            tables: [
                Table(
                    ["encoder", "parameters", "heads (FC)", "together", "features", "MACs", "activations"] + times.map(\.0)
                        + ["MACs at 224x224"],
                    rows: figures.map { figure in
                        [
                            figure.encoder, "\(figure.parameters)", "\(figure.fullyConnected)", "\(figure.total)",
                            "\(figure.features)", Format.giga(figure.macs), Format.mega(figure.activations),
                        ] + times.map { $0.1(figure) } + [Format.giga(figure.macsAtImagenetSize)]
                    }, title: "Encoders on frames of \(config.width)x\(config.height)",
                    note:
                        "Heads: those of tens and ones, fully connected, in a model of single frames. MACs: multiply-accumulates; activations: "
                        + "values that convolutions put out, per frame."
                        + (input.measuresTimes
                            ? " Medians of \(rounds) readings taken in turns, \(Runtime.threads) threads." : ""))
            ], notes: [extremes(figures)], json: figures, charts: input.measuresTimes ? [chart] : [])
    }

    /// The smallest model, the largest, and how far they are apart.
    private static func extremes(_ figures: [BackboneFigure]) -> String {
        let sorted = figures.sorted { $0.total < $1.total }
        guard let smallest = sorted.first, let largest = sorted.last else { return "" }
        return "Smallest with its heads: \(smallest.encoder), \(smallest.total) parameters; largest: \(largest.encoder), "
            + "\(largest.total), "
            + "\(Format.decimal(Double(largest.total) / Double(max(smallest.total, 1)), places: 2)) times as many."
    }
}

private struct BackboneFigure: Encodable {
    let encoder: String
    /// The encoder's own; those of the two heads behind it in a model of single frames, and of both, are below.
    let parameters: Int
    let fullyConnected: Int
    let total: Int
    let features: Int
    /// Multiply-accumulates of one frame, and values put out by convolutions.
    let macs: Int
    let activations: Int
    let macsAtImagenetSize: Int
    /// Median of one frame by itself, and the share of one in a batch; nil where none was timed.
    var seconds: Double?
    var secondsPerFrameInBatch: Double?
}
