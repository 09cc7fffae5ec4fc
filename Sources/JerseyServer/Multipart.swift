import Foundation
import Hummingbird

/// The parts of a form from a browser or curl (RFC 7578). Written here because no library for it is
/// available. It works on the whole body, which is bounded; the parts share the body's memory.
struct Multipart {
    struct Part: Equatable {
        let name: String
        /// The sender's file name; nil if the part is not a file.
        let file: String?
        let type: ContentType
        let content: Data
    }

    let parts: [Part]

    private static let lineEnd = Data("\r\n".utf8)
    private static let headEnd = Data("\r\n\r\n".utf8)
    private static let longestHead = 8 << 10

    /// - Parameter limit: the most parts.
    /// - Throws: `ServiceError` if the body is not a form, or is cut off.
    init(_ body: Data, boundary: String?, limit: Int) throws {
        guard let boundary, (1...70).contains(boundary.utf8.count) else {
            throw ServiceError(.badRequest, "the form's Content-Type needs a boundary of 1 to 70 characters")
        }
        let delimiter = Data("\r\n--\(boundary)".utf8)
        guard let opening = Self.opening(of: body, delimiter) else {
            throw Self.broken("it does not begin with its boundary")
        }
        var parts: [Part] = []
        var position = opening
        while true {
            if body[position...].starts(with: Data("--".utf8)) { break }
            // Spaces may follow the boundary.
            guard let line = body.find(Self.lineEnd, in: position..<min(body.endIndex, position + 256)) else {
                throw Self.broken("it is cut off in or after a boundary")
            }
            // In a part without headers, the end of this line is also the end of the head.
            guard
                let head = body.find(
                    Self.headEnd, in: line.lowerBound..<min(body.endIndex, line.upperBound + Self.longestHead)
                ),
                let end = body.find(delimiter, in: head.upperBound - 2..<body.endIndex)
            else {
                throw Self.broken(
                    "part \(parts.count + 1) has no end, or a head of more than \(Self.longestHead) bytes")
            }
            guard parts.count < limit else {
                throw ServiceError(
                    .contentTooLarge, "the form has more than \(limit) parts; send fewer frames")
            }
            let fields = line.upperBound <= head.lowerBound ? body[line.upperBound..<head.lowerBound] : Data()
            let start = min(head.upperBound, end.lowerBound)
            parts.append(try Self.part(fields, body[start..<end.lowerBound]))
            position = end.upperBound
        }
        self.parts = parts
    }

    /// The position after the first boundary. Text before it is ignored.
    private static func opening(of body: Data, _ delimiter: Data) -> Data.Index? {
        if body.starts(with: delimiter.dropFirst(2)) { return body.startIndex + delimiter.count - 2 }
        return body.find(delimiter, in: body.startIndex..<min(body.endIndex, body.startIndex + longestHead))?
            .upperBound
    }

    private static func part(_ head: Data, _ content: Data) throws -> Part {
        var fields: [String: String] = [:]
        var rest = head
        while !rest.isEmpty {
            let end = rest.find(lineEnd, in: rest.startIndex..<rest.endIndex)
            let line = rest[..<(end?.lowerBound ?? rest.endIndex)]
            rest = rest[(end?.upperBound ?? rest.endIndex)...]
            guard !line.isEmpty else { continue }
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else {
                throw broken("a part has an invalid header")
            }
            fields[String(decoding: line[..<colon], as: UTF8.self).lowercased()] = String(
                decoding: line[(colon + 1)...], as: UTF8.self)
        }
        let disposition = ContentType(fields["content-disposition"])
        guard disposition.value == "form-data", let name = disposition.parameters["name"] else {
            throw broken("a part has no name; it needs Content-Disposition: form-data; name=\"…\"")
        }
        return Part(
            name: name, file: disposition.parameters["filename"], type: ContentType(fields["content-type"]),
            content: content)
    }

    private static func broken(_ why: String) -> ServiceError {
        ServiceError(.badRequest, "the form cannot be read: \(why)")
    }
}

extension Data {
    /// Like `range(of:in:)`, which copies all of the data on each call.
    fileprivate func find(_ pattern: Data, in range: Range<Index>) -> Range<Index>? {
        guard let first = pattern.first else { return nil }
        let place = withUnsafeBytes { bytes in
            pattern.withUnsafeBytes { pattern -> Int? in
                guard let base = bytes.baseAddress, let wanted = pattern.baseAddress else { return nil }
                let from = base + (range.lowerBound - startIndex)
                var place = 0
                while place + pattern.count <= range.count,
                    let found = memchr(from + place, Int32(first), range.count - pattern.count - place + 1)
                {
                    if memcmp(found, wanted, pattern.count) == 0 { return UnsafeRawPointer(found) - from }
                    place = UnsafeRawPointer(found) - from + 1
                }
                return nil
            }
        }
        return place.map { range.lowerBound + $0..<range.lowerBound + $0 + pattern.count }
    }
}
