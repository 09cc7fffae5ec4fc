import Foundation

/// The directory at the end of a zip file.
///
/// libtorch reads zip files, but it allocates the sizes that the directory claims for small records
/// before it checks them: 700 bytes can ask for gigabytes. So the sizes are looked up first.
struct ZipDirectory {
    /// Claimed sizes by name; if the directory breaks off, only the entries before.
    private(set) var sizes: [(name: String, bytes: UInt64)] = []

    init(_ bytes: UnsafeRawBufferPointer) {
        guard var place = Self.start(bytes) else { return }
        while bytes.count - place >= 46, Self.value(UInt32.self, bytes, place) == 0x0201_4b50 {
            let lengths = [28, 30, 32].map { Int(Self.value(UInt16.self, bytes, place + $0)) }
            guard bytes.count - place - 46 >= lengths[0] else { return }
            let name = String(decoding: bytes[place + 46..<place + 46 + lengths[0]], as: UTF8.self)
            sizes.append((name, UInt64(Self.value(UInt32.self, bytes, place + 24))))
            place += 46 + lengths.reduce(0, +)
        }
    }

    /// The directory's offset. The record after it holds the offset; large files have a further
    /// record for it.
    private static func start(_ bytes: UnsafeRawBufferPointer) -> Int? {
        let last = bytes.count - 22
        guard last >= 0,
            let end = (max(0, last - 65535)...last).last(where: {
                value(UInt32.self, bytes, $0) == 0x0605_4b50
            })
        else { return nil }
        var start = UInt64(value(UInt32.self, bytes, end + 16))
        if start == UInt32.max, end >= 20, value(UInt32.self, bytes, end - 20) == 0x0706_4b50 {
            let large = value(UInt64.self, bytes, end - 12)
            guard bytes.count >= 56, large <= UInt64(bytes.count - 56) else { return nil }
            start = value(UInt64.self, bytes, Int(large) + 48)
        }
        return start <= UInt64(bytes.count) ? Int(start) : nil
    }

    private static func value<Number: FixedWidthInteger>(
        _: Number.Type, _ bytes: UnsafeRawBufferPointer, _ place: Int
    ) -> Number {
        Number(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: Number.self))
    }
}
