import Foundation

extension DecodingError {
    /// Where decoding failed and why, in a few words.
    package var summary: String {
        let context: Context? =
            switch self {
            case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context),
                .dataCorrupted(let context):
                context
            @unknown default: nil
            }
        var keys = context?.codingPath.map { $0.intValue.map { "entry \($0 + 1)" } ?? $0.stringValue } ?? []
        if case .keyNotFound(let key, _) = self { keys.append(key.stringValue) }
        let place = keys.isEmpty ? "" : keys.joined(separator: ", ") + ": "
        let reason: String? =
            switch self {
            case .typeMismatch(let type, _), .valueNotFound(let type, _): "needs \(Self.name(of: type))"
            case .keyNotFound: "is missing"
            default: context?.debugDescription
            }
        return place + (reason ?? "malformed")
    }

    /// The plain English name of a type.
    private static func name(of type: any Any.Type) -> String {
        switch type {
        case is String.Type: "text"
        case is Bool.Type: "true or false"
        case is any UnsignedInteger.Type: "a whole number, 0 or more"
        case is any BinaryInteger.Type: "a whole number"
        case is any BinaryFloatingPoint.Type: "a number"
        case is [Any].Type: "a list"
        default: "keys and values"
        }
    }
}
