import ArgumentParser
import Jersey
import JerseyLab

/// A flag for each setting that has one.
///
/// ArgumentParser finds the flags of a type by reflection. They are made from the table of settings, so the type has a mirror of its
/// own that shows one property for each, and it decodes the same properties.
struct SettingFlags: ParsableArguments, CustomReflectable {
    /// What the flags say, in the order of the table.
    private(set) var overlays: [ConfigOverlay] = []
    /// Words behind the flags that are given, by the key of the setting.
    private(set) var words: [String: String] = [:]

    /// The settings whose switches are given.
    private var switches: Set<String> = []

    /// Whether the switch of the setting `key` is given.
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
        return Option<String?>(name: name, help: ArgumentHelp(setting.meaning + choices, valueName: valueName))
    }
}

extension ArgumentHelp {
    /// What a setting means, for options of other commands that are the same.
    static func setting(_ key: String, _ valueName: String) -> ArgumentHelp {
        ArgumentHelp(Setting.find(key)?.meaning ?? "", valueName: valueName)
    }
}
