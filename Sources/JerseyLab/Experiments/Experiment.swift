import Foundation
import Jersey

/// Models × variants × seeds, with settings for all of them: what an experiment is made of.
///
/// A small YAML file: `name`, `summary`, `models` (names, `study`, or `all`), `seeds`, and where wanted `settings` (as in a run's
/// configuration file) and `variants` (each a `name` and `settings` laid over those).
package struct Experiment: Codable, Sendable, Equatable {
    /// Settings that are compared with those of other variants.
    package struct Variant: Codable, Sendable, Equatable {
        package var name: String
        package var settings: ConfigTree?
    }

    package var name: String
    package var summary: String?
    /// Names of `ModelSpec.all`.
    package var models: [String]
    package var seeds: [UInt64]
    /// Laid over the defaults.
    package var settings: ConfigTree
    /// Empty where there is nothing to compare but models.
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
        // As words first: JSON's decoder says of a number that does not fit only that all is wrong.
        seeds = try container.decode([ConfigTree].self, forKey: .seeds).map { word in
            guard case .int(let seed) = word, seed >= 0 else {
                throw DecodingError.dataCorruptedError(
                    forKey: .seeds, in: container, debugDescription: "needs whole numbers, 0 or more, and not \(word.displayText)"
                )
            }
            return UInt64(seed)
        }
        settings = try container.decodeIfPresent(ConfigTree.self, forKey: .settings) ?? .table([:])
        variants = try container.decodeIfPresent([Variant].self, forKey: .variants) ?? []
    }

    /// Words that stand for several models.
    private static let sets = ["all": ModelSpec.all.map(\.name), "study": ModelSpec.study.map(\.name)]

    /// - Parameter source: what errors call the text.
    /// - Throws: `UsageError` that names the source and the key.
    package init(yaml text: String, source: String) throws {
        do {
            let tree = try ConfigTree(yaml: text)
            guard case .table(let table) = tree else { throw UsageError("does not hold keys and values") }
            try Self.check(table, has: CodingKeys.allCases.map(\.rawValue))
            if case .list(let variants) = table["variants"] {
                for case .table(let variant) in variants { try Self.check(variant, has: ["name", "settings"]) }
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

    /// How many runs it has.
    package var runCount: Int { configurations * seeds.count }

    private var configurations: Int { models.count * max(variants.count, 1) }

    private static let mostRuns = 100_000

    private func check() throws {
        guard !models.isEmpty, !seeds.isEmpty else { throw UsageError("an experiment needs at least one model and one seed") }
        // An older name is the same model.
        let models = try models.map { try ModelSpec.named($0).name }
        let variantNames = variants.map(\.name)
        for (kind, words) in [("model", models), ("seed", seeds.map(String.init)), ("variant", variantNames)] {
            try UsageError.checkUnique(words, kind: kind)
        }
        let (count, isTooMany) = configurations.multipliedReportingOverflow(by: seeds.count)
        guard !isTooMany, count <= Self.mostRuns else {
            throw UsageError("an experiment has at most \(Self.mostRuns) runs; make several of it")
        }
        // Names become names of folders.
        for name in variantNames + [name] where name.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9_-]*/) == nil {
            throw UsageError("'\(name)' is no name for an experiment or a variant; use letters, digits, - and _")
        }
        for overlay in [ConfigOverlay(source: "settings", tree: settings)] + overlays().map(\.overlay) {
            for key in ["model", "seed"] where overlay.settings[key] != nil {
                throw UsageError("\(key) does not go under settings; it is named under \(key)s")
            }
        }
    }

    /// The overlays of each variant; one without a name where there are none.
    private func overlays() -> [(variant: String?, overlay: ConfigOverlay)] {
        guard !variants.isEmpty else { return [(nil, ConfigOverlay(source: "settings", tree: settings))] }
        return variants.map { variant in
            (variant.name, ConfigOverlay(source: "variant \(variant.name)", tree: variant.settings ?? .table([:])))
        }
    }
}

// MARK: - Runs

/// One run of an experiment: which, and with what settings.
package struct PlannedRun: Sendable, Equatable {
    package let model: String
    package let variant: String?
    package let seed: UInt64
    package let config: RunConfig

    /// What is averaged over seeds: "basic_r18", "basic_r18-only-tens".
    package var group: String { ([model] + [variant].compactMap { $0 }).joined(separator: "-") }

    /// Name of its folder: "basic_r18-42", "basic_r18-only-tens-42".
    package var id: String { "\(group)-\(seed)" }
}

extension Experiment {
    /// All runs, seed by seed, so that an early look sees every model.
    ///
    /// - Throws: `UsageError` that names a wrong setting.
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

    /// Lays more settings over those that all runs share. All models become the study's where they are to do as the study did.
    ///
    /// - Throws: `UsageError` when a variant sets the same key, which would silently win, or names the models that the study has nothing
    ///   like.
    package func overlaid(with overlays: [ConfigOverlay]) throws -> Experiment {
        var copy = self
        for overlay in overlays {
            for (key, value) in overlay.settings {
                for variant in variants {
                    let own = ConfigOverlay(source: "", tree: variant.settings ?? .table([:]))
                    if own.settings[key] != nil {
                        throw UsageError("\(overlay.source): \(key) is what the variants of \(name) differ in; leave it out")
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
                    "the study has nothing like \(strangers.joined(separator: " and ")); name other models, or leave out published"
                )
            }
        }
        try copy.check()
        return copy
    }
}

extension Experiment {
    /// This one with the models, seeds and variants of another as well. The settings are the other's, whose runs are checked to
    /// agree with those that are there.
    func grown(by other: Experiment) -> Experiment {
        var grown = other
        grown.models = models + other.models.filter { !models.contains($0) }
        grown.seeds = seeds + other.seeds.filter { !seeds.contains($0) }
        grown.variants = variants + other.variants.filter { new in !variants.contains { $0.name == new.name } }
        return grown
    }
}

extension Experiment {
    /// A shipped experiment by its name, or one in a file.
    ///
    /// - Throws: `UsageError` that names close matches, or what is wrong in the file.
    package static func named(_ word: String) throws -> Experiment {
        if let shipped = ShippedExperiment.find(word) { return shipped.experiment }
        guard FileManager.default.fileExists(atPath: word) else {
            throw UsageError.unknown(
                "experiment or file", word, among: ShippedExperiment.names, remedy: ShippedExperiment.remedy)
        }
        do {
            return try Experiment(yaml: String(contentsOf: URL(fileURLWithPath: word), encoding: .utf8), source: word)
        } catch let error as UsageError {
            throw error
        } catch {
            throw FileError(word, doing: "read the experiment", error: error)
        }
    }
}
