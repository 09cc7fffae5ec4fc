import Foundation

/// A folder with the results of a manifest: `shards.json`, which says what they are of, and a part
/// for each shard.
package struct ShardedResults: Sendable {
    /// What the results are of. Parts of different descriptions cannot be put together.
    package struct Description: Codable, Sendable, Equatable {
        /// `Manifest.fingerprint`.
        let manifest: String
        /// How many items the manifest has.
        package let items: Int
        /// How many shards there are.
        package let shards: Int
        /// Weights and settings with an influence on what is read.
        let settings: [String: String]

        package init(_ manifest: Manifest, shards: Int, settings: [String: String]) {
            self.manifest = manifest.fingerprint
            items = manifest.count
            self.shards = shards
            self.settings = settings
        }
    }

    package let folder: URL
    package let description: Description

    package static let name = "shards.json"

    /// Opens a folder to write results to, and creates it if need be. Many processes may do so at
    /// once.
    ///
    /// - Throws: `FileError` if the folder holds results of something else.
    package init(_ folder: URL, of description: Description) throws {
        try FileManager.default.makeFolder(folder)
        let file = folder.appendingPathComponent(Self.name)
        if !FileNames.exists(file.path) {
            _ = try AtomicFile.create(JSON.readable(description), at: file)
        }
        try self.init(folder)
        if let difference = self.description.difference(from: description) {
            throw FileError(
                folder.path, "holds results \(difference)",
                advice: "name another folder, or remove this one to begin again")
        }
    }

    /// Opens a folder of results to read them.
    ///
    /// - Throws: `FileError` if it is none.
    package init(_ folder: URL) throws {
        let file = folder.appendingPathComponent(Self.name)
        guard FileNames.exists(file.path) else {
            throw FileError(
                folder.path, "holds no results of a manifest",
                advice: "name the folder that its shards were written to")
        }
        do {
            description = try JSON.decoded(from: Data(reading: file))
        } catch let error as DecodingError {
            throw FileError(file.path, "is damaged: \(error.summary)", advice: "remove the folder")
        }
        guard Shard.counts.contains(description.shards), description.items >= 0 else {
            throw FileError(file.path, "is damaged: it has impossible counts", advice: "remove the folder")
        }
        self.folder = folder
    }

    /// The file of a finished shard.
    package func part(_ number: Int) -> URL { folder.appendingPathComponent(partName(number)) }

    /// The shards that are not finished.
    package var unfinished: [Int] {
        let names = Set(FileNames.list(folder.path) ?? [])
        return (1...description.shards).filter { !names.contains(partName($0)) }
    }

    static let partPrefix = "part-"

    func partName(_ number: Int) -> String {
        func digits(_ number: Int) -> String {
            let text = "\(number)"
            return String(repeating: "0", count: max(0, 5 - text.count)) + text
        }
        return "\(Self.partPrefix)\(digits(number))-of-\(digits(description.shards)).jsonl"
    }
}

extension ShardedResults.Description {
    /// How another description differs, to follow "holds results"; nil if it does not.
    fileprivate func difference(from other: Self) -> String? {
        if (manifest, items) != (other.manifest, other.items) { return "of another manifest" }
        if shards != other.shards { return "in \(shards) shards, not \(other.shards)" }
        let keys = Set(settings.keys).union(other.settings.keys).sorted()
        guard let key = keys.first(where: { settings[$0] != other.settings[$0] }) else { return nil }
        func word(_ value: String?) -> String { value.map { Shown.text($0, limit: 60) } ?? "its default" }
        return "that were read with \(key) = \(word(settings[key])), not \(word(other.settings[key]))"
    }
}
