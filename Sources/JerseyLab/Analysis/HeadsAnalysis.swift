import Foundation
import Jersey
import JerseyOutput
import Torch

extension Analysis {
    /// The study's notes on fully-connected cost (one head after another, or one large layer; per sequence, or per frame), measured.
    static let heads = Analysis(
        name: "heads",
        summary: "What the digit heads cost: parameters, operations, time here; and what it is of the whole model.",
        subject: .models
    ) { input in
        let rounds = input.rounds ?? 41
        let (batch, frames) = (64, 8)
        let cases = [
            (place: "per sequence, after a bidirectional GRU", rows: batch, width: 256),
            (place: "per sequence, after a GRU", rows: batch, width: 128),
            (place: "per frame, after ResNet-18", rows: batch * frames, width: 512),
        ]
        let store = ParameterStore()
        var figures: [HeadFigure] = []
        var bodies: [() -> Void] = []
        for (index, item) in cases.enumerated() {
            let scope = Scope(store) / "case\(index)"
            let input = Tensor.normal([item.rows, item.width], mean: 0, deviation: 1, seed: UInt64(index))
            for (name, sizes) in HeadFigure.layouts {
                let layers = sizes.enumerated().map { Linear(scope / "\(name) \($0)", item.width, $1) }
                bodies.append { withoutGradients { for layer in layers { _ = layer(input) } } }
                let outputs = sizes.reduce(0, +)
                figures.append(
                    HeadFigure(
                        place: item.place, rows: item.rows, width: item.width, heads: name,
                        parameters: (item.width + 1) * outputs,
                        macs: item.rows * item.width * outputs))
            }
        }
        func table(_ columns: [String], _ note: String?, _ cells: (HeadFigure) -> [String]) -> Table {
            Table(
                ["where", "rows", "width", "heads", "parameters", "MACs"] + columns,
                rows: figures.map { figure in
                    [
                        figure.place, "\(figure.rows)", "\(figure.width)", figure.heads, "\(figure.parameters)", "\(figure.macs)",
                    ] + cells(figure)
                }, title: "Fully connected heads, \(batch) sequences of \(frames) frames", note: note)
        }
        guard input.measuresTimes else {
            return AnalysisResult(
                tables: [table([], nil) { _ in [] }], json: HeadSummary(heads: figures, modelSeconds: nil, threads: nil))
        }
        for (index, seconds) in Timing.inTurns(rounds: rounds, calls: 20, bodies).map(\.p50).enumerated() {
            figures[index].seconds = seconds
        }

        let config = InputSpec()
        let model = JerseyModel(try ModelSpec.named("attn_bgru_luong"))
        let clip = Tensor.normal([frames, 3, config.height, config.width], mean: 0, deviation: 1, seed: 9)
        let whole = Timing.inTurns(rounds: input.rounds ?? 11, [{ withoutGradients { _ = model(clip, lengths: [frames]) } }])[0]
            .p50
        func seconds(_ index: Int) -> Double { figures[index].seconds ?? 0 }
        let perSequence = seconds(0) / Double(batch)
        let share = Format.digits(100 * perSequence / whole, 2) + "%"
        return AnalysisResult(
            tables: [
                table(["time"], "Medians of \(rounds) readings taken in turns, \(Runtime.threads) threads.") {
                    [Format.time($0.seconds)]
                }
            ],
            notes: [
                "Reading one sequence of \(frames) frames (attn_bgru_luong, \(config.width)x\(config.height)) takes \(Format.time(whole)); "
                    + "two heads are \(share) of it at batch \(batch). Heads per frame cost "
                    + "\(Format.decimal(seconds(HeadFigure.layouts.count * 2) / max(seconds(0), 1e-12), places: 1)) times those per sequence."
            ],
            json: HeadSummary(heads: figures, modelSeconds: whole, threads: Runtime.threads),
            charts: [
                Chart(
                    name: "heads", title: "Time of the heads, \(batch) sequences of \(frames) frames",
                    .bars(
                        Chart.Bars(
                            cases.map { "\($0.place) (\($0.rows) x \($0.width))" }, axis: Chart.Axis("microseconds"),
                            HeadFigure.layouts.enumerated().map { index, layout in
                                Chart.Bars.Series(
                                    layout.0,
                                    cases.indices.map {
                                        Chart.Value(seconds($0 * HeadFigure.layouts.count + index) * 1e6)
                                    })
                            })))
            ])
    }
}

/// What heads of one kind cost in one place.
private struct HeadFigure: Encodable {
    let place: String
    let rows: Int
    let width: Int
    let heads: String
    let parameters: Int
    /// Multiply-accumulates.
    let macs: Int
    /// Median of a forward pass; nil where none was timed.
    var seconds: Double?

    /// Outputs of each layer.
    static let layouts: [(String, [Int])] = [
        ("tens and ones", [11, 10]), ("both in one layer", [21]), ("tens, ones and full number", [11, 10, 110]),
    ]
}

private struct HeadSummary: Encodable {
    let heads: [HeadFigure]
    let modelSeconds: Double?
    let threads: Int?
}
