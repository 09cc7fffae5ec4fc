import Foundation

/// In which order a model is given the frames of a sequence.
///
/// Sequences are kept in time order, wherever they come from; `SequenceLoader` alone, which knows the model's card, brings the frames that
/// it loads into the order that the model has learned.
package enum FrameOrder: Sendable, Equatable {
    /// The anchor at its place in time.
    case time
    /// The study's: names as text, and the anchor, where there is one, moved to the front. Only one of several anchors is kept.
    case published(anchorFirst: Bool)

    /// - Parameter published: whether the model does as the study did.
    init(published: Bool) { self = published ? .published(anchorFirst: true) : .time }

    package static let extensions: Set<String> = ["jpg", "jpeg", "png"]

    static func isFrame(_ name: String) -> Bool {
        guard !isHidden(name), let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")) else { return false }
        return extensions.contains(name[name.utf8.index(after: dot)...].lowercased())
    }

    static func isHidden(_ name: String) -> Bool { name.utf8.first == UInt8(ascii: ".") }

    package static func isAnchor(_ name: String) -> Bool { name.lowercased().contains("anchor") }

    /// The frames among the files of a folder in time order, which is the natural order of their names ("9.jpg" before "10.jpg"), and
    /// which of them is the anchor (the first, where there are several).
    package static func frames(among listing: [String]) -> (frames: [String], anchor: Int?) {
        let frames = listing.filter(isFrame).sorted(by: naturallyPrecedes)
        return (frames, frames.firstIndex(where: isAnchor))
    }

    /// How a sequence is read.
    ///
    /// - Parameters:
    ///   - frames: names or paths, in time order.
    ///   - anchor: the index of the one that is marked; nil where none is.
    /// - Returns: indices of `frames` in the order in which a model is given them, and the index that stands for the anchor.
    func arranged(_ frames: [String], anchor: Int?) -> (indices: [Int], anchor: Int?) {
        guard case .published(let anchorFirst) = self else { return (Array(frames.indices), anchor) }
        let names = frames.map(\.lastName)
        // Pictures of a film, or that nobody has named, have only the order in which they came.
        let areFiles = names.allSatisfy(Self.isFrame)
        func precedes(_ a: Int, _ b: Int) -> Bool {
            areFiles && names[a] != names[b] ? textPrecedes(names[a], names[b]) : a < b
        }
        let ordered = names.indices.sorted(by: precedes)
        let plain = ordered.filter { !Self.isAnchor(names[$0]) }
        guard let kept = ordered.last(where: { Self.isAnchor(names[$0]) }) else { return (plain, anchor) }
        // A window of a longer sequence has a frame of that name, and no anchor that would stand for all of it.
        return (anchorFirst ? [kept] + plain : (plain + [kept]).sorted(by: precedes), anchor == nil ? nil : kept)
    }
}
