import Foundation
import Jersey
import Yams

/// A configuration as a tree of plain values. Files, the environment and flags override it in that
/// order.
///
/// swift-configuration only reads the keys that the program asks for, and ignores others. Here a
/// misspelt key must be an error, and the resolved configuration must be a `Codable` value that can
/// be saved.
package indirect enum ConfigTree: Codable, Sendable, Equatable {
    case null
    case bool(Bool)
    case int(Int)
    case number(Double)
    case string(String)
    case list([ConfigTree])
    case table([String: ConfigTree])

    package init(from decoder: any Decoder) throws {
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
            self = .table(
                Dictionary(
                    try value.map { ("\($0.key)", try ConfigTree($0.value)) }, uniquingKeysWith: { $1 }))
        default: throw UsageError("'\(value)' is not a value for a configuration")
        }
    }

    /// Parses YAML (or JSON, a subset of YAML) with YAML's typing rules: a quoted "07" is text.
    ///
    /// - Throws: the parser's message in one line.
    package init(yaml text: String) throws {
        do {
            guard let node = try Yams.compose(yaml: text) else {
                self = .table([:])
                return
            }
            // Nested aliases can expand a few lines to more values than memory can hold.
            var rest = text.utf8.count + 10_000
            try Self.check(node, &rest)
            self = try ConfigTree(node.any)
        } catch YamlError.scanner(_, let problem, let mark, _), YamlError.parser(_, let problem, let mark, _),
            YamlError.composer(_, let problem, let mark, _)
        {
            throw UsageError("line \(mark.line), column \(mark.column): \(problem)")
        }
    }

    /// - Parameter rest: the number of values still allowed. It is reduced by the values in `node`.
    /// - Throws: `UsageError` if there are too many values, or a key is not a scalar, at which the
    ///   library would trap.
    private static func check(_ node: Node, _ rest: inout Int) throws {
        rest -= 1
        guard rest >= 0 else { throw UsageError("its aliases (*) expand to too many values") }
        switch node {
        case .mapping(let mapping):
            for (key, value) in mapping {
                guard case .scalar = key else {
                    throw UsageError(
                        "line \(key.mark?.line ?? 0): a key must be a word, not a list or a table")
                }
                rest -= 1
                try check(value, &rest)
            }
        case .sequence(let sequence): for value in sequence { try check(value, &rest) }
        default: break
        }
    }

    /// Converts a value to a tree.
    init(encoding value: some Encodable) throws {
        self = try JSONDecoder().decode(ConfigTree.self, from: JSONEncoder().encode(value))
    }

    /// Decodes the tree as `type`. The type must reject unknown keys itself.
    package func decoded<Value: Decodable>(as type: Value.Type) throws -> Value {
        try JSONDecoder().decode(type, from: JSONEncoder().encode(self))
    }

    package func encode(to encoder: any Encoder) throws {
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

    /// The value as one line of JSON.
    package var displayText: String { (try? JSON.text(JSON.line(self))) ?? "\(self)" }

    /// All values that are not tables, with their paths, such as "training.epochs".
    var leaves: [(path: String, value: ConfigTree)] {
        guard case .table(let table) = self else { return [("", self)] }
        return table.flatMap { key, value in
            value.leaves.map { ($0.path.isEmpty ? key : key + "." + $0.path, $0.value) }
        }
    }

    package func value(at path: some Collection<String>) -> ConfigTree? {
        guard let key = path.first else { return self }
        guard case .table(let table) = self else { return nil }
        return table[key]?.value(at: path.dropFirst())
    }

    package mutating func set(_ value: ConfigTree, at path: some Collection<String>) {
        guard let key = path.first else {
            self = value
            return
        }
        var table: [String: ConfigTree] = if case .table(let table) = self { table } else { [:] }
        table[key, default: .table([:])].set(value, at: path.dropFirst())
        self = .table(table)
    }

    /// Removes the value at `path`, and enclosing tables that become empty.
    package mutating func remove(at path: some Collection<String>) {
        guard let key = path.first, case .table(var table) = self else { return }
        table[key]?.remove(at: path.dropFirst())
        if path.count == 1 || table[key] == .table([:]) { table[key] = nil }
        self = .table(table)
    }
}
