import Foundation
import Jersey

/// One setting of a run: its property, allowed values and meaning. `Setting.all` lists all
/// settings.
///
/// Checks, `--set`, the environment, flags, `--list-settings` and docs/reference/settings.md use
/// that list. `RunConfig()` holds the defaults.
package struct Setting: Sendable {
    /// Dotted path in a configuration file, such as "training.epochs".
    package let key: String
    package let meaning: String
    /// The allowed values, such as "a whole number" or "1...4096".
    package let allowed: String
    /// All values, if it is an enumeration; otherwise nil.
    package let choices: [String]?
    /// Nil if only `--set` sets it.
    package let flag: Flag?
    /// Whether it affects only where and how a run executes, not its numbers.
    package let isMachineOnly: Bool

    private let read: @Sendable (RunConfig) -> any SettingValue
    private let isSame: @Sendable (RunConfig, RunConfig) -> Bool
    private let write: @Sendable (ConfigTree, inout RunConfig) throws -> Void
    private let checkValue: @Sendable (RunConfig) throws -> Bool
    private let flagTree: @Sendable (String) -> ConfigTree

    /// A setting's command-line flag.
    package struct Flag: Sendable {
        /// The name without dashes.
        package let name: String
        /// The value's name in help; nil for a switch, which flips a Boolean default.
        package let valueName: String?

        /// "--epochs <n>".
        package var usage: String { "--\(name)" + (valueName.map { " <\($0)>" } ?? "") }

        /// - Parameter words: "--epochs <n>", or "--published".
        fileprivate init(_ words: String) {
            let parts = words.drop { $0 == "-" }.split(separator: " ")
            name = String(parts[0])
            valueName = parts.count > 1 ? parts[1].trimmingCharacters(in: ["<", ">"]) : nil
        }
    }

    /// - Parameters:
    ///   - path: the property of `RunConfig` whose coding path is `key`.
    ///   - allowed: the allowed values.
    ///   - flag: the flag as shown in help, such as "--epochs <n>" or "--published".
    ///   - machineOnly: whether changing it leaves the run's numbers unchanged.
    init<Value: SettingValue>(
        _ key: String, _ path: WritableKeyPath<RunConfig, Value> & Sendable,
        in allowed: Allowed<Value> = .any,
        flag: String? = nil, machineOnly: Bool = false, _ meaning: String
    ) {
        self.key = key
        self.meaning = meaning
        self.allowed = allowed.summary ?? Value.valueKind
        choices = Value.choices
        self.flag = flag.map(Flag.init)
        isMachineOnly = machineOnly
        read = { $0[keyPath: path] }
        isSame = { $0[keyPath: path] == $1[keyPath: path] }
        write = { tree, config in
            do {
                config[keyPath: path] = try tree.decoded(as: Value.self)
            } catch {
                throw Value.refusal(of: tree, for: key)
            }
        }
        checkValue = { try allowed.holds($0[keyPath: path]) }
        flagTree = Value.tree(flag:)
    }
}

extension Setting: Catalogued {
    package var name: String { key }
    package var summary: String { meaning }
    package static let kind = "setting"
    package static let remedy: Remedy? = .settingList

    private static let byKey = Dictionary(uniqueKeysWithValues: all.map { ($0.key, $0) })

    package static func find(_ key: String) -> Setting? { byKey[key] }

    /// The components of the key.
    var path: [String] { key.components(separatedBy: ".") }

    /// The environment variable, such as `JERSEY_TRAINING_BATCH_SIZE` for `training.batchSize`.
    package var variable: String {
        "JERSEY_" + key.map { $0 == "." ? "_" : $0.isUppercase ? "_\($0)" : $0.uppercased() }.joined()
    }

    /// Its value in a configuration as JSON; "-" if it is not set.
    package func text(in config: RunConfig) -> String {
        let value = value(in: config)
        return value == .null ? "-" : value.displayText
    }

    /// Its value in a configuration; null if it is not set.
    func value(in config: RunConfig) -> ConfigTree { (try? ConfigTree(encoding: read(config))) ?? .null }

    package func isSame(in one: RunConfig, and other: RunConfig) -> Bool { isSame(one, other) }

    /// - Throws: `UsageError` that names the key if the value has the wrong type.
    func set(_ value: ConfigTree, in config: inout RunConfig) throws { try write(value, &config) }

    /// - Throws: `UsageError` that names the key, its value, and what is allowed.
    func check(_ config: RunConfig) throws {
        guard try checkValue(config) else {
            throw UsageError("\(key) is \(read(config).displayText); it must be \(allowed)")
        }
    }

    /// Rows for help: its key, meaning, values, default, variable and flag.
    package var rows: [[String]] {
        [
            ["setting", key], ["meaning", meaning], ["values", allowed], ["default", text(in: RunConfig())],
            ["environment", variable], ["flag", flag?.usage ?? "--set \(key)=…"],
        ]
    }

    /// The overlay that its flag stands for.
    ///
    /// - Parameter word: the flag's value; nil for a switch.
    package func overlay(flag word: String?) -> ConfigOverlay {
        let opposite = ConfigTree.bool(value(in: RunConfig()) != .bool(true))
        return ConfigOverlay(
            source: "--\(flag?.name ?? key)", settings: [key: word.map(flagTree) ?? opposite])
    }
}
