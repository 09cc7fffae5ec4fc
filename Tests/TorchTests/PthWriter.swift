import Foundation

/// Python values in the form that `pickle` writes, including ones that `torch.save` never would.
indirect enum Pickled {
    case none
    case int(Int)
    case float(Double)
    case bool(Bool)
    case string(String)
    case tuple([Pickled])
    case list([Pickled])
    case dictionary([(Pickled, Pickled)])
    case global(String, String)
    case call(Pickled, [Pickled])
    case persistent(Pickled)
    /// Raw operations.
    case raw([UInt8])

    static func storage(_ key: String, _ type: String = "FloatStorage", count: Int) -> Pickled {
        .persistent(
            .tuple([.string("storage"), .global("torch", type), .string(key), .string("cpu"), .int(count)]))
    }

    static func tensor(
        _ key: String, _ type: String = "FloatStorage", count: Int, offset: Int = 0, shape: [Int],
        strides: [Int]
    ) -> Pickled {
        .call(
            .global("torch._utils", "_rebuild_tensor_v2"),
            [
                .storage(key, type, count: count), .int(offset), .tuple(shape.map(Pickled.int)),
                .tuple(strides.map(Pickled.int)),
                .bool(false), .call(.global("collections", "OrderedDict"), []),
            ])
    }

    /// The value's operations, without the final stop.
    var operations: [UInt8] {
        switch self {
        case .none: [UInt8(ascii: "N")]
        case .int(let value) where 0...255 ~= value: [UInt8(ascii: "K"), UInt8(value)]
        case .int(let value): [0x8a, 8] + Pickled.bytes(value)
        case .float(let value): [UInt8(ascii: "G")] + Pickled.bytes(value.bitPattern.byteSwapped)
        case .bool(let value): [value ? 0x88 : 0x89]
        case .string(let text): [UInt8(ascii: "X")] + Pickled.bytes(UInt32(text.utf8.count)) + text.utf8
        case .tuple(let items): "(".utf8 + items.flatMap(\.operations) + "t".utf8
        case .list(let items): "](".utf8 + items.flatMap(\.operations) + "e".utf8
        case .dictionary(let items): "}(".utf8 + items.flatMap { $0.operations + $1.operations } + "u".utf8
        case .global(let module, let name): Array("c\(module)\n\(name)\n".utf8)
        case .call(let function, let arguments):
            function.operations + Pickled.tuple(arguments).operations + "R".utf8
        case .persistent(let id): id.operations + "Q".utf8
        case .raw(let operations): operations
        }
    }

    /// A complete pickle.
    var pickle: Data { Data([0x80, 2] + operations + ".".utf8) }

    private static func bytes<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }
}

/// Weight files made by hand.
enum PthWriter {
    /// The zip that `torch.save` writes; `records` are added to it, or replace its own.
    static func zip(
        _ value: Pickled, storages: [String: Data] = [:], records: [String: Data?] = [:],
        sharing: Bool = false
    ) -> Data {
        var files: [String: Data] = [
            "data.pkl": value.pickle, "version": Data("3\n".utf8), "byteorder": Data("little".utf8),
        ]
        for (key, data) in storages { files["data/" + key] = data }
        for (name, data) in records { files[name] = data }
        return zip(files, sharing: sharing)
    }

    /// The plain format of PyTorch before 1.6.
    static func plain(_ value: Pickled, storages: [(key: String, count: Int, data: Data)] = []) -> Data {
        var data =
            Data([0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19])
            + Data(".".utf8)
        data += Pickled.int(1001).pickle + (["little_endian": .bool(true)] as Pickled).pickle + value.pickle
        data += Pickled.list(storages.map { .string($0.key) }).pickle
        for storage in storages { data += bytes(UInt64(storage.count)) + storage.data }
        return data
    }

    private static func bytes<Value: FixedWidthInteger>(_ value: Value) -> Data {
        withUnsafeBytes(of: value.littleEndian) { Data($0) }
    }

    /// A zip archive without compression.
    private static func zip(_ files: [String: Data], sharing: Bool = false) -> Data {
        var (data, directory) = (Data(), Data())
        // The place of each content. With `sharing`, equal contents are stored once, under all
        // their names.
        var places: [Data: Int] = [:]
        for (name, content) in files.sorted(by: { $0.key < $1.key }) {
            let path = Data("archive/\(name)".utf8)
            // Versions, flags, method, time and date; then the fields common to both kinds of
            // entry.
            let common =
                bytes(UInt16(20)) + Data(count: 8) + bytes(crc32(content)) + bytes(UInt32(content.count))
                + bytes(UInt32(content.count))
                + bytes(UInt16(path.count)) + bytes(UInt16(0))
            let offset = sharing ? places[content] ?? data.count : data.count
            if offset == data.count { data += Data("PK\u{3}\u{4}".utf8) + common + path + content }
            places[content] = offset
            directory +=
                Data("PK\u{1}\u{2}".utf8) + bytes(UInt16(20)) + common + Data(count: 10)
                + bytes(UInt32(offset)) + path
        }
        let count = UInt16(files.count)
        let end =
            Data("PK\u{5}\u{6}".utf8) + Data(count: 4) + bytes(count) + bytes(count)
            + bytes(UInt32(directory.count))
            + bytes(UInt32(data.count)) + Data(count: 2)
        return data + directory + end
    }

    private static func crc32(_ data: Data) -> UInt32 {
        ~data.reduce(UInt32.max) { crc, byte in
            (0..<8).reduce(crc ^ UInt32(byte)) { value, _ in
                value & 1 == 1 ? value >> 1 ^ 0xedb8_8320 : value >> 1
            }
        }
    }
}

extension Pickled: ExpressibleByDictionaryLiteral {
    init(dictionaryLiteral elements: (String, Pickled)...) {
        self = .dictionary(elements.map { (.string($0), $1) })
    }
}

func little<Element: BitwiseCopyable>(_ values: [Element]) -> Data { values.withUnsafeBytes { Data($0) } }
