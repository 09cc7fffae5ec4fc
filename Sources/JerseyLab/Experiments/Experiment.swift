import Foundation
import Jersey

/// An experiment: models × variants × seeds, with shared settings.
///
/// Its YAML file has `name`, `summary`, `models` (names, `study` or `all`) and `seeds`. Optional
/// are `settings` (as in a run's configuration file) and `variants`, each a `name` and `settings`
/// that override the shared ones.
package struct Experiment: Codable, Sendable, Equatable {
    /// Named settings, compared with those of other variants.
    package struct Variant: Codable, Sendable, Equatable {
        package var name: String
        package var settings: ConfigTree?
    }

    package var name: String
    package var summary: String?
    /// Names in `ModelSpec.all`.
    package var models: [String]
    package var seeds: [UInt64]
    /// Override the defaults.
    package var settings: ConfigTree
    /// Empty if only models are compared.
    package var variants: [Variant]

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case name, summary, models, seeds, settings, variants
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        name = try container.decode(String.self, forKey: .name)
        summary = try container.decodeIfPresent(String.self, forKey: .summary)
        if let word = try? container.decode(String.self, forKey: .models) {
            models = Self.sets[word] ?? [word]
        } else {
            models = try container.decode([String].self, forKey: .models)
        }
        // Decoded by hand, because the decoder's own error for a number out of range does not name
        // it.
        seeds = try container.decode([ConfigTree].self, forKey: .seeds).map { word in
            guard case .int(let seed) = word, seed >= 0 else {
                throw DecodingError.dataCorruptedError(
                    forKey: .seeds, in: container,
                    debugDescription: "needs whole numbers from 0, not \(word.displayText)"
                )
            }
            return UInt64(seed)
        }
        settings = try container.decodeIfPresent(ConfigTree.self, forKey: .settings) ?? .table([:])
        variants = try container.decodeIfPresent([Variant].self, forKey: .variants) ?? []
    }

    /// Names of sets of models.
    private static let sets = ["all": ModelSpec.all.map(\.name), "study": ModelSpec.study.map(\.name)]

    /// - Parameter source: the text's name in errors.
    /// - Throws: `UsageError` that names the source and the key.
    package init(yaml text: String, source: String) throws {
        do {
            let tree = try ConfigTree(yaml: text)
            guard case .table(let table) = tree else { throw UsageError("is not a table of keys and values") }
            try Self.check(table, has: CodingKeys.allCases.map(\.rawValue))
            if case .list(let variants) = table["variants"] {
                for case .table(let variant) in variants {
                    try Self.check(variant, has: ["name", "settings"])
                }
            }
            self = try tree.decoded(as: Experiment.self)
            try check()
        } catch let error as DecodingError {
            throw UsageError("\(source) is not an experiment (\(error.summary))")
        } catch {
            throw UsageError("\(source): \(error)", remedy: error.remedy)
        }
    }

    private static func check(_ table: [String: ConfigTree], has known: [String]) throws {
        guard let key = table.keys.sorted().first(where: { !known.contains($0) }) else { return }
        throw UsageError.unknown("key", key, among: known)
    }

    /// Number of runs.
    package var runCount: Int { configurations * seeds.count }

    private var configurations: Int { models.count * max(variants.count, 1) }

    private static let mostRuns = 100_000

    private func check() throws {
        guard !models.isEmpty, !seeds.isEmpty else {
            throw UsageError("an experiment needs at least one model and one seed")
        }
        // Resolves aliases, which name the same model.
        let models = try models.map { try ModelSpec.named($0).name }
        let variantNames = variants.map(\.name)
        for (kind, words) in [("model", models), ("seed", seeds.map(String.init)), ("variant", variantNames)]
        {
            try UsageError.checkUnique(words, kind: kind)
        }
        let (count, isTooMany) = configurations.multipliedReportingOverflow(by: seeds.count)
        guard !isTooMany, count <= Self.mostRuns else {
            throw UsageError("an experiment has at most \(Self.mostRuns) runs; split it into several")
        }
        // Names become folder names.
        for name in variantNames + [name] where name.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9_-]*/) == nil {
            throw UsageError(
                "'\(name)' is not a valid name for an experiment or a variant; use letters, digits, - and _")
        }
        for overlay in [ConfigOverlay(source: "settings", tree: settings)] + overlays().map(\.overlay) {
            for key in ["model", "seed"] where overlay.settings[key] != nil {
                throw UsageError("\(key) does not belong under settings; list it under \(key)s")
            }
        }
    }

    /// The overlay of each variant; a single unnamed one if there are no variants.
    private func overlays() -> [(variant: String?, overlay: ConfigOverlay)] {
        guard !variants.isEmpty else { return [(nil, ConfigOverlay(source: "settings", tree: settings))] }
        return variants.map { variant in
            (
                variant.name,
                ConfigOverlay(source: "variant \(variant.name)", tree: variant.settings ?? .table([:]))
            )
        }
    }
}

