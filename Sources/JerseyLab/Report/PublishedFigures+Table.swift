import Jersey
import JerseyOutput

extension PublishedFigures {
    /// A phase's table in the study's layout; nil if none of its models has finished runs.
    /// Published figures appear only beside exactly the published model, not with another encoder,
    /// width or head. Variants are not included; the report lists them in other tables.
    package static func table(_ phase: ModelSpec.Phase, _ groups: [RunGroup]) -> Table? {
        // The study's order; models that are not in the study come last.
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
            names.map(\.0) + ["Parameters"] + metrics.map(\.title) + [
                "Loss", "n", "published Number", "Tens", "Ones",
            ],
            rows: shown.map { row in
                names.map { $0.1(row) } + [Format.grouped(row.group.runs[0].result.parameters)]
                    + metrics.map { row.group.summary($0).text } + [
                        row.group.loss.text, "\(row.group.runs.count)",
                    ]
                    + [row.figure?.number, row.figure?.tens, row.figure?.ones].map { $0?.text ?? "-" }
            },
            title: title(phase)
                + (phase != .singleFrame && encoders.count == 1
                    ? " with \(shown[0].spec.encoder.title)" : ""),
            note:
                "Mean ± sample standard deviation over n runs on this experiment's data. Published: five runs on the study's "
                + "own data, with the population standard deviation (n). The best value in each accuracy column is emphasised."
        )
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

/// A row of a phase's table.
private struct PhaseRow {
    let group: RunGroup
    let spec: ModelSpec
    /// The published figures of exactly this network; nil if there are none.
    let figure: PublishedFigures?
    /// The model's name in the study's table, in one or two columns.
    private let words: [String]

    init(_ group: RunGroup, _ spec: ModelSpec) {
        self.group = group
        self.spec = spec
        let known = PublishedFigures.all.first { $0.model == spec.name }
        figure = spec == (try? ModelSpec.named(spec.name)) ? known : nil
        // Single-frame models are named after their encoder.
        words =
            (spec.phase == .singleFrame ? figure?.title ?? [spec.encoder.title] : known?.title) ?? [spec.name]
    }

    var title: String {
        words[0] + (spec.hasFullHead ? ", full head" : "") + (group.folder.map { " (\($0))" } ?? "")
    }

    var attention: String { words.count > 1 ? words[1] : "" }
}

extension EncoderKind {
    /// The study's spelling.
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
