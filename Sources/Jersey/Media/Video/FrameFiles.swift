import Foundation

/// The frames of a video as pictures in files of their own: a folder of them; a sequence of
/// MOTChallenge or SoccerNet, which has them in `img1` beside `seqinfo.ini`; a pattern such as
/// `img1/%06d.jpg`; or an archive of one of these.
struct FrameFiles {
    /// In order. Nil for a number that is missing between others.
    let files: [String?]
    /// The numbers in the names of the first and the last file, if all names have one.
    let numbers: ClosedRange<Int>?
    /// Frames per second, if the sequence says so.
    let rate: Double?
    private let archive: UnpackedArchive?

    /// - Returns: nil if the path is no folder, pattern or archive, and so may be a video.
    /// - Throws: `FileError` if it is one, but has no frames.
    init?(_ path: String) throws {
        if UnpackedArchive.isArchive(path) {
            let archive = try UnpackedArchive(path)
            try self.init(folder: archive.folder.path, called: path, archive)
        } else if FileNames.kind(path) == .folder {
            try self.init(folder: path.withoutEndingSlashes, called: path, nil)
        } else if !FileNames.exists(path), let pattern = FilePattern(path.lastName) {
            let folder = path.parentPath.isEmpty ? "." : path.parentPath
            guard let names = FileNames.list(folder) else { return nil }
            let matching = names.filter { pattern.matches($0) && FrameOrder.isFrame($0) }
            guard !matching.isEmpty else {
                throw FileError(path, "matches no pictures", advice: "check the folder and the pattern")
            }
            self.init(matching, in: folder, Self.sequenceInformation(of: folder), nil)
        } else {
            return nil
        }
    }

    private init(folder: String, called path: String, _ archive: UnpackedArchive?) throws {
        var folder = folder
        for _ in 0..<4 {
            let names = (FileNames.list(folder) ?? []).filter { !FrameOrder.isHidden($0) }
            if names.contains(where: FrameOrder.isFrame) {
                self.init(
                    names.filter(FrameOrder.isFrame), in: folder, Self.sequenceInformation(of: folder),
                    archive)
                return
            }
            let folders = names.filter { FileNames.kind(folder.appendingName($0)) == .folder }
            let information = SequenceInformation(folder.appendingName(SequenceInformation.name))
            let usual = [information?.folder, "img1", "images", "frames", "img"].compactMap(\.self)
            // An archive often has one folder at its top.
            guard let next = usual.first(where: folders.contains) ?? (folders.count == 1 ? folders[0] : nil)
            else { break }
            folder = folder.appendingName(next)
        }
        throw FileError(
            path, archive == nil ? "is a folder without frames, and not a video" : "holds no frames",
            advice: "name a video, the folder of its frames, or the sequence that has them in img1")
    }

    private init(
        _ names: [String], in folder: String, _ information: SequenceInformation?, _ archive: UnpackedArchive?
    ) {
        let ordered = names.sorted(by: naturallyPrecedes)
        let found = ordered.compactMap { FoundBoxes.number(inName: $0).map { Int(clamping: $0) } }
        let isRising = found.count == ordered.count && zip(found, found.dropFirst()).allSatisfy { $0 < $1 }
        numbers = isRising ? found.first.flatMap { first in found.last.map { first...$0 } } : nil
        var files: [String?] = []
        // A few that are missing leave gaps, so that the others keep their numbers. Where most are
        // missing, someone kept every n-th, and trackers count those.
        let span = numbers.map { $0.upperBound - $0.lowerBound + 1 } ?? 0
        if isRising, span > ordered.count, Double(span) < 1.2 * Double(ordered.count) {
            files = Array(repeating: nil, count: span)
            for (number, name) in zip(found, ordered) {
                files[number - found[0]] = folder.appendingName(name)
            }
        } else {
            files = ordered.map { folder.appendingName($0) }
        }
        self.files = files
        rate = information?.rate
        self.archive = archive
    }

    /// The information beside the frames' folder, or in it.
    private static func sequenceInformation(of folder: String) -> SequenceInformation? {
        let parent = folder.parentPath
        return SequenceInformation(folder.appendingName(SequenceInformation.name))
            ?? SequenceInformation((parent.isEmpty ? ".." : parent).appendingName(SequenceInformation.name))
    }
}

