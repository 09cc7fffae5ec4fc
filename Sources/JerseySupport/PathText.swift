/// Paths as someone wrote them, cut at their slashes. Foundation's own properties of texts end the program at a path of one character
/// (Swift 6.3), such as `7` or `.`, and its URLs make paths absolute. They are cut by bytes, as the system does: a slash with an accent
/// behind it is one character for a text, and a slash for the system.
extension String {
    private static let slash = UInt8(ascii: "/")

    /// What stands before the last name: "a" of "a/b" and of "a/b/", "/" of "/a", nothing of "a".
    package var parentPath: String {
        let path = withoutEndingSlashes
        guard let slash = path.utf8.lastIndex(of: Self.slash) else { return "" }
        return slash == path.startIndex ? "/" : String(path[..<slash]).withoutEndingSlashes
    }

    /// "b" of "a/b" and of "a/b/".
    package var lastName: String {
        let path = withoutEndingSlashes
        return path.utf8.lastIndex(of: Self.slash).map { String(path[path.utf8.index(after: $0)...]) } ?? path
    }

    /// "a/b" of "a" or "a/", and "b".
    package func appendingName(_ name: String) -> String { utf8.last == Self.slash ? self + name : self + "/" + name }

    /// The root keeps its one.
    package var withoutEndingSlashes: String {
        var path = utf8[...]
        while path.count > 1, path.last == Self.slash { path = path.dropLast() }
        return String(Substring(path))
    }
}
