import Foundation

/// The JSON of all our files and outputs: keys are sorted, slashes are not escaped.
///
/// Files that we read again use the keys that their types declare. Output for other programs has
/// snake_case keys (`output`).
package enum JSON {
    /// Encodes over several lines, with the keys that the type declares.
    package static func readable(_ value: some Encodable) throws -> Data {
        try readable.encode(value) + Data("\n".utf8)
    }

    /// Encodes over several lines for other programs: `trackId` becomes "track_id". Dictionary keys
    /// are unchanged.
    package static func output(_ value: some Encodable) throws -> Data {
        let encoder = readable
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return try encoder.encode(value) + Data("\n".utf8)
    }

    /// Encodes on one line, with the keys that the type declares.
    package static func line(_ value: some Encodable) throws -> Data {
        try encoder([.sortedKeys, .withoutEscapingSlashes]).encode(value)
    }

    package static func text(_ data: Data) -> String { String(decoding: data, as: UTF8.self) }

    private static var readable: JSONEncoder {
        encoder([.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
    }

    private static func encoder(_ formatting: JSONEncoder.OutputFormatting) -> JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = formatting
        // A loss before the first epoch is infinite.
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return encoder
    }

    package static func decoded<Value: Decodable>(_ type: Value.Type = Value.self, from data: Data) throws
        -> Value
    {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        let value = try decoder.decode(type, from: data)
        try (value as? any Checked)?.check([])
        return value
    }
}

/// A value decoded from a file that a user or a bad disk may have changed. Its types are right, but
/// its numbers may be ones that we never write. `JSON.decoded` checks the value, so its users need
/// not.
package protocol Checked {
    /// What is invalid, such as "a count of -1"; nil if the value is valid.
    var validationError: String? { get }
}

extension Checked {
    /// - Throws: `DecodingError` with the `validationError`.
    package func check(_ path: [any CodingKey]) throws {
        if let problem = validationError {
            throw DecodingError.dataCorrupted(.init(codingPath: path, debugDescription: "it has \(problem)"))
        }
    }

    package func validationError(of value: Int, _ name: String, in limits: ClosedRange<Int>) -> String? {
        limits ~= value ? nil : "\(name) \(value)"
    }

    package func validationError(ofCounts counts: KeyValuePairs<String, Int>) -> String? {
        counts.lazy.compactMap { validationError(of: $0.value, $0.key, in: 0...Limits.count) }.first
    }

    package func validationError(of values: [Double], _ name: String, in limits: ClosedRange<Double>)
        -> String?
    {
        // NaN is in no range.
        values.first { !(limits ~= $0) }.map { "\(name) \($0)" }
    }
}

/// Ranges of the numbers in our files.
package enum Limits {
    /// The largest count of frames, sequences, epochs or steps. Sums, and products with small
    /// factors, do not overflow.
    package static let count = 1 << 40
    package static let finite = -1e30...1e30
    /// A century.
    package static let seconds = 0...3.2e9
}
