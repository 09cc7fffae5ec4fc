import Foundation
import Jersey

/// The study's own results: mean ± standard deviation over five seeds on its data (report, tables 1 to 3).
public struct PublishedFigures: Sendable {
    public struct Accuracy: Sendable {
        public let mean: Double
        /// The study divides by n = 5.
        public let deviation: Double

        init(_ mean: Double, _ deviation: Double) { (self.mean, self.deviation) = (mean, deviation) }

        var text: String { Summary.text(mean, deviation) }
    }

    public let model: String
    /// As the study's table calls it, perhaps in two columns.
    public let title: [String]
    public let parameters: Int
    public let number, tens, ones: Accuracy

    private init(
        _ model: String, _ title: String..., parameters: Int, number: Accuracy, tens: Accuracy, ones: Accuracy
    ) {
        (self.model, self.title, self.parameters) = (model, title, parameters)
        (self.number, self.tens, self.ones) = (number, tens, ones)
    }

    /// In the order of the study's tables.
    public static let all: [PublishedFigures] = [
        .init(
            "basic_r18", "ResNet-18", parameters: 11_187_285, number: .init(0.9564, 0.0049), tens: .init(0.9914, 0.0019),
            ones: .init(0.9601, 0.0055)),
        .init(
            "basic_effb0", "EfficientNet-B0", parameters: 4_034_449, number: .init(0.9577, 0.0070), tens: .init(0.9904, 0.0017),
            ones: .init(0.9615, 0.0067)),
        .init(
            "basic_effl0", "EfficientNet-L0", parameters: 4_034_449, number: .init(0.9577, 0.0070), tens: .init(0.9904, 0.0017),
            ones: .init(0.9615, 0.0067)),
        .init(
            "basic_mv3l", "MobileNetV3-Large", parameters: 4_228_933, number: .init(0.9512, 0.0069), tens: .init(0.9907, 0.0028),
            ones: .init(0.9550, 0.0062)),
        .init(
            "basic_mv3s", "MobileNetV3-Small", parameters: 1_539_381, number: .init(0.9371, 0.0074), tens: .init(0.9894, 0.0007),
            ones: .init(0.9423, 0.0069)),
        .init(
            "basic_sv2", "ShuffleNetV2", parameters: 1_275_129, number: .init(0.9282, 0.0054), tens: .init(0.9883, 0.0013),
            ones: .init(0.9320, 0.0070)),
        .init(
            "seq_brnn_mp", "BiRNN", parameters: 11_346_261, number: .init(0.9735, 0.0023), tens: .init(0.9966, 0.0000),
            ones: .init(0.9752, 0.0023)),
        .init(
            "seq_urnn_fs", "UniRNN", parameters: 11_261_397, number: .init(0.9691, 0.0011), tens: .init(0.9941, 0.0008),
            ones: .init(0.9728, 0.0007)),
        .init(
            "seq_bgru_mp", "BiGRU", parameters: 11_674_965, number: .init(0.9763, 0.0038), tens: .init(0.9962, 0.0007),
            ones: .init(0.9783, 0.0035)),
        .init(
            "seq_ugru_fs", "UniGRU", parameters: 11_425_749, number: .init(0.9684, 0.0053), tens: .init(0.9948, 0.0011),
            ones: .init(0.9715, 0.0054)),
        .init(
            "seq_blstm_mp", "BiLSTM", parameters: 11_839_317, number: .init(0.9739, 0.0040), tens: .init(0.9966, 0.0000),
            ones: .init(0.9756, 0.0040)),
        .init(
            "seq_ulstm_fs", "UniLSTM", parameters: 11_507_925, number: .init(0.9728, 0.0023), tens: .init(0.9945, 0.0013),
            ones: .init(0.9749, 0.0023)),
        .init(
            "attn_bgru_bahdanau", "BiGRU", "Additive", parameters: 11_740_885, number: .init(0.9749, 0.0023),
            tens: .init(0.9952, 0.0007), ones: .init(0.9766, 0.0023)),
        .init(
            "attn_bgru_luong", "BiGRU", "Multiplicative", parameters: 11_740_757, number: .init(0.9787, 0.0068),
            tens: .init(0.9962, 0.0007), ones: .init(0.9804, 0.0068)),
        .init(
            "attn_bgru_gate", "BiGRU", "Gate", parameters: 11_691_478, number: .init(0.9619, 0.0280), tens: .init(0.9866, 0.0108),
            ones: .init(0.9718, 0.0180)),
        .init(
            "attn_bgru_hc", "BiGRU", "Hard-Concrete", parameters: 11_691_479, number: .init(0.9753, 0.0058),
            tens: .init(0.9966, 0.0000), ones: .init(0.9770, 0.0058)),
        .init(
            "attn_ugru_gate", "UniGRU", "Gate", parameters: 11_434_070, number: .init(0.9649, 0.0028),
            tens: .init(0.9773, 0.0013),
            ones: .init(0.9856, 0.0023)),
        .init(
            "attn_ugru_hc", "UniGRU", "Hard-Concrete", parameters: 11_434_071, number: .init(0.9777, 0.0036),
            tens: .init(0.9959, 0.0009), ones: .init(0.9797, 0.0030)),
    ]

    /// A row of table 4.
    struct Latency: Encodable {
        let setting: String
        /// And whether TorchScript compiled it.
        let precision: String
        let batch: Int
        let millisecondsPerSequence: Double
        var speedup: Double?
        /// Percent.
        var accuracy: Double?
    }

