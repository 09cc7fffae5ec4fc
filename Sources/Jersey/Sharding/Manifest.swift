import Foundation

/// A list of what to read: a text file with one JSON object a line. Blank lines do not count.
package struct Manifest: Sendable {
    /// One line.
    package struct Item: Sendable, Equatable {
        /// A folder of frames, a picture, an archive, a member of one, or a video.
        package let path: String
        /// A file with a tracker's boxes in the video.
        package let boxes: String?
        /// The caller's name for the item.
        package let id: String?
    }

    /// The file.
    package let path: String
    /// How many items there are.
    package let count: Int
    /// The same for files with the same bytes: the hash of all lines.
    package let fingerprint: String

    private static let advice = #"each line is an object such as {"path": "crops/17"}"#

    /// Counts the items.
    ///
    /// - Throws: `FileError` if the file cannot be read twice, is empty, or begins with something
    ///   else than an item.
    package init(_ path: String) throws {
        guard FileNames.kind(path) != nil else { throw FileError(path, "does not exist") }
        guard FileNames.kind(path) == .file else {
            throw FileError(
                path, "is not a regular file", advice: "write the manifest to a file, which all shards read")
        }
        let lines = try LineFile(path)
        var (count, hash) = (0, fnv1a(""))
        while let isItem = try lines.next({ line in
            if count == 0, !Self.isBlank(line) {
                do {
                    _ = try Self.item(line)
                } catch {
                    throw FileError(
                        path, "is not a manifest: line \(lines.count) \(Self.reason(error))",
                        advice: Self.advice)
                }
            }
            hash = fnv1a(line, after: hash &+ 1)
            return !Self.isBlank(line)
        }) {
            count += isItem ? 1 : 0
        }
        guard count > 0 else { throw FileError(path, "has no items", advice: Self.advice) }
        self.path = path
        self.count = count
        let digits = String(hash, radix: 16)
        fingerprint = String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// Reads some items in order. One that cannot be understood has the reason.
    ///
    /// - Parameters:
    ///   - range: counted from 1.
    ///   - body: what it throws ends the reading.
    /// - Throws: `FileError` if the file has become shorter.
    package func read(
        _ range: Range<Int>, _ body: (_ number: Int, Result<Item, FileError>) throws -> Void
    ) throws {
        let lines = try LineFile(path)
        var number = 0
        while number + 1 < range.upperBound {
            let item: Result<Item, FileError>?? = try lines.next { line in
                guard !Self.isBlank(line) else { return nil }
                number += 1
                guard range.contains(number) else { return nil }
                return Result { try Self.item(line) }.mapError { error in
                    FileError(
                        "\(path), line \(lines.count)", Self.reason(error), advice: Self.advice)
                }
            }
            guard let item else {
                throw FileError(path, "has changed while it was read", advice: "begin again")
            }
            if let item { try body(number, item) }
        }
    }

    private static func isBlank(_ line: UnsafeRawBufferPointer) -> Bool { line.allSatisfy { $0 <= 0x20 } }

    private static func item(_ line: UnsafeRawBufferPointer) throws -> Item {
        // Some programs begin files with a byte order mark.
        let mark: [UInt8] = [0xef, 0xbb, 0xbf]
        return try JSON.decoded(from: Data(line.starts(with: mark) ? line.dropFirst(3) : line[...]))
    }

    private static func reason(_ error: any Error) -> String {
        (error as? DecodingError).map { "cannot be understood: \($0.summary)" } ?? "is not JSON"
    }
}

extension Manifest.Item: Decodable {
    private enum CodingKeys: String, CodingKey {
        case path, boxes, id
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        path = try container.decode(String.self, forKey: .path)
        guard !path.isEmpty, !path.utf8.contains(0) else {
            throw DecodingError.dataCorruptedError(
                forKey: .path, in: container, debugDescription: "is empty or not a path")
        }
        boxes = try container.decodeIfPresent(String.self, forKey: .boxes)
        // Databases have numbers as names.
        if let number = try? container.decodeIfPresent(Int.self, forKey: .id) {
            id = "\(number)"
        } else {
            id = try container.decodeIfPresent(String.self, forKey: .id)
        }
    }
}
