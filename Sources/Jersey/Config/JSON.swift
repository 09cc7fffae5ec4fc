import Foundation

/// JSON as all our files and outputs have it: keys in order, slashes as they are.
public enum JSON {
    /// Over several lines, for people.
    ///
    /// - Parameter snakeCase: writes `trackId` as "track_id".
    public static func readable(_ value: some Encodable, snakeCase: Bool = false) throws -> Data {
        let encoder = encoder([.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
        if snakeCase { encoder.keyEncodingStrategy = .convertToSnakeCase }
        return try encoder.encode(value) + Data("\n".utf8)
    }

    /// On one line, for programs.
    public static func line(_ value: some Encodable) throws -> Data {
        try encoder([.sortedKeys, .withoutEscapingSlashes]).encode(value)
    }

    public static func text(_ data: Data) -> String { String(decoding: data, as: UTF8.self) }

    private static func encoder(_ formatting: JSONEncoder.OutputFormatting) -> JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = formatting
        // A loss before the first epoch is infinite.
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return encoder
    }

    public static func decoded<Value: Decodable>(_ type: Value.Type = Value.self, from data: Data) throws -> Value {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return try decoder.decode(type, from: data)
    }
}
