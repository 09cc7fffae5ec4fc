import Foundation

/// One line of results: what was read of an item of a manifest. An item has a line for each of its
/// sequences or tracks, and at least one.
package struct ItemResult: Sendable, Equatable, Codable {
    /// The number of the item in the manifest, from 1.
    package let item: Int
    /// The manifest's name for it.
    package let id: String?
    /// Why the item could not be read; nil if it was.
    package let error: String?
    package let prediction: Prediction

    package init(item: Int, id: String?, prediction: Prediction) {
        self.item = item
        self.id = id
        error = nil
        self.prediction = prediction
    }

    /// The line for an item that cannot be read. Its prediction is that of a sequence without a
    /// readable frame.
    package init(item: Int, id: String?, path: String, error: String) {
        self.item = item
        self.id = id
        self.error = Shown.text(error, limit: 500)
        let name = Shown.text(path, limit: 1000)
        let parent = name.parentPath
        let sequence = FrameSequence(
            id: name, track: parent.isEmpty ? name : parent, number: nil, frames: [], anchor: nil)
        prediction = Prediction(UnreadableSequence(sequence: sequence, problems: []))
    }

    private enum CodingKeys: String, CodingKey {
        case item, id, error
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        item = try container.decode(Int.self, forKey: .item)
        id = try container.decodeIfPresent(String.self, forKey: .id)
        error = try container.decodeIfPresent(String.self, forKey: .error)
        prediction = try Prediction(from: decoder)
    }

    /// The object of the prediction with `id`. `line()` adds the rest.
    package func encode(to encoder: any Encoder) throws {
        try prediction.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encodeIfPresent(id, forKey: .id)
    }

    private static let start = Array(#"{"item":"#.utf8)
    private static let errorKey = Array(#""error":"#.utf8)

    /// The line with its line end. The item and the error come first, so that parts can be checked and
    /// put together without parsing them.
    package func line() throws -> Data {
        var line = Data(Self.start) + Data("\(item),".utf8)
        if let error { line += Data(Self.errorKey) + (try JSON.line(error)) + Data(",".utf8) }
        return line + (try JSON.line(self)).dropFirst() + Data("\n".utf8)
    }

    /// The item of a line, and whether it could not be read; nil if it is no line of results.
    package static func head(of line: UnsafeRawBufferPointer) -> (item: Int, isError: Bool)? {
        guard line.starts(with: start), line.last == UInt8(ascii: "}") else { return nil }
        let digits = line.dropFirst(start.count).prefix { 0x30...0x39 ~= $0 }
        guard 1...18 ~= digits.count, line[digits.endIndex] == UInt8(ascii: ",") else { return nil }
        return (
            digits.reduce(0) { $0 * 10 + Int($1 - 0x30) },
            line[(digits.endIndex + 1)...].starts(with: errorKey)
        )
    }
}
