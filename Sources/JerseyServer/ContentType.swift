/// What a `Content-Type` or `Content-Disposition` says: a word, and parameters. Hummingbird's `MediaType` knows one parameter only.
struct ContentType: Equatable {
    /// In small letters, such as "multipart/form-data"; empty where there is none.
    let value: String
    /// By name in small letters.
    let parameters: [String: String]

    init(_ header: String?) {
        var parts: [String] = []
        var part = ""
        var isQuoted = false
        var isEscaped = false
        for character in header ?? "" {
            if isEscaped {
                part.append(character)
                isEscaped = false
            } else if isQuoted && character == "\\" {
                isEscaped = true
            } else if character == "\"" {
                isQuoted.toggle()
            } else if character == ";" && !isQuoted {
                parts.append(part)
                part = ""
            } else {
                part.append(character)
            }
        }
        parts.append(part)
        value = parts[0].trimmed.lowercased()
        let pairs = parts.dropFirst().compactMap { part -> (String, String)? in
            guard let sign = part.firstIndex(of: "=") else { return nil }
            return (part[..<sign].trimmed.lowercased(), part[part.index(after: sign)...].trimmed)
        }
        parameters = Dictionary(pairs, uniquingKeysWith: { first, _ in first })
    }
}

extension StringProtocol {
    fileprivate var trimmed: String {
        String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }
}
