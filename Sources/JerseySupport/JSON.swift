import Foundation

/// JSON as all our files and outputs have it: keys in order, slashes as they are.
///
/// Files that are read again have the keys that their types declare. What is written for other programs has snake_case keys, by
/// `output`.
package enum JSON {
    /// Over several lines, with the keys that the type declares.
    package static func readable(_ value: some Encodable) throws -> Data {
        try readable.encode(value) + Data("\n".utf8)
    }

    /// Over several lines, for other programs: `trackId` becomes "track_id". Keys of dictionaries stay as they are.
    package static func output(_ value: some Encodable) throws -> Data {
        let encoder = readable
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return try encoder.encode(value) + Data("\n".utf8)
    }

    /// On one line, with the keys that the type declares.
    package static func line(_ value: some Encodable) throws -> Data {
        try encoder([.sortedKeys, .withoutEscapingSlashes]).encode(value)
    }

    package static func text(_ data: Data) -> String { String(decoding: data, as: UTF8.self) }

    private static var readable: JSONEncoder { encoder([.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]) }

    private static func encoder(_ formatting: JSONEncoder.OutputFormatting) -> JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = formatting
        // A loss before the first epoch is infinite.
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return encoder
    }

    package static func decoded<Value: Decodable>(_ type: Value.Type = Value.self, from data: Data) throws -> Value {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        let value = try decoder.decode(type, from: data)
        try (value as? any Checked)?.check([])
        return value
    }
}

/// What is decoded from files that anyone, or a bad disk, may have changed: of the right types, but perhaps with numbers that nothing of ours
/// writes. `JSON.decoded` looks at it, so that whoever uses the values need not.
package protocol Checked {
    /// What none of ours has, as in "a count of -1"; nil where all is well.
    var validationError: String? { get }
}

extension Checked {
    /// - Throws: `DecodingError` that names it.
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

    package func validationError(of values: [Double], _ name: String, in limits: ClosedRange<Double>) -> String? {
        // What is no number is in no range.
        values.first { !(limits ~= $0) }.map { "\(name) \($0)" }
    }
}

/// What numbers in our files may be.
package enum Limits {
    /// The most frames, sequences, epochs or steps: sums and products of a few do not overflow.
    package static let count = 1 << 40
    package static let finite = -1e30...1e30
    /// A century.
    package static let seconds = 0...3.2e9
}
