import Foundation
import Hummingbird
import Jersey

/// JSON that comes from strangers.
enum JSONBody {
    /// - Throws: `ServiceError` that names the field and what was expected there.
    static func decoded<Value: Decodable>(_ type: Value.Type, from body: Data, depth limit: Int) throws -> Value {
        // The decoder would also take UTF-16, in which nothing is counted rightly. All of that has zero bytes, and UTF-8 has none.
        guard !body.withUnsafeBytes({ $0.contains(0) }) else {
            throw ServiceError(.badRequest, "the JSON has zero bytes; send it as UTF-8")
        }
        let shape = JSONShape(body)
        guard shape.depth <= limit else {
            throw ServiceError(.badRequest, "the JSON has more than \(limit) lists and objects within each other; flatten it")
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

    /// The decoder takes tens of bytes for each, whatever is made of them; no request needs so many.
    private static let mostValues = 100_000
}

/// How much there is in a JSON text, counted before it is decoded: Foundation's decoder goes by recursion with a limit of its own, much
/// higher and not to be set. The counts say nothing of what is no JSON, which the decoder refuses.
struct JSONShape: Equatable {
    /// Lists and objects within each other.
    private(set) var depth = 0
    /// At least so many: commas, lists and objects.
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