/// What MOTChallenge's `seqinfo.ini` says.
struct SequenceInformation {
    static let name = "seqinfo.ini"

    var folder: String?
    var rate: Double?

    init?(_ path: String) {
        guard let size = FileNames.size(path), size < 1 << 16, let data = try? Data(wholeFile: path) else {
            return nil
        }
        for line in String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: "=", maxSplits: 1).map {
                $0.trimmingCharacters(in: .whitespaces)
            }
            guard parts.count == 2 else { continue }
            switch parts[0].lowercased() {
            case "imdir": folder = parts[1].withoutEndingSlashes
            case "framerate": rate = Double(parts[1]).flatMap { $0 > 0 && $0 <= 1000 ? $0 : nil }
            default: break
            }
        }
    }
}

/// A name with a place for a number, as FFmpeg and OpenCV take it (`%06d.jpg`), or for anything
/// (`*.jpg`).
private struct FilePattern {
    private let before: String
    private let after: String
    private let takesDigits: Bool

    init?(_ name: String) {
        guard let found = name.firstMatch(of: #/%0?[0-9]*d|\*/#) else { return nil }
        before = String(name[..<found.range.lowerBound])
        after = String(name[found.range.upperBound...])
        takesDigits = found.output != "*"
    }

    func matches(_ name: String) -> Bool {
        guard name.utf8.count >= before.utf8.count + after.utf8.count, name.hasPrefix(before),
            name.hasSuffix(after)
        else { return false }
        let middle = name.utf8.dropFirst(before.utf8.count).dropLast(after.utf8.count)
        return !takesDigits || (!middle.isEmpty && middle.allSatisfy { 0x30...0x39 ~= $0 })
    }
}

/// Reads the pictures of `FrameFiles` one after the other.
final class FrameFileReader: FrameSource {
    let files: FrameFiles
    private(set) var image: RGBImage
    /// What was wrong with the first picture that could not be read, and how many there were.
    private(set) var damage: (count: Int, first: String)?

    private let maximumPixels: Int
    private var place = 0
    /// The first picture, which is read to know the size.
    private var first: (place: Int, image: RGBImage)?

    var width: Int { image.width }
    var height: Int { image.height }
    var rate: Double? { files.rate }
    var expectedFrames: Int? { files.files.count }

    /// - Throws: `FileError` if no picture can be read.
    init(_ files: FrameFiles, _ path: String, maximumPixels: Int) throws {
        self.files = files
        self.maximumPixels = maximumPixels
        var problem = "there are none"
        for (place, file) in files.files.enumerated() {
            guard let file else { continue }
            do {
                let image = try RGBImage(contentsOf: URL(fileURLWithPath: file), maximumPixels: maximumPixels)
                first = (place, image)
                self.image = image
                return
            } catch let error as ImageError {
                if place == 0 { problem = "\(error.name.lastName) \(error.reason)" }
            }
        }
        throw FileError(path, "has no frame that can be read: \(problem)")
    }

    func next() -> (time: Double?, isDamaged: Bool)? { advance().map { (nil, !$0) } }

    func crop(_ area: PixelArea) -> RGBImage {
        image.cropped(
            x: area.left..<area.left + area.width, y: area.top..<area.top + area.height)
    }

    /// Moves to the next picture, scaled to the size of the first.
    ///
    /// - Returns: whether it could be read; nil after the last.
    private func advance() -> Bool? {
        guard place < files.files.count else { return nil }
        defer { place += 1 }
        if let first, first.place == place {
            image = first.image
            return true
        }
        guard let file = files.files[place] else {
            damaged("a file is missing")
            return false
        }
        do {
            let read = try RGBImage(contentsOf: URL(fileURLWithPath: file), maximumPixels: maximumPixels)
            let isOfSize = read.width == image.width && read.height == image.height
            image = isOfSize ? read : read.resized(width: image.width, height: image.height)
            return true
        } catch {
            damaged("\(file.lastName) \((error as? ImageError)?.reason.description ?? "\(error)")")
            return false
        }
    }

    private func damaged(_ what: String) {
        damage = ((damage?.count ?? 0) + 1, damage?.first ?? "\(what), after frame \(place)")
    }
}
