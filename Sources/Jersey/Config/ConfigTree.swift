import Foundation
import Torch
import Yams

/// Configuration as a tree of plain values, on which files, the environment and flags lay their words: file < environment < flags.
///
/// swift-configuration reads keys that the program asks for, and is silent about those that nobody asks for; a misspelt key must
/// be an error here, and the resolved configuration must be a `Codable` value that can be saved. Hence this little type.
public indirect enum ConfigTree: Codable, Sendable, Equatable {
    case null
    case bool(Bool)
    case int(Int)
    case number(Double)
    case string(String)
    case list([ConfigTree])
    case table([String: ConfigTree])

    public init(from decoder: any Decoder) throws {
        if let table = try? [String: ConfigTree](from: decoder) {
            self = .table(table)
        } else if let list = try? [ConfigTree](from: decoder) {
            self = .list(list)
        } else {
            let value = try decoder.singleValueContainer()
            if value.decodeNil() {
                self = .null
            } else if let bool = try? value.decode(Bool.self) {
                self = .bool(bool)
            } else if let int = try? value.decode(Int.self) {
                self = .int(int)
            } else if let number = try? value.decode(Double.self) {
                self = .number(number)
            } else {
                self = .string(try value.decode(String.self))
            }
        }
    }

    fileprivate init(_ value: Any) throws {
        switch value {
        case is NSNull: self = .null
        case let value as Bool: self = .bool(value)
        case let value as Int: self = .int(value)
        case let value as Double: self = .number(value)
        case let value as String: self = .string(value)
        case let value as [Any]: self = .list(try value.map(ConfigTree.init))
        case let value as [AnyHashable: Any]:
            self = .table(Dictionary(try value.map { ("\($0.key)", try ConfigTree($0.value)) }, uniquingKeysWith: { $1 }))
        default: throw UsageError("'\(value)' is not a value for a configuration")
        }
    }

    /// YAML (or JSON, which is YAML) by its own rules: a quoted "07" stays a word.
    ///
    /// - Throws: what the parser says, in one line.
    public init(yaml text: String) throws {
        do {
            guard let node = try Yams.compose(yaml: text) else {
                self = .table([:])
                return
            }
            // An alias stands for all that its anchor has: a few lines of them can stand for more than any memory holds.
            var rest = text.utf8.count + 10_000
            guard Self.fits(node, in: &rest) else { throw UsageError("its aliases (*) stand for far more than it holds") }
            self = try ConfigTree(node.any)
        } catch YamlError.scanner(_, let problem, let mark, _), YamlError.parser(_, let problem, let mark, _),
            YamlError.composer(_, let problem, let mark, _)
        {
            throw UsageError("line \(mark.line), column \(mark.column): \(problem)")
        }
    }

    /// Whether there are no more values than `rest`, which is less by them afterwards.
    private static func fits(_ node: Node, in rest: inout Int) -> Bool {
        rest -= 1
        guard rest >= 0 else { return false }
        switch node {
        case .mapping(let mapping): return mapping.allSatisfy { fits($0.key, in: &rest) && fits($0.value, in: &rest) }
        case .sequence(let sequence): return sequence.allSatisfy { fits($0, in: &rest) }
        default: return true
        }
    }

    /// The tree as a value of `type`; its keys are checked by whoever defines them.
    public func decoded<Value: Decodable>(as type: Value.Type) throws -> Value {
        try JSONDecoder().decode(type, from: JSONEncoder().encode(self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .int(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .list(let value): try container.encode(value)
        case .table(let value): try container.encode(value)
        }
    }

    /// All values that are not tables, and their paths: "training.epochs".
    var leaves: [(path: String, value: ConfigTree)] {
        guard case .table(let table) = self else { return [("", self)] }
        return table.flatMap { key, value in value.leaves.map { ($0.path.isEmpty ? key : key + "." + $0.path, $0.value) } }
    }

    package func value(at path: some Collection<String>) -> ConfigTree? {
        guard let key = path.first else { return self }
        guard case .table(let table) = self else { return nil }
        return table[key]?.value(at: path.dropFirst())
    }

    public mutating func set(_ value: ConfigTree, at path: some Collection<String>) {
        guard let key = path.first else {
            self = value
            return
        }
        var table: [String: ConfigTree] = if case .table(let table) = self { table } else { [:] }
        table[key, default: .table([:])].set(value, at: path.dropFirst())
        self = .table(table)
    }

    /// Removes what is there, and the tables around it that become empty.
    public mutating func remove(at path: some Collection<String>) {
        guard let key = path.first, case .table(var table) = self else { return }
        table[key]?.remove(at: path.dropFirst())
        if path.count == 1 || table[key] == .table([:]) { table[key] = nil }
        self = .table(table)
    }
}

// MARK: - Overlays

/// One source of settings: dotted paths and values.
public struct ConfigOverlay: Sendable {
    /// What errors call the source.
    public let source: String
    public let settings: [String: ConfigTree]
    /// Settings as they were written, where they came as single words.
    let texts: [String: String]

    public init(source: String, settings: [String: ConfigTree]) {
        self.source = source
        self.settings = settings
        texts = [:]
    }

    /// Settings in nested tables: `{"training": {"epochs": 5}}`.
    public init(source: String, tree: ConfigTree) {
        var settings: [String: ConfigTree] = [:]
        // A heading with nothing under it sets nothing.
        for leaf in tree.leaves where leaf.value != .null || RunConfig.keys.contains(leaf.path) {
            settings[leaf.path] = leaf.value
        }
        self.init(source: source, settings: settings)
    }

    /// What weights to start from say of themselves: the model, and the frames that it takes.
    ///
    /// - Parameter word: a file, or the bundled model's word.
    /// - Throws: what `Checkpoint` throws.
    public init(startingFrom word: String) throws {
        let card = try Checkpoint(named: word).card
        var settings: [String: ConfigTree] = [
            "model": .string(card.spec.name), "data.height": .int(card.height), "data.width": .int(card.width),
            "data.maximumFrames": .int(card.maximumFrames),
            "data.wholePlayers": .string((card.wholePlayers ?? .whole).rawValue),
        ]
        if try ModelSpec.named(card.spec.name).encoder != card.spec.encoder {
            settings["encoder"] = .string(card.spec.encoder.rawValue)
        }
        if let hidden = card.spec.temporal?.hidden { settings["hidden"] = .int(hidden) }
        self.init(source: word, settings: settings)
    }

    private init(source: String, texts: [String: String]) {
        self.source = source
        self.texts = texts
        settings = texts.mapValues { (try? ConfigTree(yaml: $0)) ?? .string($0) }
    }

    /// A YAML or JSON file (JSON is YAML).
    ///
    /// - Throws: `FileError` when it cannot be read or parsed.
    public init(file: URL) throws {
        let data: Data
        do {
            data = try Data(wholeFile: file.path)
        } catch {
            throw FileError(file.path, doing: "read the configuration", error: error)
        }
        guard let text = String(data: data, encoding: .utf8) else {
            throw FileError(file.path, "is neither YAML nor JSON, but no text at all")
        }
        do {
            let tree = try ConfigTree(yaml: text)
            guard case .table = tree else { throw FileError(file.path, "does not hold keys and values") }
            self.init(source: file.path, tree: tree)
        } catch let error as FileError {
            throw error
        } catch {
            throw FileError(file.path, "is neither YAML nor JSON: \(error)")
        }
    }

    /// Variables such as `JERSEY_TRAINING_BATCH_SIZE` for `training.batchSize`.
    public init(environment: [String: String]) {
        var texts: [String: String] = [:]
        for key in RunConfig.keys { texts[key] = environment[Self.variable(for: key)] }
        self.init(source: "the environment", texts: texts)
    }

    /// `key=value` words.
    ///
    /// - Throws: `UsageError` when one has no "=".
    public init(assignments: [String]) throws {
        var texts: [String: String] = [:]
        for word in assignments {
            guard let equals = word.firstIndex(of: "=") else {
                throw UsageError("--set needs key=value, such as training.epochs=5, and not '\(word)'")
            }
            texts[String(word[..<equals])] = String(word[word.index(after: equals)...])
        }
        self.init(source: "--set", texts: texts)
    }

    public static func variable(for key: String) -> String {
        "JERSEY_" + key.map { $0 == "." ? "_" : $0.isUppercase ? "_\($0)" : $0.uppercased() }.joined()
    }

}

extension RunConfig {
    /// Dotted paths of every setting.
    public static let keys: [String] = {
        // Settings without a default would be missing from the defaults; here every one has a value.
        var full = RunConfig()
        full.encoder = .resnet18
        full.pretrained = ""
        full.startFrom = ""
        full.data.classes = []
        full.data.splits = ""
        full.data.trainingFrames = 1
        full.data.groupPattern = ""
        full.training.threads = 1
        full.training.saveEverySteps = 1
        return tree(of: full).leaves.map(\.path).sorted()
    }()

    private static func tree(of config: RunConfig) -> ConfigTree {
        guard let data = try? JSONEncoder().encode(config), let tree = try? JSONDecoder().decode(ConfigTree.self, from: data)
        else {
            preconditionFailure("a configuration is always a tree")
        }
        return tree
    }

    /// The defaults with `overlays` laid upon them, first to last.
    ///
    /// - Throws: `UsageError` that names the source and the key that is unknown or has a value of the wrong kind.
    public init(overlays: [ConfigOverlay]) throws {
        var config = RunConfig()
        for overlay in overlays {
            // All at once where all is well; key by key to find the one that is not.
            if overlay.settings.keys.allSatisfy(Self.keys.contains), let whole = try? config.setting(overlay.settings) {
                config = whole
                continue
            }
            for (key, value) in overlay.settings.sorted(by: { $0.key < $1.key }) {
                guard Self.keys.contains(key) else {
                    let error = UsageError.unknown(
                        "setting", key, among: Self.keys, advice: "`jersey train --list-settings` shows them all")
                    throw UsageError("\(overlay.source): \(error.description)")
                }
                do {
                    config = try config.setting([key: value])
                } catch let DecodingError.dataCorrupted(context) {
                    throw UsageError("\(overlay.source): \(key): \(context.debugDescription)")
                } catch {
                    // A folder may be called 2024; the text as it was written tells.
                    if let text = overlay.texts[key], let word = try? config.setting([key: .string(text)]) {
                        config = word
                        continue
                    }
                    throw UsageError(
                        "\(overlay.source): \(key) has a value of the wrong kind: \(value.words); words that look like numbers go in quotes"
                    )
                }
            }
        }
        self = config
    }

    private func setting(_ values: [String: ConfigTree]) throws -> RunConfig {
        var tree = Self.tree(of: self)
        for (key, value) in values { tree.set(value, at: key.components(separatedBy: ".")) }
        return try JSONDecoder().decode(RunConfig.self, from: JSONEncoder().encode(tree))
    }
}

extension RunConfig {
    /// The value of a setting, as JSON; "-" where it has none.
    public func value(of key: String) -> String {
        Self.tree(of: self).value(at: key.components(separatedBy: "."))?.words ?? "-"
    }

    /// A run that is taken up again must be the same run: only what does not change its numbers may differ.
    ///
    /// - Throws: `FileError` that names the first setting that differs.
    public func checkContinues(
        _ saved: RunConfig, path: String, advice: String = "leave the flag out to go on, or begin a new run in another folder"
    ) throws {
        guard let key = firstDifference(from: saved) else { return }
        throw FileError(path, "was begun with \(key) = \(saved.value(of: key)), not \(value(of: key))", advice: advice)
    }

    /// The first setting, by name, in which another run's numbers would differ from this one's; nil where none does.
    public func firstDifference(from other: RunConfig) -> String? {
        let (mine, theirs) = (Self.tree(of: self), Self.tree(of: other))
        return Self.keys.first { key in
            let path = key.components(separatedBy: ".")
            return !Self.machineKeys.contains(key) && mine.value(at: path) != theirs.value(at: path)
        }
    }

    /// Settings that say where and how a run is done, and not what it is.
    public static let machineKeys: Set = [
        "data.path", "data.workers", "data.cacheMegabytes", "training.device", "training.saveEverySteps", "training.threads",
    ]
}

extension ConfigTree {
    /// As JSON has it.
    public var words: String {
        (try? JSONEncoder().encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "\(self)"
    }
}