    /// attn_bgru_luong on an RTX 3090 (report, table 4).
    static let latency: [Latency] = [
        .init(setting: "Baseline", precision: "FP32", batch: 1, millisecondsPerSequence: 2.49, speedup: 1, accuracy: 98.63),
        .init(setting: "Optimized", precision: "FP16", batch: 1, millisecondsPerSequence: 1.96, speedup: 1.27, accuracy: 98.63),
        .init(
            setting: "Optimized", precision: "FP16+JIT", batch: 1, millisecondsPerSequence: 1.71, speedup: 1.45, accuracy: 98.63),
        .init(setting: "Batch = 1", precision: "FP16+JIT", batch: 1, millisecondsPerSequence: 1.94),
        .init(setting: "Batch = 4", precision: "FP16+JIT", batch: 4, millisecondsPerSequence: 1.03),
        .init(setting: "Batch = 8", precision: "FP16+JIT", batch: 8, millisecondsPerSequence: 0.94),
        .init(setting: "Batch = 16", precision: "FP16+JIT", batch: 16, millisecondsPerSequence: 0.88),
    ]
}

// MARK: - Tables 1 to 3

extension PublishedFigures {
    /// A phase's table in the study's layout, titled by what was trained; nil where none of its models has finished runs. The published
    /// figures stand beside the models that they are of, and not beside the same with another encoder, width or head. Variants of an
    /// experiment have tables of their own.
    public static func table(_ phase: ModelSpec.Phase, _ groups: [RunGroup]) -> Table? {
        // In the study's order; what the study does not have comes last.
        let order = all.map(\.model) + ModelSpec.all.map(\.name)
        let shown = groups.filter { $0.variant == nil }
            .compactMap { group in (try? group.runs[0].config.spec()).map { PhaseRow(group, $0) } }
            .filter { $0.spec.phase == phase }
            .sorted { order.firstIndex(of: $0.spec.name)! < order.firstIndex(of: $1.spec.name)! }
        guard !shown.isEmpty else { return nil }
        let encoders = Set(shown.map(\.spec.encoder))
        let metrics: [RunGroup.Metric] = [.number, .tens, .ones]
        let names: [(String, (PhaseRow) -> String)] =
            [("Model", \.title)] + (phase == .attention ? [("Attention", \.attention)] : [])
            + (phase != .singleFrame && encoders.count > 1 ? [("Encoder", \.spec.encoder.title)] : [])
        var table = Table(
            names.map(\.0) + ["Parameters"] + metrics.map(\.title) + ["Loss", "n", "published Number", "Tens", "Ones"],
            rows: shown.map { row in
                names.map { $0.1(row) } + [row.group.runs[0].result.parameters.grouped]
                    + metrics.map { row.group.summary($0).text } + [row.group.loss.text, "\(row.group.runs.count)"]
                    + [row.figure?.number, row.figure?.tens, row.figure?.ones].map { $0?.text ?? "-" }
            },
            title: title(phase) + (phase != .singleFrame && encoders.count == 1 ? " with \(shown[0].spec.encoder.title)" : ""),
            note:
                "Mean ± standard deviation of the sample over n runs on the data of this experiment; published: five runs on the study's "
                + "own data, the deviation from a sum of squares divided by n. Best per accuracy column stands out.")
        for (place, metric) in metrics.enumerated() {
            let means = shown.map { $0.group.summary(metric).mean ?? -1 }
            let column = names.count + 1 + place
            table.emphasis.formUnion(means.indices.filter { means[$0] == means.max() }.map { [$0, column] })
        }
        return table
    }

    private static func title(_ phase: ModelSpec.Phase) -> String {
        switch phase {
        case .singleFrame: "Table 1: Phase 0, image-only (anchor frame)"
        case .sequence: "Table 2: Phase A, sequence baselines"
        case .attention: "Table 3: Phase B, attention-based sequence models"
        case .evidence: "Models that sum the evidence of single frames"
        }
    }
}

/// A model of a phase's table.
private struct PhaseRow {
    let group: RunGroup
    let spec: ModelSpec
    /// What was published of this very network; nil where the study has none.
    let figure: PublishedFigures?
    /// As the study's table calls the model, perhaps in two columns.
    private let words: [String]

    init(_ group: RunGroup, _ spec: ModelSpec) {
        (self.group, self.spec) = (group, spec)
        let known = PublishedFigures.all.first { $0.model == spec.name }
        figure = spec == (try? ModelSpec.named(spec.name)) ? known : nil
        // A model of single frames is called by its encoder.
        words = (spec.phase == .singleFrame ? figure?.title ?? [spec.encoder.title] : known?.title) ?? [spec.name]
    }

    var title: String {
        words[0] + (spec.hasFullHead ? ", full head" : "") + (group.folder.map { " (\($0))" } ?? "")
    }

    var attention: String { words.count > 1 ? words[1] : "" }
}

extension EncoderKind {
    /// As the study writes it.
    fileprivate var title: String {
        switch self {
        case .resnet18: "ResNet-18"
        case .efficientnetB0: "EfficientNet-B0"
        case .efficientnetLite0: "EfficientNet-Lite0"
        case .mobilenetV3Large: "MobileNetV3-Large"
        case .mobilenetV3Small: "MobileNetV3-Small"
        case .shufflenetV2: "ShuffleNetV2"
        case .compact: "Compact"
        }
    }
}

extension Int {
    /// "11,187,285", as the study writes it.
    var grouped: String { formatted(.number.locale(Locale(identifier: "en_US"))) }
}
