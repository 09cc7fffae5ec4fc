import Jersey
import Torch

/// A type of setting values.
package protocol SettingValue: Codable, Equatable, Sendable {
    /// The type's name for users, such as "a whole number".
    static var valueKind: String { get }
    /// All values, if it is an enumeration; otherwise nil.
    static var choices: [String]? { get }
    /// Parses the value of a command-line flag.
    static func tree(flag word: String) -> ConfigTree
    /// The error for a value of another type.
    static func refusal(of value: ConfigTree, for key: String) -> UsageError
    /// The value as errors show it.
    var displayText: String { get }
}

extension SettingValue {
    package static var choices: [String]? { nil }

    package static func tree(flag word: String) -> ConfigTree {
        (try? ConfigTree(yaml: word)) ?? .string(word)
    }

    package static func refusal(of value: ConfigTree, for key: String) -> UsageError {
        let hint = valueKind.contains("text") ? "; put text that looks like a number in quotes" : ""
        return UsageError(
            "\(key) has a value of the wrong type: \(value.displayText) is not \(valueKind)\(hint)")
    }

    package var displayText: String { "\(self)" }
}

extension Int: SettingValue {
    package static var valueKind: String { "a whole number" }
}

extension UInt64: SettingValue {
    package static var valueKind: String { "a whole number, 0 or more" }
}

extension Double: SettingValue {
    package static var valueKind: String { "a number" }
}

extension Bool: SettingValue {
    package static var valueKind: String { "true or false" }
}

extension String: SettingValue {
    package static var valueKind: String { "text" }
    package static func tree(flag word: String) -> ConfigTree { .string(word) }
}

extension Array: SettingValue where Element: SettingValue {
    package static var valueKind: String { "a list, each item \(Element.valueKind)" }

    /// "4,6,07".
    package static func tree(flag word: String) -> ConfigTree {
        .list(word.split(separator: ",").map { Element.tree(flag: $0.trimmingCharacters(in: .whitespaces)) })
    }
}

extension Optional: SettingValue where Wrapped: SettingValue {
    package static var valueKind: String { Wrapped.valueKind }
    package static var choices: [String]? { Wrapped.choices }
    package static func tree(flag word: String) -> ConfigTree { Wrapped.tree(flag: word) }

    package static func refusal(of value: ConfigTree, for key: String) -> UsageError {
        Wrapped.refusal(of: value, for: key)
    }

    package var displayText: String { map(\.displayText) ?? "not set" }
}

/// A setting value that is one of several words.
package protocol SettingChoice: SettingValue, CaseIterable, RawRepresentable<String> {}

extension SettingChoice {
    package static var valueKind: String { allCases.map(\.rawValue).joined(separator: ", ") }
    package static var choices: [String]? { allCases.map(\.rawValue) }

    package static func tree(flag word: String) -> ConfigTree { .string(word) }

    package static func refusal(of value: ConfigTree, for key: String) -> UsageError {
        let word = if case .string(let word) = value { word } else { value.displayText }
        let error = UsageError.unknown("value", word, among: allCases.map(\.rawValue))
        return UsageError("\(key): \(error)")
    }

    package var displayText: String { rawValue }
}

extension EncoderKind: SettingChoice {
    /// Also accepts the study's names.
    package static func tree(flag word: String) -> ConfigTree {
        .string(EncoderKind.find(word)?.rawValue ?? word)
    }
}
extension WholePlayers: SettingChoice {}
extension OptimizerConfig.Rates: SettingChoice {}
extension OptimizerConfig.Scheduler: SettingChoice {}
extension TrainingConfig.Balance: SettingChoice {}
extension TrainingPrecision: SettingChoice {}
extension Device.Choice: SettingChoice {}
