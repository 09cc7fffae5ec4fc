/// The value and parameters of a `Content-Type` or `Content-Disposition` header. Hummingbird's
/// `MediaType` supports only one parameter.
struct ContentType: Equatable {
    /// Lower case, such as "multipart/form-data"; empty if missing.
    let value: String
    /// By lower-case name.
    let parameters: [String: String]

    init(_ header: String?) {
        // Works on bytes: a form has one header per frame, and characters are slow.
        var parts: [[UInt8]] = []
        var part: [UInt8] = []
        var isQuoted = false
        var isEscaped = false
        for byte in (header ?? "").utf8 {
            if isEscaped {
                part.append(byte)
                isEscaped = false
            } else if isQuoted && byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "\"") {
                isQuoted.toggle()
            } else if byte == UInt8(ascii: ";") && !isQuoted {
                parts.append(part)
                part = []
            } else {
                part.append(byte)
            }
        }
        parts.append(part)
        value = Self.trimmed(parts[0][...]).lowercased()
        let pairs = parts.dropFirst().compactMap { part -> (String, String)? in
            guard let sign = part.firstIndex(of: UInt8(ascii: "=")) else { return nil }
            return (Self.trimmed(part[..<sign]).lowercased(), Self.trimmed(part[(sign + 1)...]))
        }
        parameters = Dictionary(pairs, uniquingKeysWith: { first, _ in first })
    }

    /// Strips surrounding whitespace.
    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> String {
        func isBlank(_ byte: UInt8) -> Bool {
            byte == UInt8(ascii: " ") || UInt8(ascii: "\t")...UInt8(ascii: "\r") ~= byte
        }
        guard let first = bytes.firstIndex(where: { !isBlank($0) }),
            let last = bytes.lastIndex(where: { !isBlank($0) })
        else {
            return ""
        }
        return String(decoding: bytes[first...last], as: UTF8.self)
    }
}
