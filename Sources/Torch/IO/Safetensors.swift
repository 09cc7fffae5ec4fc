import Foundation
import JerseySupport

/// A safetensors file: named tensors and text metadata, without code.
///
/// Format: 8 bytes header length (little-endian), a JSON header, then the tensors' bytes.
package struct Safetensors {
    package static let maximumHeader = 1 << 20
    package static let maximumTensors = 4096

    package var metadata: [String: String]
    package var tensors: [String: Tensor]

    package init(metadata: [String: String] = [:], tensors: [String: Tensor]) {
        self.metadata = metadata
        self.tensors = tensors
    }

    private struct Info: Codable {
        let dtype: String
        let shape: [Int]
        let offsets: [Int]

        enum CodingKeys: String, CodingKey {
            case dtype, shape
            case offsets = "data_offsets"
        }
    }

    private struct Header: Codable {
        var metadata: [String: String] = [:]
        var tensors: [String: Info] = [:]

        struct Key: CodingKey {
            let stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        init(metadata: [String: String]) { self.metadata = metadata }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Key.self)
            for key in container.allKeys {
                if key.stringValue == "__metadata__" {
                    metadata = try container.decode([String: String].self, forKey: key)
                } else {
                    tensors[key.stringValue] = try container.decode(Info.self, forKey: key)
                }
            }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Key.self)
            if !metadata.isEmpty { try container.encode(metadata, forKey: Key(stringValue: "__metadata__")) }
            for (name, info) in tensors { try container.encode(info, forKey: Key(stringValue: name)) }
        }
    }

    private static let names: [(DType, String)] = [
        (.uint8, "U8"), (.int32, "I32"), (.int64, "I64"), (.float16, "F16"), (.bfloat16, "BF16"),
        (.float32, "F32"),
        (.float64, "F64"), (.bool, "BOOL"),
    ]
}

// MARK: - Reading

extension Safetensors {
    /// Reads a whole file.
    ///
    /// - Throws: `FileError` if it is missing, truncated, or does not match its header.
    package init(contentsOf url: URL) throws {
        try self.init(data: Data(reading: url), named: url.path)
    }

    /// - Parameter name: the file's name in errors.
    package init(data: Data, named name: String) throws {
        let (header, body) = try Self.header(of: data, named: name)
        metadata = header.metadata
        tensors = [:]
        let ranges = header.tensors.values.map(\.offsets).filter { $0.count == 2 }.sorted {
            ($0[0], $0[1]) < ($1[0], $1[1])
        }
        guard zip(ranges, ranges.dropFirst()).allSatisfy({ $0[1] <= $1[0] }) else {
            throw FileError(name, "holds tensors that overlap", advice: "copy or download it again")
        }
        for (key, info) in header.tensors {
            tensors[key] = try Self.tensor(key, info, in: body, named: name)
        }
        let used = header.tensors.values.map { $0.offsets[1] - $0.offsets[0] }.reduce(0, +)
        guard used == body.count else {
            throw FileError(
                name, "holds \(body.count) bytes of tensors, but its header describes \(used)",
                advice: "copy or download it again")
        }
    }

    private static func header(of data: Data, named name: String) throws -> (Header, Data) {
        let again = "copy or download it again"
        guard data.count >= 8 else {
            throw FileError(name, "is too short for a safetensors file (\(data.count) bytes)", advice: again)
        }
        let length = data.prefix(8).enumerated().reduce(UInt64(0)) {
            $0 | UInt64($1.element) << (8 * UInt64($1.offset))
        }
        guard length <= maximumHeader else {
            throw FileError(name, "is not a safetensors file, or its header is over \(maximumHeader) bytes")
        }
        guard data.count - 8 >= Int(length) else {
            throw FileError(name, "is cut short within its header", advice: again)
        }
        let start = data.startIndex + 8
        let header: Header
        do {
            header = try JSONDecoder().decode(Header.self, from: data[start..<start + Int(length)])
        } catch {
            throw FileError(name, "has a broken safetensors header", advice: again)
        }
        guard header.tensors.count <= maximumTensors else {
            throw FileError(name, "holds \(header.tensors.count) tensors; the limit is \(maximumTensors)")
        }
        return (header, data[(start + Int(length))...])
    }

    private static func tensor(_ key: String, _ info: Info, in body: Data, named name: String) throws
        -> Tensor
    {
        guard let dtype = names.first(where: { $0.1 == info.dtype })?.0 else {
            throw FileError(name, "tensor '\(key)' has the unsupported type '\(info.dtype)'")
        }
        // Empty tensors are checked too: libtorch multiplies their other sizes for the strides.
        var bytes: Int? = dtype.size
        for size in info.shape {
            guard size >= 0, let product = bytes?.multipliedReportingOverflow(by: max(size, 1)),
                !product.overflow
            else {
                bytes = nil
                break
            }
            bytes = product.partialValue
        }
        if info.shape.contains(0) { bytes = bytes.map { _ in 0 } }
        let offsets = info.offsets
        guard let bytes, info.shape.count <= 16, offsets.count == 2, offsets[0] >= 0,
            offsets[0] <= offsets[1],
            offsets[1] <= body.count, offsets[1] - offsets[0] == bytes
        else {
            throw FileError(
                name, "tensor '\(key)' does not fit: shape \(info.shape), bytes \(offsets) of \(body.count)",
                advice: "copy or download the file again")
        }
        let start = body.startIndex + offsets[0]
        return body[start..<start + bytes].withUnsafeBytes {
            Tensor(bytes: $0, dtype: dtype, shape: info.shape)
        }
    }
}

// MARK: - Writing

extension Safetensors {
    /// Writes the same bytes for the same content: tensors and metadata are sorted by name.
    package func write(to url: URL) throws {
        var header = Header(metadata: metadata)
        var layout: [(tensor: Tensor, range: Range<Int>)] = []
        var offset = 0
        for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
            let size = tensor.count * tensor.dtype.size
            let typeName = Self.names.first { $0.0 == tensor.dtype }!.1
            header.tensors[name] = Info(
                dtype: typeName, shape: tensor.shape, offsets: [offset, offset + size])
            layout.append((tensor, offset..<offset + size))
            offset += size
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var json = try encoder.encode(header)
        json.append(Data(repeating: UInt8(ascii: " "), count: (8 - json.count % 8) % 8))
        let start = withUnsafeBytes(of: UInt64(json.count).littleEndian) { Data($0) } + json
        let body = ByteBuffer(count: offset)
        let bytes = UnsafeMutableRawBufferPointer(start: body.address, count: offset)
        for (tensor, range) in layout {
            tensor.copyBytes(into: UnsafeMutableRawBufferPointer(rebasing: bytes[range]))
        }
        try start.withUnsafeBytes { try AtomicFile.write([$0, UnsafeRawBufferPointer(bytes)], to: url) }
    }
}
