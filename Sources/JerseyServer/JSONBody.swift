import Foundation
import Hummingbird
import Jersey

/// JSON from clients.
enum JSONBody {
    /// - Throws: `ServiceError` that names the field and the expected type.
    static func decoded<Value: Decodable>(_ type: Value.Type, from body: Data, depth limit: Int) throws
        -> Value
    {
        // The decoder also accepts UTF-16, for which the counts below would be wrong. UTF-16 has
        // zero bytes; UTF-8 has none.
        guard !body.withUnsafeBytes({ $0.contains(0) }) else {
            throw ServiceError(.badRequest, "the JSON has zero bytes; send it as UTF-8")
        }
        let shape = JSONShape(body)
        guard shape.depth <= limit else {
            throw ServiceError(.badRequest, "the JSON is nested more than \(limit) levels deep; flatten it")
        }
        guard shape.values <= mostValues else {
            throw ServiceError(.contentTooLarge, "the JSON has more than \(mostValues) values; send less")
        }
        do {
            return try JSONDecoder().decode(type, from: body)
        } catch let error as DecodingError {
            throw ServiceError(.badRequest, "the JSON is not as expected: \(error.summary)")
        }
    }

    /// The decoder allocates tens of bytes per value. No request needs this many.
    private static let mostValues = 100_000
}

/// The size of a JSON text, counted before decoding. Foundation's decoder recurses up to its own
/// limit, which is much higher and fixed. The counts mean nothing for invalid JSON, which the
/// decoder refuses.
struct JSONShape: Equatable {
    /// Levels of nested lists and objects.
    private(set) var depth = 0
    /// A lower bound: commas, lists and objects.
    private(set) var values = 0

    init(_ text: Data) {
        var open = 0
        var isText = false
        var isEscaped = false
        text.withUnsafeBytes { bytes in
            for byte in bytes {
                if isText {
                    if isEscaped {
                        isEscaped = false
                    } else if byte == UInt8(ascii: "\\") {
                        isEscaped = true
                    } else if byte == UInt8(ascii: "\"") {
                        isText = false
                    }
                    continue
                }
                switch byte {
                case UInt8(ascii: "\""): isText = true
                case UInt8(ascii: "["), UInt8(ascii: "{"):
                    open += 1
                    values += 1
                    depth = max(depth, open)
                case UInt8(ascii: "]"), UInt8(ascii: "}"): open -= 1
                case UInt8(ascii: ","): values += 1
                default: break
                }
            }
        }
    }
}
