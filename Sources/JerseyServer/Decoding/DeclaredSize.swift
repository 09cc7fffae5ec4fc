import Foundation

/// The size in an image's header, and whether the image is progressive, read without the decoding
/// libraries. The header may lie; the libraries, in their own process, find out.
struct DeclaredSize: Equatable {
    let pixels: Int
    let isProgressive: Bool

    /// The cost of decoding, in pixels of a baseline image.
    var cost: Int { isProgressive ? 8 * pixels : pixels }

    /// Nil if the data is neither PNG nor JPEG.
    init?(_ bytes: Data) {
        let size = bytes.withUnsafeBytes { bytes in Self.png(bytes) ?? Self.jpeg(bytes) }
        guard let size else { return nil }
        self = size
    }

    private init(_ width: Int, _ height: Int, isProgressive: Bool) {
        // Bounds each side, so that no sum overflows.
        let most = 1 << 24
        pixels = min(width, most) * min(height, most)
        self.isProgressive = isProgressive
    }

    private static func number(_ bytes: UnsafeRawBufferPointer, _ place: Int, _ count: Int) -> Int {
        bytes[place..<place + count].reduce(0) { $0 << 8 | Int($1) }
    }

    private static func png(_ bytes: UnsafeRawBufferPointer) -> DeclaredSize? {
        guard bytes.count >= 29, bytes[0] == 0x89, bytes[1] == UInt8(ascii: "P") else { return nil }
        return DeclaredSize(number(bytes, 16, 4), number(bytes, 20, 4), isProgressive: bytes[28] != 0)
    }

    private static func jpeg(_ bytes: UnsafeRawBufferPointer) -> DeclaredSize? {
        guard bytes.count >= 4, bytes[0] == 0xFF, bytes[1] == 0xD8 else { return nil }
        var place = 2
        while place + 9 < bytes.count {
            // Any bytes may lie between two segments.
            guard bytes[place] == 0xFF, bytes[place + 1] != 0xFF else {
                place += 1
                continue
            }
            let mark = bytes[place + 1]
            switch mark {
            case 0xC0...0xC3, 0xC5...0xC7, 0xC9...0xCB, 0xCD...0xCF:
                return DeclaredSize(
                    number(bytes, place + 7, 2), number(bytes, place + 5, 2), isProgressive: mark & 3 == 2)
            case 0x00, 0x01, 0xD0...0xD9: place += 2
            default: place += 2 + number(bytes, place + 2, 2)
            }
        }
        return nil
    }
}
