import Foundation

/// The sequences at the paths that you name: folders of frames, trees of folders, archives, or
/// image files.
package struct UnlabelledSequences: Sendable {
    package private(set) var sequences: [FrameSequence] = []
    /// Folders with neither frames nor subfolders.
    package private(set) var emptyFolders: [String] = []

    private static let kinds = FrameOrder.extensions.sorted().joined(separator: ", ")

    /// The folders that were read.
    private var reached: Set<FileNames.Identity> = []

    /// - Parameter unpacking: called for each entry of an archive; what it throws ends the search.
    /// - Throws: `FileError` if a path is missing, is not an image, or has no frames; and what
    ///   `UnpackedArchive` throws.
    package init(_ paths: [String], unpacking: () throws -> Void = {}) throws {
        var files: [(folder: String, names: [String])] = []
        for path in paths {
            let url = URL(fileURLWithPath: path)
            guard FileNames.exists(path) else { throw FileError(path, "does not exist") }
            if FileNames.isFolder(url) {
                try addAll(path.withoutEndingSlashes, in: nil)
            } else if UnpackedArchive.isArchive(path) {
                try addAll(path, in: UnpackedArchive(path, progress: unpacking))
            } else {
                guard FrameOrder.isFrame(url.lastPathComponent) else {
                    throw FileError(
                        path,
                        "is neither a folder, nor a \(Self.kinds) file, nor an archive (\(UnpackedArchive.endings.joined(separator: ", ")))",
                        advice: "a video has a name that ends in .mp4, .mov, .mkv or another usual ending")
                }
                let folder = path.parentPath
                if let index = files.firstIndex(where: { $0.folder == folder }) {
                    files[index].names.append(url.lastPathComponent)
                } else {
                    files.append((folder, [url.lastPathComponent]))
                }
            }
        }
        for (folder, names) in files {
            let different = Set(names.map(ExactText.init)).map(\.text)
            add(FrameOrder.frames(among: different), of: folder.isEmpty ? "." : folder, in: nil)
        }
        // A folder that you name twice is read once.
        var seen: Set<ExactText> = []
        sequences = sequences.filter { seen.insert(ExactText($0.id)).inserted }
    }

    /// - Throws: `FileError` if the archive has no frames.
    package init(_ archive: UnpackedArchive) throws {
        try addAll(archive.path, in: archive)
    }

    private mutating func addAll(_ path: String, in archive: UnpackedArchive?) throws {
        let before = sequences.count
        try addTree(path, in: archive, depth: 0)
        guard sequences.count > before else {
            let (advice, remedy) = advice(on: archive.map { $0.folder.path } ?? path)
            throw FileError(path, "holds no frames", advice: advice, remedy: remedy)
        }
    }

    /// Advice about a folder without frames.
    private func advice(on folder: String) -> (String, Remedy?) {
        let names = FileNames.list(folder) ?? []
        func first(_ endings: [String]) -> String? {
            names.sorted().first { endings.contains(where: $0.lowercased().hasSuffix) }
        }
        if let video = first(VideoReader.endings.map { ".\($0)" }) {
            return ("name the video itself, \(video)", nil)
        }
        if let archive = first(UnpackedArchive.endings) {
            return ("name the archive itself, \(archive)", nil)
        }
        return ("frames are \(Self.kinds) files", nil)
    }

    private mutating func addTree(_ path: String, in archive: UnpackedArchive?, depth: Int) throws {
        // No layout of tracks is deeper.
        guard depth < 16 else { return }
        let url =
            archive.map { $0.file(path + "/") }.map { URL(fileURLWithPath: $0) } ?? URL(fileURLWithPath: path)
        // A folder that links reach again, such as a link to the folder above, is read once.
        if let identity = FileNames.identity(url.path), !reached.insert(identity).inserted { return }
        var (files, folders): ([String], [String]) = ([], [])
        for name in try FolderLayout.listNames(in: url) {
            if FileNames.isFolder(url.appendingPathComponent(name)) {
                folders.append(name)
            } else {
                files.append(name)
            }
        }
        let samples = archive?.isTar == true ? WebDataset.samples(among: files) : ([], files)
        for (key, files) in samples.0 {
            add(FrameOrder.frames(among: files), of: path, sample: key, in: archive)
        }
        let here = FrameOrder.frames(among: samples.1)
        if !here.frames.isEmpty {
            add(here, of: path, in: archive)
        } else if folders.isEmpty, samples.0.isEmpty {
            emptyFolders.append(path)
        }
        // Links come last: a folder is read under its own name.
        let (links, real) = folders.partitioned { FileNames.isLink(url.appendingPathComponent($0).path) }
        for folder in real + links { try addTree(path.appendingName(folder), in: archive, depth: depth + 1) }
    }

    /// - Parameter sample: the key, if the frames are one sample of several in the folder. It is a track
    ///   of its own.
    private mutating func add(
        _ arranged: (frames: [String], anchor: Int?), of folder: String, sample: String? = nil,
        in archive: UnpackedArchive?
    ) {
        let id = sample.map(folder.appendingName) ?? folder
        let parent = sample == nil ? folder.parentPath : ""
        sequences.append(
            FrameSequence(
                id: id, track: parent.isEmpty ? id : parent, number: nil,
                frames: arranged.frames.map { folder.appendingName($0) }, anchor: arranged.anchor,
                archive: archive))
    }
}

extension Array {
    /// The elements that satisfy the condition, and the others.
    fileprivate func partitioned(by condition: (Element) -> Bool) -> ([Element], [Element]) {
        (filter(condition), filter { !condition($0) })
    }
}
