import Foundation

/// How the files of a sequence become frames in order.
public enum FrameOrder: Sendable, Equatable {
    /// Natural order of names ("9.jpg" before "10.jpg"), the anchor at its place in time.
    case time
    /// The study's: names as text, and the anchor, where there is one, moved to the front. Of several anchors only one is kept.
    case published(anchorFirst: Bool)

    public static let extensions: Set<String> = ["jpg", "jpeg", "png"]

    static func isFrame(_ name: String) -> Bool {
        guard !name.hasPrefix("."), let dot = name.lastIndex(of: ".") else { return false }
        return extensions.contains(name[name.index(after: dot)...].lowercased())
    }

    package static func isAnchor(_ name: String) -> Bool { name.lowercased().contains("anchor") }

    /// The frames among the files of a folder, in order, and which of them is the anchor (the first, where there are several).
    public func arrange(_ listing: [String]) -> (frames: [String], anchor: Int?) {
        let frames = listing.filter(Self.isFrame)
        switch self {
        case .time:
            let ordered = frames.sorted(by: naturallyPrecedes)
            return (ordered, ordered.firstIndex(where: Self.isAnchor))
        case .published(let anchorFirst):
            let plain = frames.filter { !Self.isAnchor($0) }.sorted(by: Self.textPrecedes)
            guard let anchor = frames.filter(Self.isAnchor).max(by: Self.textPrecedes) else { return (plain, nil) }
            let ordered = anchorFirst ? [anchor] + plain : (plain + [anchor]).sorted(by: Self.textPrecedes)
            return (ordered, ordered.firstIndex(of: anchor))
        }
    }

    private static func textPrecedes(_ a: String, _ b: String) -> Bool {
        a.unicodeScalars.lexicographicallyPrecedes(b.unicodeScalars)
    }
}

/// Text order, except that runs of digits compare as numbers: "9" before "10", "a2b" before "a10".
public func naturallyPrecedes(_ a: String, _ b: String) -> Bool {
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
    // Equal but for leading zeros: some order, always the same.
    return a.utf8.lexicographicallyPrecedes(b.utf8)
}
