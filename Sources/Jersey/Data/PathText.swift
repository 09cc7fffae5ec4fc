/// Paths as someone wrote them, cut at their slashes. Foundation's own properties of texts end the program at a path of one character
/// (Swift 6.3), such as `7` or `.`, and its URLs make paths absolute.
extension String {
    /// What stands before the last name: "a" of "a/b" and of "a/b/", "/" of "/a", nothing of "a".
    package var parentPath: String {
        let path = withoutEndingSlashes
        guard let slash = path.lastIndex(of: "/") else { return "" }
        return slash == path.startIndex ? "/" : String(path[..<slash]).withoutEndingSlashes
    }

    /// "b" of "a/b" and of "a/b/".
    package var lastName: String {
        let path = withoutEndingSlashes
        return path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
    }

    /// "a/b" of "a" or "a/", and "b".
    package func appendingName(_ name: String) -> String { hasSuffix("/") ? self + name : self + "/" + name }

    /// The root keeps its one.
    package var withoutEndingSlashes: String {
        var path = self[...]
        while path.count > 1, path.last == "/" { path = path.dropLast() }
        return String(path)
    }
}
