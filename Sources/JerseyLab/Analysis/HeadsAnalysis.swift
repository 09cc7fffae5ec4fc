import Foundation
import Jersey
import JerseyOutput
import Torch

extension Analysis {
    /// Measures what the study notes about fully connected layers: separate heads against one large
    /// layer, and heads per sequence against heads per frame.
    static let heads = Analysis(
        name: "heads",
        summary:
            "Measures the cost of the digit heads: parameters, operations, time, share of the whole model.",
        subject: .models, HeadsResult.self)
}

/// The cost of digit heads in each place where a model can have them.
struct HeadsResult: AnalysisResult {
    /// A position of the heads in a model, with the shape of their input.
    struct Place {
        let name: String
        let rows: Int
        let width: Int
    }

    /// Linear layers side by side.
    struct Layout {
        let name: String
        /// Outputs of each layer.
        let outputs: [Int]
    }

    struct Head: Encodable {
        let place: String
        let rows: Int
        let width: Int
        let heads: String
        let parameters: Int
        /// Multiply-accumulates.
        let macs: Int
        /// Median of a forward pass; nil if not timed.
        fileprivate(set) var seconds: Double?
    }

    /// Sequences in a batch. `frames` is the frame count of each.
    static let batch = 64
    static let frames = 8
    static let places = [
        Place(name: "per sequence, after a bidirectional GRU", rows: batch, width: 256),
        Place(name: "per sequence, after a GRU", rows: batch, width: 128),
        Place(name: "per frame, after ResNet-18", rows: batch * frames, width: 512),
    ]
    static let layouts = [
        Layout(name: "tens and ones", outputs: [11, 10]), Layout(name: "both in one layer", outputs: [21]),
        Layout(name: "tens, ones and full number", outputs: [11, 10, 110]),
    ]
    /// The whole model that the heads are compared with.
    static let model = "attn_bgru_luong"

    /// Every combination of place and layout.
    private(set) var heads = Self.places.flatMap { place in Self.layouts.map { Head($0, in: place) } }
    /// Median time of the whole model on one sequence; nil if not timed.
    private(set) var modelSeconds: Double?
    private(set) var threads: Int?
    /// Repetitions per timing.
    private(set) var rounds: Int?

    private enum CodingKeys: CodingKey {
        case heads, modelSeconds, threads
    }

    init(_ input: AnalysisInput) throws {
        if input.measuresTimes { try time(rounds: input.rounds ?? 41, modelRounds: input.rounds ?? 11) }
    }

    /// Takes medians of interleaved measurements.
    private mutating func time(rounds: Int, modelRounds: Int) throws {
        let store = ParameterStore()
        let bodies = Self.places.enumerated().flatMap { index, place in
            let scope = Scope(store) / "case\(index)"
            let input = Tensor.normal([place.rows, place.width], mean: 0, deviation: 1, seed: UInt64(index))
            return Self.layouts.map { layout in
                let layers = layout.outputs.enumerated().map {
                    Linear(scope / "\(layout.name) \($0)", place.width, $1)
                }
                return { withoutGradients { for layer in layers { _ = layer(input) } } }
            }
        }
        for (index, timing) in Timing.inTurns(rounds: rounds, calls: 20, bodies).enumerated() {
            heads[index].seconds = timing.p50
        }
        let size = InputSpec()
        let model = JerseyModel(try ModelSpec.named(Self.model))
        let clip = Tensor.normal([Self.frames, 3, size.height, size.width], mean: 0, deviation: 1, seed: 9)
        let whole = { withoutGradients { _ = model(clip, lengths: [Self.frames]) } }
        modelSeconds = Timing.inTurns(rounds: modelRounds, [whole])[0].p50
        threads = Runtime.threads
        self.rounds = rounds
    }

    /// Seconds of a layout in a place; 0 if not timed.
    private func seconds(_ place: Int, _ layout: Int) -> Double {
        heads[place * Self.layouts.count + layout].seconds ?? 0
    }

    /// Time of the two heads as a share of the whole model's, per sequence, 0...1; nil if not
    /// timed.
    var shareOfModel: Double? { modelSeconds.map { seconds(0, 0) / Double(Self.batch) / $0 } }

    /// Ratio of the two heads' time per frame to their time per sequence.
    var perFrameToPerSequence: Double { seconds(2, 0) / max(seconds(0, 0), 1e-12) }
}

extension HeadsResult.Head {
    fileprivate init(_ layout: HeadsResult.Layout, in place: HeadsResult.Place) {
        let outputs = layout.outputs.reduce(0, +)
        self.place = place.name
        rows = place.rows
        width = place.width
        heads = layout.name
        parameters = (place.width + 1) * outputs
        macs = place.rows * place.width * outputs
    }
}

// MARK: - View

extension HeadsResult {
    func view(_ input: AnalysisInput) throws -> AnalysisView {
        AnalysisView(
            of: self, tables: [table], notes: [costNote].compactMap { $0 },
            charts: modelSeconds == nil ? [] : [chart])
    }

    private var title: String { "\(Self.batch) sequences of \(Self.frames) frames" }

    private var table: Table {
        Table(
            ["position", "rows", "width", "heads", "parameters", "MACs"] + (rounds == nil ? [] : ["time"]),
            rows: heads.map { head in
                [
                    head.place, "\(head.rows)", "\(head.width)", head.heads, "\(head.parameters)",
                    "\(head.macs)",
                ] + (rounds == nil ? [] : [Format.time(head.seconds)])
            }, title: "Fully connected heads, \(title)",
            note: rounds.map { "Times: medians of \($0) interleaved measurements, \(threads ?? 1) threads." })
    }

    /// Nil if nothing was timed.
    private var costNote: String? {
        guard let modelSeconds, let shareOfModel else { return nil }
        let size = InputSpec()
        return
            "Reading one sequence of \(Self.frames) frames (\(Self.model), \(size.width)x\(size.height)) takes "
            + "\(Format.time(modelSeconds)); two heads take \(Format.percent(shareOfModel, digits: 2)) of it at batch \(Self.batch). "
            + "Heads per frame cost \(Format.decimal(perFrameToPerSequence, places: 1)) times those per sequence."
    }

    private var chart: Chart {
        Chart(
            name: "heads", title: "Time of the heads, \(title)",
            .bars(
                Chart.Bars(
                    Self.places.map { "\($0.name) (\($0.rows) x \($0.width))" },
                    axis: Chart.Axis("microseconds"),
                    Self.layouts.enumerated().map { index, layout in
                        Chart.Bars.Series(
                            layout.name, Self.places.indices.map { Chart.Value(seconds($0, index) * 1e6) })
                    })))
    }
}
