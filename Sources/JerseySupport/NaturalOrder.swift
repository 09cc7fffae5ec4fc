/// Python's order of strings: by Unicode scalars.
package func textPrecedes(_ a: String, _ b: String) -> Bool {
    a.unicodeScalars.lexicographicallyPrecedes(b.unicodeScalars)
}

/// Text order, except that runs of digits compare as numbers: "9" before "10", "a2b" before "a10".
package func naturallyPrecedes(_ a: String, _ b: String) -> Bool {
    var (x, y) = (Array(a.utf8)[...], Array(b.utf8)[...])
    let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
    while let p = x.first, let q = y.first {
        if digits.contains(p) && digits.contains(q) {
            let m = x.prefix(while: digits.contains)
            let n = y.prefix(while: digits.contains)
            let (u, v) = (m.drop { $0 == digits.lowerBound }, n.drop { $0 == digits.lowerBound })
            if u.count != v.count { return u.count < v.count }
            if !u.elementsEqual(v) { return u.lexicographicallyPrecedes(v) }
            (x, y) = (x.dropFirst(m.count), y.dropFirst(n.count))
        } else {
            if p != q { return p < q }
            (x, y) = (x.dropFirst(), y.dropFirst())
        }
    }
    if x.isEmpty != y.isEmpty { return x.isEmpty }
    // Equal except for leading zeros; any fixed order will do.
    return a.utf8.lexicographicallyPrecedes(b.utf8)
}
