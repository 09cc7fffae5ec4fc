import ArgumentParser
import Jersey
import JerseyLab

/// One flag for each setting that has one.
///
/// ArgumentParser finds a type's flags by reflection. These come from the table of settings
/// instead, so the type provides its own mirror with one property per flag, and decodes the same
/// properties.
struct SettingFlags: ParsableArguments, CustomReflectable {
    /// Overlays from the flags, in the order of the table.
    private(set) var overlays: [ConfigOverlay] = []
    /// Values of the flags given, by setting key.
    private(set) var words: [String: String] = [:]

    /// Keys of the settings whose switches are given.
    private var switches: Set<String> = []

    /// Whether the switch of setting `key` is given.
    func isOn(_ key: String) -> Bool { switches.contains(key) }

    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    init() {}

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        for setting in Setting.all {
            guard let flag = setting.flag else { continue }
            let key = Key(stringValue: flag.name)
            if flag.valueName == nil {
                guard try container.decode(Flag<Bool>.self, forKey: key).wrappedValue else { continue }
                switches.insert(setting.key)
                overlays.append(setting.overlay(flag: nil))
            } else if let word = try container.decode(Option<String?>.self, forKey: key).wrappedValue {
                words[setting.key] = word
                overlays.append(setting.overlay(flag: word))
            }
        }
    }

    var customMirror: Mirror {
        Mirror(
            self,
            children: Setting.all.compactMap { setting -> Mirror.Child? in
                setting.flag.map { (label: $0.name, value: Self.property($0, setting)) }
            })
    }

    private static func property(_ flag: Setting.Flag, _ setting: Setting) -> Any {
        let name = NameSpecification.customLong(flag.name)
        guard let valueName = flag.valueName else {
            return Flag<Bool>(wrappedValue: false, name: name, help: ArgumentHelp(setting.meaning))
        }
        let choices = setting.choices.map { " One of: \($0.joined(separator: ", "))." } ?? ""
        return Option<String?>(
            name: name, help: ArgumentHelp(setting.meaning + choices, valueName: valueName))
    }
}

extension ArgumentHelp {
    /// Help for an option of another command that means the same as a setting.
    static func setting(_ key: String, _ valueName: String) -> ArgumentHelp {
        ArgumentHelp(Setting.find(key)?.meaning ?? "", valueName: valueName)
    }
}
