/// Paths as the user wrote them, split at slashes. Foundation's string properties trap on a path of
/// one character, such as `7` or `.` (Swift 6.3), and its URLs make paths absolute. Paths are split
/// by bytes, as the system does: a slash with a combining accent is one character of a string, but
/// the system sees a slash.
extension String {
    private static let slash = UInt8(ascii: "/")

    /// The path without its last name: "a" for "a/b" and "a/b/", "/" for "/a", "" for "a".
    package var parentPath: String {
        let path = withoutEndingSlashes
        guard let slash = path.utf8.lastIndex(of: Self.slash) else { return "" }
        return slash == path.startIndex ? "/" : String(path[..<slash]).withoutEndingSlashes
    }

    /// The last name: "b" for "a/b" and "a/b/".
    package var lastName: String {
        let path = withoutEndingSlashes
        return path.utf8.lastIndex(of: Self.slash).map { String(path[path.utf8.index(after: $0)...]) } ?? path
    }

    /// "a/b" for "a" or "a/" and the name "b".
    package func appendingName(_ name: String) -> String {
        utf8.last == Self.slash ? self + name : self + "/" + name
    }

    /// The path without slashes at its end; the root stays "/".
    package var withoutEndingSlashes: String {
        var path = utf8[...]
        while path.count > 1, path.last == Self.slash { path = path.dropLast() }
        return String(Substring(path))
    }
}
