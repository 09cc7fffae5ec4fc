import CVideo
import Foundation

/// Writes pictures as a video file without sound: H.264, or MPEG-4 if FFmpeg was built without
/// x264.
///
/// The file appears under its name when it is complete. A writer belongs to one thread.
package final class VideoWriter {
    package let path: String
    package let width: Int
    package let height: Int
    private let temporary: String
    private var writer: OpaquePointer?

    /// - Parameters:
    ///   - path: the file to write. Its ending decides the kind of file: mp4, mov or mkv.
    ///   - width: of the pictures, in pixels. The last column or row of an odd size is cut off.
    ///   - rate: approximate frames per second.
    ///   - pixelAspect: the width and height of a pixel; nil for square ones.
    /// - Throws: `FileError` if the file cannot be created.
    package init(
        _ path: String, width: Int, height: Int, rate: Double, pixelAspect: (x: Int, y: Int)? = nil
    ) throws {
        try Self.check(path)
        let url = URL(fileURLWithPath: path)
        guard width >= 2, height >= 2, width <= 16384, height <= 16384 else {
            throw FileError(path, "cannot have \(width)x\(height) pixels", advice: "sides are 2...16384")
        }
        self.path = path
        self.width = width
        self.height = height
        temporary =
            url.deletingLastPathComponent().appendingPathComponent(
                ".\(UUID().uuidString).\(url.lastPathComponent)"
            ).path
        let (status, message) = withVideoMessage { [temporary] message, capacity in
            temporary.withFileSystemPath {
                cv_writer_open(
                    $0, Int32(width), Int32(height), rate, Int32(clamping: pixelAspect?.x ?? 0),
                    Int32(clamping: pixelAspect?.y ?? 0), &writer, message, capacity)
            }
        }
        guard status == .ok else {
            _ = temporary.withFileSystemPath(unlink)
            throw FileError(path, "cannot be created: \(message.isEmpty ? "not enough memory" : message)")
        }
    }

    deinit {
        guard let writer else { return }
        cv_writer_close(writer)
        _ = temporary.withFileSystemPath(unlink)
    }

    /// Whether the path has the ending of a video that can be written.
    package static func canMake(_ path: String) -> Bool {
        ["mp4", "mov", "mkv"].contains(URL(fileURLWithPath: path).pathExtension.lowercased())
    }

    /// Checks an output path before any work is done.
    ///
    /// - Throws: `FileError` for another ending, and what `AtomicFile.check` throws.
    package static func check(_ path: String, unlike inputs: [String] = []) throws {
        guard canMake(path) else {
            throw FileError(path, "is not a video file name", advice: "use the ending .mp4, .mov or .mkv")
        }
        try AtomicFile.check(path, unlike: inputs)
    }

    /// Adds a picture of the writer's size, `time` seconds from the start. Times must increase.
    ///
    /// - Throws: `FileError` if it cannot be encoded or written.
    package func add(_ image: RGBImage, time: Double) throws {
        precondition(
            image.width == width && image.height == height, "a frame of \(image.width)x\(image.height)")
        let (status, message) = withVideoMessage { cv_writer_add(writer!, image.pixels, time, $0, $1) }
        guard status == .ok else { throw FileError(path, "cannot be written: \(message)") }
    }

    /// Completes the file and renames it to `path`. Nothing can be added afterwards.
    ///
    /// - Throws: `FileError`; any previous file is then unchanged.
    package func finish() throws {
        let (status, message) = withVideoMessage { cv_writer_finish(writer!, $0, $1) }
        guard status == .ok else { throw FileError(path, "cannot be written: \(message)") }
        guard temporary.withFileSystemPath({ from in path.withFileSystemPath { rename(from, $0) } }) == 0
        else {
            throw FileError(path, "cannot replace the file: \(SystemError().reason)")
        }
        cv_writer_close(writer!)
        writer = nil
    }

    /// "H.264" or "MPEG-4".
    package static var codec: String { String(cString: cv_writer_codec()) }
}
