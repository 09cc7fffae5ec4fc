import Foundation
import Jersey

/// One source of settings: dotted paths and values.
package struct ConfigOverlay: Sendable {
    /// The source's name in errors.
    package let source: String
    package let settings: [String: ConfigTree]
    /// The original text of settings that were given as single words.
    let texts: [String: String]

    package init(source: String, settings: [String: ConfigTree]) {
        self.source = source
        self.settings = settings
        texts = [:]
    }

    /// Settings in nested tables: `{"training": {"epochs": 5}}`.
    package init(source: String, tree: ConfigTree) {
        var settings: [String: ConfigTree] = [:]
        // A heading without settings sets nothing.
        for leaf in tree.leaves where leaf.value != .null || Setting.find(leaf.path) != nil {
            settings[leaf.path] = leaf.value
        }
        self.init(source: source, settings: settings)
    }

    /// The model and input of a weight file. Contains only settings that differ from the defaults.
    ///
    /// - Parameter word: a file, or the bundled model's name.
    /// - Throws: the errors of `Checkpoint`.
    package init(startingFrom word: String) throws {
        let card = try Checkpoint(named: word).card
        var config = RunConfig()
        config.model = card.spec.name
        config.data.input = card.input
        if try ModelSpec.named(card.spec.name).encoder != card.spec.encoder {
            config.encoder = card.spec.encoder
        }
        if let hidden = card.spec.temporal?.hidden { config.hidden = hidden }
        let changed = Setting.all.filter { !$0.isSame(in: config, and: RunConfig()) }
        self.init(
            source: word,
            settings: Dictionary(uniqueKeysWithValues: changed.map { ($0.key, $0.value(in: config)) }))
    }

    private init(source: String, texts: [String: String]) {
        self.source = source
        self.texts = texts
        settings = texts.mapValues { (try? ConfigTree(yaml: $0)) ?? .string($0) }
    }

    /// A YAML or JSON file (JSON is YAML).
    ///
    /// - Throws: `FileError` if it cannot be read or parsed.
    package init(file: URL) throws {
        let data: Data
        do {
            data = try Data(wholeFile: file.path)
        } catch {
            throw FileError(file.path, doing: "read the configuration", error: error)
        }
        guard let text = String(data: data, encoding: .utf8) else {
            throw FileError(file.path, "is neither YAML nor JSON: it is not UTF-8 text")
        }
        do {
            let tree = try ConfigTree(yaml: text)
            guard case .table = tree else { throw FileError(file.path, "is not a table of keys and values") }
            self.init(source: file.path, tree: tree)
        } catch let error as FileError {
            throw error
        } catch {
            throw FileError(file.path, "is neither YAML nor JSON: \(error)")
        }
    }

    /// Variables such as `JERSEY_TRAINING_BATCH_SIZE` for `training.batchSize`.
    package init(environment: [String: String]) {
        var texts: [String: String] = [:]
        for setting in Setting.all { texts[setting.key] = environment[setting.variable] }
        self.init(source: "the environment", texts: texts)
    }

    /// Settings as `key=value` words.
    ///
    /// - Throws: `UsageError` if one has no "=".
    package init(assignments: [String]) throws {
        var texts: [String: String] = [:]
        for word in assignments {
            guard let equals = word.firstIndex(of: "=") else {
                throw UsageError("--set needs key=value, such as training.epochs=5, not '\(word)'")
            }
            texts[String(word[..<equals])] = String(word[word.index(after: equals)...])
        }
        self.init(source: "--set", texts: texts)
    }
}

extension RunConfig {
    /// The defaults with `overlays` applied in order.
    ///
    /// - Throws: `UsageError` that names the source and the key if the key is unknown or the value
    ///   has the wrong type.
    package init(overlays: [ConfigOverlay]) throws {
        self.init()
        for overlay in overlays {
            for (key, value) in overlay.settings.sorted(by: { $0.key < $1.key }) {
                do {
                    let setting = try Setting.named(key)
                    do {
                        try setting.set(value, in: &self)
                    } catch {
                        // The value may be text that looks like a number, such as a folder named
                        // 2024.
                        guard let text = overlay.texts[key],
                            (try? setting.set(.string(text), in: &self)) != nil
                        else {
                            throw error
                        }
                    }
                } catch {
                    throw UsageError("\(overlay.source): \(error)", remedy: error.remedy)
                }
            }
        }
    }
}
