/// The study's own results: mean ± standard deviation over five seeds on its data (report, tables 1
/// to 3).
package struct PublishedFigures: Sendable {
    package struct Accuracy: Sendable {
        package let mean: Double
        /// Population standard deviation: the study divides by n = 5.
        package let deviation: Double

        init(_ mean: Double, _ deviation: Double) {
            self.mean = mean
            self.deviation = deviation
        }

        var text: String { Summary.text(mean, deviation) }
    }

    package let model: String
    /// The model's name in the study's table, in one or two columns.
    package let title: [String]
    package let parameters: Int
    package let number, tens, ones: Accuracy

    private init(
        _ model: String, _ title: String..., parameters: Int, number: Accuracy, tens: Accuracy, ones: Accuracy
    ) {
        self.model = model
        self.title = title
        self.parameters = parameters
        self.number = number
        self.tens = tens
        self.ones = ones
    }

    /// All models in the order of the study's tables.
    package static let all: [PublishedFigures] = [
        .init(
            "basic_r18", "ResNet-18", parameters: 11_187_285, number: .init(0.9564, 0.0049),
            tens: .init(0.9914, 0.0019),
            ones: .init(0.9601, 0.0055)),
        .init(
            "basic_effb0", "EfficientNet-B0", parameters: 4_034_449, number: .init(0.9577, 0.0070),
            tens: .init(0.9904, 0.0017),
            ones: .init(0.9615, 0.0067)),
        .init(
            "basic_effl0", "EfficientNet-L0", parameters: 4_034_449, number: .init(0.9577, 0.0070),
            tens: .init(0.9904, 0.0017),
            ones: .init(0.9615, 0.0067)),
        .init(
            "basic_mv3l", "MobileNetV3-Large", parameters: 4_228_933, number: .init(0.9512, 0.0069),
            tens: .init(0.9907, 0.0028),
            ones: .init(0.9550, 0.0062)),
        .init(
            "basic_mv3s", "MobileNetV3-Small", parameters: 1_539_381, number: .init(0.9371, 0.0074),
            tens: .init(0.9894, 0.0007),
            ones: .init(0.9423, 0.0069)),
        .init(
            "basic_sv2", "ShuffleNetV2", parameters: 1_275_129, number: .init(0.9282, 0.0054),
            tens: .init(0.9883, 0.0013),
            ones: .init(0.9320, 0.0070)),
        .init(
            "seq_brnn_mp", "BiRNN", parameters: 11_346_261, number: .init(0.9735, 0.0023),
            tens: .init(0.9966, 0.0000),
            ones: .init(0.9752, 0.0023)),
        .init(
            "seq_urnn_fs", "UniRNN", parameters: 11_261_397, number: .init(0.9691, 0.0011),
            tens: .init(0.9941, 0.0008),
            ones: .init(0.9728, 0.0007)),
        .init(
            "seq_bgru_mp", "BiGRU", parameters: 11_674_965, number: .init(0.9763, 0.0038),
            tens: .init(0.9962, 0.0007),
            ones: .init(0.9783, 0.0035)),
        .init(
            "seq_ugru_fs", "UniGRU", parameters: 11_425_749, number: .init(0.9684, 0.0053),
            tens: .init(0.9948, 0.0011),
            ones: .init(0.9715, 0.0054)),
        .init(
            "seq_blstm_mp", "BiLSTM", parameters: 11_839_317, number: .init(0.9739, 0.0040),
            tens: .init(0.9966, 0.0000),
            ones: .init(0.9756, 0.0040)),
        .init(
            "seq_ulstm_fs", "UniLSTM", parameters: 11_507_925, number: .init(0.9728, 0.0023),
            tens: .init(0.9945, 0.0013),
            ones: .init(0.9749, 0.0023)),
        .init(
            "attn_bgru_bahdanau", "BiGRU", "Additive", parameters: 11_740_885, number: .init(0.9749, 0.0023),
            tens: .init(0.9952, 0.0007), ones: .init(0.9766, 0.0023)),
        .init(
            "attn_bgru_luong", "BiGRU", "Multiplicative", parameters: 11_740_757,
            number: .init(0.9787, 0.0068),
            tens: .init(0.9962, 0.0007), ones: .init(0.9804, 0.0068)),
        .init(
            "attn_bgru_gate", "BiGRU", "Gate", parameters: 11_691_478, number: .init(0.9619, 0.0280),
            tens: .init(0.9866, 0.0108),
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
        /// Includes whether TorchScript compiled it.
        let precision: String
        let batch: Int
        let millisecondsPerSequence: Double
        var speedup: Double?
        /// Accuracy in percent.
        var accuracy: Double?
    }

    /// Latencies of attn_bgru_luong on an RTX 3090 (report, table 4).
    static let latency: [Latency] = [
        .init(
            setting: "Baseline", precision: "FP32", batch: 1, millisecondsPerSequence: 2.49, speedup: 1,
            accuracy: 98.63),
        .init(
            setting: "Optimized", precision: "FP16", batch: 1, millisecondsPerSequence: 1.96, speedup: 1.27,
            accuracy: 98.63),
        .init(
            setting: "Optimized", precision: "FP16+JIT", batch: 1, millisecondsPerSequence: 1.71,
            speedup: 1.45, accuracy: 98.63),
        .init(setting: "Batch = 1", precision: "FP16+JIT", batch: 1, millisecondsPerSequence: 1.94),
        .init(setting: "Batch = 4", precision: "FP16+JIT", batch: 4, millisecondsPerSequence: 1.03),
        .init(setting: "Batch = 8", precision: "FP16+JIT", batch: 8, millisecondsPerSequence: 0.94),
        .init(setting: "Batch = 16", precision: "FP16+JIT", batch: 16, millisecondsPerSequence: 0.88),
    ]
}
