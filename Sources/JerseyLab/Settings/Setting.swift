import Foundation
import Jersey

/// One setting of a run: where it is kept, what it may be, and what it means. `Setting.all` is the table of them.
///
/// Checks, `--set`, the environment, flags, `--list-settings` and docs/reference/settings.md come from that table. The defaults are
/// those of `RunConfig()`.
package struct Setting: Sendable {
    /// Dotted path in a configuration file: "training.epochs".
    package let key: String
    package let meaning: String
    /// "a whole number", or what it must be: "1...4096".
    package let allowed: String
    /// All words it can be; nil where they are not a few.
    package let choices: [String]?
    /// Nil where only `--set` reaches it.
    package let flag: Flag?
    /// Says where and how a run is done, and not what it is: the numbers are the same with another value.
    package let isMachineOnly: Bool

    private let read: @Sendable (RunConfig) -> any SettingValue
    private let isSame: @Sendable (RunConfig, RunConfig) -> Bool
    private let write: @Sendable (ConfigTree, inout RunConfig) throws -> Void
    private let checkValue: @Sendable (RunConfig) throws -> Bool
    private let flagTree: @Sendable (String) -> ConfigTree

    /// How the command line names a setting.
    package struct Flag: Sendable {
        /// Without the dashes.
        package let name: String
        /// What help calls the value; nil for a switch, which flips a Boolean default.
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
    ///   - allowed: what its values must be.
    ///   - flag: as help shows it: "--epochs <n>", or "--published".
    ///   - machineOnly: whether the run's numbers stay the same with another value.
    init<Value: SettingValue>(
        _ key: String, _ path: WritableKeyPath<RunConfig, Value> & Sendable, in allowed: Allowed<Value> = .any,
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

    /// Names of the tables around its value, and its own.
    var path: [String] { key.components(separatedBy: ".") }

    /// The environment's name for it: `JERSEY_TRAINING_BATCH_SIZE` for `training.batchSize`.
    package var variable: String {
        "JERSEY_" + key.map { $0 == "." ? "_" : $0.isUppercase ? "_\($0)" : $0.uppercased() }.joined()
    }

    /// Its value in a configuration, as JSON; "-" where it has none.
    package func text(in config: RunConfig) -> String {
        let value = value(in: config)
        return value == .null ? "-" : value.displayText
    }

    /// Null where it has none.
    func value(in config: RunConfig) -> ConfigTree { (try? ConfigTree(encoding: read(config))) ?? .null }

    package func isSame(in one: RunConfig, and other: RunConfig) -> Bool { isSame(one, other) }

    /// - Throws: `UsageError` that names the key, where the value is of the wrong kind.
    func set(_ value: ConfigTree, in config: inout RunConfig) throws { try write(value, &config) }

    /// - Throws: `UsageError` that names the key, its value, and what is allowed.
    func check(_ config: RunConfig) throws {
        guard try checkValue(config) else {
            throw UsageError("\(key) is \(read(config).displayText); it must be \(allowed)")
        }
    }

    /// What there is to know of it: its key, meaning, values, default, and how it is set.
    package var rows: [[String]] {
        [
            ["setting", key], ["meaning", meaning], ["values", allowed], ["default", text(in: RunConfig())],
            ["environment", variable], ["flag", flag?.usage ?? "--set \(key)=…"],
        ]
    }

    /// What its flag says.
    ///
    /// - Parameter word: what stands behind the flag; nil for a switch.
    package func overlay(flag word: String?) -> ConfigOverlay {
        let opposite = ConfigTree.bool(value(in: RunConfig()) != .bool(true))
        return ConfigOverlay(
            source: "--\(flag?.name ?? key)", settings: [key: word.map(flagTree) ?? opposite])
    }
}
