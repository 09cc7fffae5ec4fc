import Foundation

/// The order in which a model gets the frames of a sequence.
///
/// Sequences are always in time order. Only `SequenceLoader`, which knows the model's card, puts
/// the frames that it loads into the order that the model was trained with.
package enum FrameOrder: Sendable, Equatable {
    /// Time order, with the anchor at its place.
    case time
    /// The study's order: names are sorted as text, and `anchorFirst` moves the anchor to the
    /// front. Only one of several anchors is kept.
    case published(anchorFirst: Bool)

    /// - Parameter published: whether the model behaves as the study's.
    init(published: Bool) { self = published ? .published(anchorFirst: true) : .time }

    /// The endings of pictures that can be read. What a file is, its content tells.
    package static let extensions: Set<String> = [
        "jpg", "jpeg", "jpe", "jfif", "png", "webp", "bmp", "tif", "tiff", "gif", "avif",
    ]

    /// The endings of other pictures. They count as frames, so that they are named as such that
    /// cannot be read, and not passed over.
    private static let unreadExtensions: Set<String> = [
        "heic", "heif", "hif", "jxl", "jp2", "j2k", "ppm", "pgm", "tga", "psd", "dng", "cr2", "cr3", "nef",
        "arw",
        "orf", "rw2", "raf",
    ]

    /// Whether a name is that of a picture.
    package static func isFrame(_ name: String) -> Bool {
        guard !isHidden(name), let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")) else { return false }
        let ending = name[name.utf8.index(after: dot)...].lowercased()
        return extensions.contains(ending) || unreadExtensions.contains(ending)
    }

    static func isHidden(_ name: String) -> Bool { name.utf8.first == UInt8(ascii: ".") }

    package static func isAnchor(_ name: String) -> Bool { name.lowercased().contains("anchor") }

    /// The frames among a folder's files in time order, and the index of the anchor (the first of
    /// several). Time order is the natural order of the names: "9.jpg" before "10.jpg".
    package static func frames(among listing: [String]) -> (frames: [String], anchor: Int?) {
        let frames = listing.filter(isFrame).sorted(by: naturallyPrecedes)
        return (frames, frames.firstIndex(where: isAnchor))
    }

    /// The frames that a model reads, in order.
    ///
    /// - Parameters:
    ///   - frames: names or paths, in time order.
    ///   - anchor: the index of the marked frame; nil if none is marked.
    /// - Returns: indices of `frames` in the order in which the model gets them, and the index of
    ///   the anchor.
    func arranged(_ frames: [String], anchor: Int?) -> (indices: [Int], anchor: Int?) {
        guard case .published(let anchorFirst) = self else { return (Array(frames.indices), anchor) }
        let names = frames.map(\.lastName)
        // Frames of a video, or without file names, stay in the order in which they came.
        let areFiles = names.allSatisfy(Self.isFrame)
        func precedes(_ a: Int, _ b: Int) -> Bool {
            areFiles && names[a] != names[b] ? textPrecedes(names[a], names[b]) : a < b
        }
        let ordered = names.indices.sorted(by: precedes)
        let plain = ordered.filter { !Self.isAnchor(names[$0]) }
        guard let kept = ordered.last(where: { Self.isAnchor(names[$0]) }) else { return (plain, anchor) }
        // A window of a longer sequence may contain the frame named as anchor, but has no anchor
        // itself.
        return (
            anchorFirst ? [kept] + plain : (plain + [kept]).sorted(by: precedes), anchor == nil ? nil : kept
        )
    }
}
