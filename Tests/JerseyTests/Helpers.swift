import Foundation
import Torch

@testable import Jersey

/// A folder that is gone afterwards.
func withFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("jersey-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder)
}

extension URL {
    /// Writes a file below this folder, with the folders that it needs.
    func add(_ path: String, _ content: Data = Data()) throws {
        let url = appendingPathComponent(path)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try content.write(to: url)
    }
}

/// A picture whose pixels tell it from others.
func picture(_ seed: Int, width: Int = 6, height: Int = 10) -> RGBImage {
    let pixels = (0..<width * height * 3).map { UInt8(truncatingIfNeeded: $0 * 13 + seed * 31 + $0 / width * seed) }
    return RGBImage(width: width, height: height, pixels: pixels)
}

func isClose(_ a: [Float], _ b: [Float], within tolerance: Float = 1e-4) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= tolerance * max(1, abs($1)) }
}
