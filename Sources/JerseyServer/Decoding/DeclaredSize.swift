import Foundation

/// What an image says of its size, and whether it is of a kind that is decoded in many passes; read without the libraries that decode.
/// Whoever lies here is found out by them, in a process of their own.
struct DeclaredSize: Equatable {
    let pixels: Int
    let isProgressive: Bool

    /// What decoding costs, in pixels of an image that is not progressive.
    var cost: Int { isProgressive ? 8 * pixels : pixels }

    /// Nil where it is neither a PNG nor a JPEG.
    init?(_ bytes: Data) {
        let size = bytes.withUnsafeBytes { bytes in Self.png(bytes) ?? Self.jpeg(bytes) }
        guard let size else { return nil }
        self = size
    }

    private init(_ width: Int, _ height: Int, isProgressive: Bool) {
        // No side is longer, and no sum of them too large for a number.
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
            // Anything may stand between two segments.
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
