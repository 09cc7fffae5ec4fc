import Foundation
import Hummingbird
import Jersey

/// JSON that comes from strangers.
enum JSONBody {
    /// - Throws: `ServiceError` that names the field and what was expected there.
    static func decoded<Value: Decodable>(_ type: Value.Type, from body: Data, depth limit: Int) throws -> Value {
        guard depth(of: body) <= limit else {
            throw ServiceError(.badRequest, "the JSON has more than \(limit) lists and objects within each other; flatten it")
        }
        do {
            return try JSONDecoder().decode(type, from: body)
        } catch let error as DecodingError {
            throw ServiceError(.badRequest, "the JSON is not as expected: \(error.briefly)")
        }
    }

    /// How deep lists and objects lie within each other. Foundation's decoder goes by recursion and has a limit of its own, much higher
    /// and not to be set; so brackets outside of strings are counted first.
    static func depth(of body: Data) -> Int {
        var (depth, deepest) = (0, 0)
        var isText = false
        var isEscaped = false
        body.withUnsafeBytes { bytes in
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
                    depth += 1
                    deepest = max(deepest, depth)
                case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
                default: break
                }
            }
        }
        return deepest
    }
}
