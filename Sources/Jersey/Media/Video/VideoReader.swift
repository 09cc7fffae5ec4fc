import CVideo
import Foundation

/// A video file, decoded once from its start, one frame at a time. Memory does not depend on its length.
///
/// Frame 0 is the first that can be decoded, as OpenCV and most trackers count. Pictures stand upright. Damaged
/// parts are passed over and counted; they are not an error. A reader belongs to one thread.
public final class VideoReader {
    package struct Frame: Sendable, Equatable {
        /// From 0.
        package let index: Int
        /// Seconds from the start.
        package let time: Double
        /// Parts of the picture were made up for what is missing in the file.
        package let isDamaged: Bool
    }

    /// What names of videos usually end in; what is decoded does not go by them.
    package static let endings: Set<String> = ["mp4", "mov", "mkv", "avi", "webm", "m4v", "mpg", "mpeg", "ts", "wmv"]

    package let path: String
    /// The width of an upright picture in pixels. Frames of another size are scaled to it.
    public let width: Int
    /// The height of an upright picture in pixels. Frames of another size are scaled to it.
    public let height: Int
    /// Frames a second, on average; 25 where the file does not say.
    package let rate: Double
    /// About how many frames there are; nil where the file does not say.
    package let expectedFrames: Int?
    /// Frames decoded so far.
    package private(set) var count = 0
    /// Pieces of the file that were passed over, and what was wrong with the first.
    package private(set) var damage: (count: Int, first: String)?

    private let reader: OpaquePointer
    /// Where they are read from, if not from a file.
    private let bytes: NSData?
    /// Whether a frame was decoded last, and not the end reached.
    private var hasFrame = false

    /// Opens a video at its start.
    ///
    /// - Parameters:
    ///   - path: a file that FFmpeg reads, such as MP4, MOV, MKV, WebM or AVI.
    ///   - maximumPixels: the limit for width × height of a picture, compared before anything is allocated.
    /// - Throws: `FileError` for a file that is missing, not a video, or too large.
    public convenience init(_ path: String, maximumPixels: Int = 16_000_000) throws {
        guard FileNames.exists(path) else { throw FileError(path, "does not exist") }
        guard !FileNames.isFolder(URL(fileURLWithPath: path)) else { throw FileError(path, "is a folder, not a video") }
        try self.init(path, nil, maximumPixels) { opened, info, message, capacity in
            path.withFileSystemPath { cv_reader_open($0, Int64(maximumPixels), opened, info, message, capacity) }
        }
    }

    /// A video in memory, of which no file is made, and which is decoded without further threads.
    ///
    /// - Parameters:
    ///   - name: what errors call it.
    ///   - maximumPixels: of a picture; compared before anything is allocated for it.
    /// - Throws: `FileError` for what is no video, or too large.
    package convenience init(decoding bytes: Data, named name: String, maximumPixels: Int = 16_000_000) throws {
        // In Foundation's hands, where it stays in one place.
        let kept = NSData(data: bytes)
        try self.init(name, kept, maximumPixels) {
            cv_reader_open_bytes(
                kept.bytes.assumingMemoryBound(to: UInt8.self), kept.length, Int64(maximumPixels), $0, $1, $2, $3)
        }
    }

    private init(
        _ path: String, _ bytes: NSData?, _ maximumPixels: Int,
        _ open: (UnsafeMutablePointer<OpaquePointer?>, UnsafeMutablePointer<cv_info>, UnsafeMutablePointer<CChar>, Int) ->
            cv_status
    ) throws {
        var info = cv_info()
        var opened: OpaquePointer?
        let (status, message) = withVideoMessage { open(&opened, &info, $0, $1) }
        guard let opened, status == .ok else {
            switch status {
            case .no_video: throw FileError(path, "holds no video", advice: "give the file with the pictures")
            case .unsupported:
                throw FileError(
                    path, "is no video that can be read (\(message))",
                    advice: "MP4, MOV, MKV, WebM, AVI and MPEG files can; check that the file is whole, or convert it")
            case .too_large:
                throw FileError(
                    path, "is \(info.width)x\(info.height), more than the limit of \(maximumPixels) pixels",
                    advice: "scale it down")
            default: throw FileError(path, "cannot be read: \(message.isEmpty ? "not enough memory" : message)")
            }
        }
        reader = opened
        self.bytes = bytes
        self.path = path
        width = Int(info.width)
        height = Int(info.height)
        rate = info.rate > 0 && info.rate <= 1000 ? info.rate : 25
        expectedFrames = info.frames > 0 ? Int(info.frames) : nil
    }

    deinit {
        cv_reader_close(reader)
    }

    /// Decodes the next frame; nil behind the last.
    ///
    /// - Throws: `FileError` when memory runs out, or when the file ends without a single frame.
    package func next() throws -> Frame? {
        while true {
            var frame = cv_frame()
            let (status, message) = withVideoMessage { cv_reader_next(reader, &frame, $0, $1) }
            switch status {
            case .ok:
                count += 1
                hasFrame = true
                return Frame(
                    index: count - 1, time: frame.time < 0 ? Double(count - 1) / rate : frame.time, isDamaged: frame.damaged)
            case .end:
                hasFrame = false
                guard count > 0 else {
                    let reason = damage.map { " (\($0.first))" } ?? ""
                    throw FileError(path, "has no frame that can be decoded\(reason)", advice: "copy or export it again")
                }
                return nil
            case .damaged: damage = ((damage?.count ?? 0) + 1, damage?.first ?? "\(message), after frame \(count)")
            default: throw FileError(path, "cannot be decoded further: \(message)")
            }
        }
    }

    /// A part of the frame decoded last; `area` lies inside of it and is not empty.
    ///
    /// - Throws: `FileError` when memory runs out.
    package func crop(_ area: PixelArea) throws -> RGBImage {
        precondition(hasFrame, "no frame is there: next() was not called, or gave nil")
        precondition(area.isInside(width: width, height: height), "no \(area) in a frame of \(width)x\(height)")
        var isDone = false
        let pixels = [UInt8](unsafeUninitializedCapacity: area.width * area.height * 3) { buffer, count in
            count = area.width * area.height * 3
            isDone = cv_reader_copy(
                reader, Int32(area.left), Int32(area.top), Int32(area.width), Int32(area.height), buffer.baseAddress!)
            // What was not written must not be looked at.
            if !isDone { buffer.initialize(repeating: 0) }
        }
        guard isDone else { throw FileError(path, "frame \(count) cannot be converted, or there is not enough memory") }
        return RGBImage(width: area.width, height: area.height, pixels: pixels)
    }

    /// The whole frame decoded last.
    package func image() throws -> RGBImage { try crop(PixelArea(left: 0, top: 0, width: width, height: height)) }

    /// FFmpeg's.
    package static var libraryVersion: String { String(cString: cv_version()) }
}

/// A rectangle of whole pixels.
package struct PixelArea: Sendable, Equatable {
    package var left, top, width, height: Int

    package init(left: Int, top: Int, width: Int, height: Int) {
        self.left = left
        self.top = top
        self.width = width
        self.height = height
    }

    func isInside(width: Int, height: Int) -> Bool {
        left >= 0 && top >= 0 && self.width > 0 && self.height > 0 && left + self.width <= width && top + self.height <= height
    }
}

/// Calls C with room for a message, and returns what was written there.
func withVideoMessage(_ body: (UnsafeMutablePointer<CChar>, Int) -> cv_status) -> (cv_status, String) {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
        buffer.initialize(repeating: 0)
        let status = body(buffer.baseAddress!, buffer.count)
        return (status, String(cString: buffer.baseAddress!))
    }
}