// MARK: - Runs

/// One run of an experiment and its configuration.
package struct PlannedRun: Sendable, Equatable {
    package let model: String
    package let variant: String?
    package let seed: UInt64
    package let config: RunConfig

    /// The name of the runs that are averaged over seeds: "basic_r18", "basic_r18-only-tens".
    package var group: String { ([model] + [variant].compactMap { $0 }).joined(separator: "-") }

    /// The folder name: "basic_r18-42", "basic_r18-only-tens-42".
    package var id: String { "\(group)-\(seed)" }
}

extension Experiment {
    /// All runs, ordered by seed first, so that every model has early results.
    ///
    /// - Throws: `UsageError` that names an invalid setting.
    package func runs() throws -> [PlannedRun] {
        let common = ConfigOverlay(source: "settings", tree: settings)
        var runs: [PlannedRun] = []
        for seed in seeds {
            for model in models {
                for (variant, overlay) in overlays() {
                    var config = try RunConfig(overlays: variant == nil ? [overlay] : [common, overlay])
                    config.model = try ModelSpec.named(model).name
                    config.seed = seed
                    try config.validate()
                    runs.append(PlannedRun(model: config.model, variant: variant, seed: seed, config: config))
                }
            }
        }
        return runs
    }

    /// Adds settings for all runs. If they set `published`, the model set `all` becomes the study's
    /// models.
    ///
    /// - Throws: `UsageError` if a variant sets the same key, because the variant would silently
    ///   win, or if `published` meets models that are not in the study.
    package func overlaid(with overlays: [ConfigOverlay]) throws -> Experiment {
        var copy = self
        for overlay in overlays {
            for (key, value) in overlay.settings {
                for variant in variants {
                    let own = ConfigOverlay(source: "", tree: variant.settings ?? .table([:]))
                    if own.settings[key] != nil {
                        throw UsageError(
                            "\(overlay.source): the variants of \(name) set \(key) themselves; leave it out")
                    }
                }
                copy.settings.set(value, at: key.components(separatedBy: "."))
            }
        }
        if copy.settings.value(at: ["published"]) == .bool(true) {
            if copy.models == Self.sets["all"] { copy.models = ModelSpec.study.map(\.name) }
            let strangers = try copy.models.filter { try ModelSpec.named($0).notPublished != nil }
            guard strangers.isEmpty else {
                throw UsageError(
                    "not in the study: \(strangers.joined(separator: ", ")); name other models, or leave out published"
                )
            }
        }
        try copy.check()
        return copy
    }
}

extension Experiment {
    /// This experiment plus the models, seeds and variants of another. Settings come from the
    /// other; the caller checks that its runs agree with the existing ones.
    func grown(by other: Experiment) -> Experiment {
        var grown = other
        grown.models = models + other.models.filter { !models.contains($0) }
        grown.seeds = seeds + other.seeds.filter { !seeds.contains($0) }
        grown.variants =
            variants + other.variants.filter { new in !variants.contains { $0.name == new.name } }
        return grown
    }
}

extension Experiment {
    /// A shipped experiment by name, or an experiment file by path.
    ///
    /// - Throws: `UsageError` that lists close matches or says what is wrong in the file.
    package static func named(_ word: String) throws -> Experiment {
        if let shipped = ShippedExperiment.find(word) { return shipped.experiment }
        guard FileManager.default.fileExists(atPath: word) else {
            throw UsageError.unknown(
                "experiment or file", word, among: ShippedExperiment.names, remedy: ShippedExperiment.remedy)
        }
        do {
            return try Experiment(
                yaml: String(contentsOf: URL(fileURLWithPath: word), encoding: .utf8), source: word)
        } catch let error as UsageError {
            throw error
        } catch {
            throw FileError(word, doing: "read the experiment", error: error)
        }
    }
}
