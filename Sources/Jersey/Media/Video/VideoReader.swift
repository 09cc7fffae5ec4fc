import CVideo
import Foundation

/// A video, decoded once from its start, one frame at a time: a video file, or a folder of frames
/// as MOTChallenge and SoccerNet have them. Memory does not depend on its length.
///
/// Frame 0 is the first that can be decoded, as OpenCV and most trackers count. Pictures stand
/// upright. Damaged parts are passed over and counted; they are not an error. A reader belongs to
/// one thread.
public final class VideoReader {
    package struct Frame: Sendable, Equatable {
        /// From 0.
        package let index: Int
        /// Seconds from the start.
        package let time: Double
        /// Whether the decoder filled in missing parts of the picture.
        package let isDamaged: Bool
    }

    /// The usual endings of video names. Decoding does not depend on them.
    package static let endings: Set<String> = [
        "mp4", "mov", "mkv", "avi", "webm", "m4v", "mpg", "mpeg", "ts", "wmv",
    ]

    /// Whether a path names a video: by its ending, or as a folder of frames with a `seqinfo.ini`.
    package static func isVideo(_ path: String) -> Bool {
        let url = URL(fileURLWithPath: path)
        if FileNames.isFolder(url) {
            return FileNames.exists(url.appendingPathComponent(SequenceInformation.name).path)
        }
        return endings.contains(url.pathExtension.lowercased())
    }

    package let path: String
    /// The width of an upright picture in pixels. Frames of another size are scaled to it.
    public let width: Int
    /// The height of an upright picture in pixels. Frames of another size are scaled to it.
    public let height: Int
    /// Average frames per second; 25 if the file does not say.
    package let rate: Double
    /// The width and height of a pixel, in any unit; nil if it is square.
    package let pixelAspect: (x: Int, y: Int)?
    /// Approximate number of frames; nil if the file does not say.
    package let expectedFrames: Int?
    /// Frames decoded so far.
    package private(set) var count = 0
    /// How many pieces of the file were skipped, and what was wrong with the first.
    package private(set) var damage: (count: Int, first: String)?

    /// Nil if the frames come from a source.
    let reader: OpaquePointer?
    private let source: (any FrameSource)?
    /// What FFmpeg keeps a pointer to: a video in memory, or what gives its bytes.
    private let held: AnyObject?
    /// Whether the last call of `next()` returned a frame.
    private var hasFrame = false

    /// Opens a video at its start.
    ///
    /// - Parameters:
    ///   - path: a file that FFmpeg reads, such as MP4, MOV, MKV, WebM or AVI; or a folder of
    ///     frames, a sequence that has them in `img1`, a pattern such as `img1/%06d.jpg`, or an
    ///     archive of one of these.
    ///   - maximumPixels: the limit for width × height of a picture, compared before anything is
    ///     allocated.
    /// - Throws: `FileError` for a file that is missing, not a video, or too large.
    public convenience init(_ path: String, maximumPixels: Int = 64_000_000) throws {
        if let files = try FrameFiles(path) {
            self.init(path, try FrameFileReader(files, path, maximumPixels: maximumPixels))
            return
        }
        guard FileNames.exists(path) else { throw FileError(path, "does not exist") }
        try self.init(path, nil, maximumPixels) { opened, info, message, capacity in
            path.withFileSystemPath {
                cv_reader_open($0, Int64(maximumPixels), opened, info, message, capacity)
            }
        }
    }

    /// Opens a video in memory. No file is written, and decoding starts no further threads.
    ///
    /// - Parameters:
    ///   - name: what errors call the video.
    ///   - maximumPixels: the limit for width × height of a picture, compared before anything is
    ///     allocated.
    /// - Throws: `FileError` for data that is not a video, or too large.
    package convenience init(decoding bytes: Data, named name: String, maximumPixels: Int = 64_000_000) throws
    {
        // `NSData` keeps its bytes at one address.
        let kept = NSData(data: bytes)
        try self.init(name, kept, maximumPixels) {
            cv_reader_open_bytes(
                kept.bytes.assumingMemoryBound(to: UInt8.self), kept.length, Int64(maximumPixels), $0, $1, $2,
                $3)
        }
    }

    /// Opens a video whose bytes a function gives. Decoding starts no further threads.
    ///
    /// - Parameters:
    ///   - count: the size of the file in bytes.
    ///   - name: what errors call the video.
    ///   - maximumPixels: the limit for width × height of a picture, compared before anything is
    ///     allocated.
    ///   - read: fills a buffer with the bytes at an offset; false if they cannot be read.
    /// - Throws: `FileError` for data that is not a video, or too large.
    package convenience init(
        count: Int, named name: String, maximumPixels: Int = 64_000_000,
        read: @escaping (Int, UnsafeMutableRawBufferPointer) -> Bool
    ) throws {
        let bytes = BytesOnDemand(read: read)
        let context = Unmanaged.passUnretained(bytes).toOpaque()
        try self.init(name, bytes, maximumPixels) {
            cv_reader_open_source(
                { context, offset, buffer, count in
                    Unmanaged<BytesOnDemand>.fromOpaque(context).takeUnretainedValue().read(
                        Int(offset), UnsafeMutableRawBufferPointer(start: buffer, count: count))
                }, context, Int64(count), Int64(maximumPixels), $0, $1, $2, $3)
        }
    }

    private final class BytesOnDemand {
        let read: (Int, UnsafeMutableRawBufferPointer) -> Bool

        init(read: @escaping (Int, UnsafeMutableRawBufferPointer) -> Bool) {
            self.read = read
        }
    }

    /// - Parameters:
    ///   - path: what errors call the video.
    ///   - held: what FFmpeg keeps a pointer to.
    init(
        _ path: String, _ held: AnyObject?, _ maximumPixels: Int,
        _ open: (
            UnsafeMutablePointer<OpaquePointer?>, UnsafeMutablePointer<cv_info>, UnsafeMutablePointer<CChar>,
            Int
        ) ->
            cv_status
    ) throws {
        var info = cv_info()
        var opened: OpaquePointer?
        let (status, message) = withVideoMessage { open(&opened, &info, $0, $1) }
        guard let opened, status == .ok else {
            switch status {
            case .no_video:
                throw FileError(path, "contains no video", advice: "give the file that has the pictures")
            case .unsupported:
                throw FileError(
                    path, "is not a readable video (\(message))",
                    advice:
                        "use MP4, MOV, MKV, WebM, AVI or MPEG; check that the file is complete, or convert it"
                )
            case .too_large:
                throw FileError(
                    path, "is \(info.width)x\(info.height), more than the limit of \(maximumPixels) pixels",
                    advice: "scale it down")
            default:
                throw FileError(path, "cannot be read: \(message.isEmpty ? "not enough memory" : message)")
            }
        }
        reader = opened
        source = nil
        self.held = held
        self.path = path
        width = Int(info.width)
        height = Int(info.height)
        rate = info.rate > 0 && info.rate <= 1000 ? info.rate : 25
        expectedFrames = info.frames > 0 ? Int(info.frames) : nil
        pixelAspect = info.aspect_x > 0 ? (Int(info.aspect_x), Int(info.aspect_y)) : nil
    }

    /// A video whose frames somebody else decodes.
    package init(_ path: String, _ source: any FrameSource) {
        reader = nil
        held = nil
        self.path = path
        self.source = source
        width = source.width
        height = source.height
        rate = source.rate ?? 25
        expectedFrames = source.expectedFrames
        pixelAspect = nil
    }

    deinit {
        if let reader { cv_reader_close(reader) }
    }

    /// The numbers that the names of the first and the last frame's files have; nil for a video
    /// file.
    package var fileNumbers: ClosedRange<Int>? { (source as? FrameFileReader)?.files.numbers }

    /// Decodes the next frame; nil after the last.
    ///
    /// - Throws: `FileError` if memory runs out, or if the file ends without a single frame.
    package func next() throws -> Frame? {
        guard let reader else { return try nextOfSource() }
        while true {
            var frame = cv_frame()
            let (status, message) = withVideoMessage { cv_reader_next(reader, &frame, $0, $1) }
            switch status {
            case .ok:
                count += 1
                hasFrame = true
                return Frame(
                    index: count - 1, time: frame.time < 0 ? Double(count - 1) / rate : frame.time,
                    isDamaged: frame.damaged)
            case .end:
                hasFrame = false
                guard count > 0 else {
                    let reason = damage.map { " (\($0.first))" } ?? ""
                    throw FileError(
                        path, "has no frame that can be decoded\(reason)", advice: "copy or export it again")
                }
                return nil
            case .damaged:
                damage = ((damage?.count ?? 0) + 1, damage?.first ?? "\(message), after frame \(count)")
            default: throw FileError(path, "cannot be decoded further: \(message)")
            }
        }
    }

    private func nextOfSource() throws -> Frame? {
        let next = try source?.next()
        damage = source?.damage
        hasFrame = next != nil
        guard let next else { return nil }
        count += 1
        return Frame(
            index: count - 1, time: next.time ?? Double(count - 1) / rate, isDamaged: next.isDamaged)
    }

    /// A part of the last decoded frame. `area` must be non-empty and inside the frame.
    ///
    /// - Throws: `FileError` when memory runs out.
    package func crop(_ area: PixelArea) throws -> RGBImage {
        precondition(hasFrame, "there is no frame: next() was not called, or returned nil")
        precondition(
            area.isInside(width: width, height: height), "\(area) is not inside a frame of \(width)x\(height)"
        )
        guard let reader else {
            return try source?.crop(area) ?? RGBImage(width: 1, height: 1, pixels: [0, 0, 0])
        }
        var isDone = false
        let pixels = [UInt8](unsafeUninitializedCapacity: area.width * area.height * 3) { buffer, count in
            count = area.width * area.height * 3
            isDone = cv_reader_copy(
                reader, Int32(area.left), Int32(area.top), Int32(area.width), Int32(area.height),
                buffer.baseAddress!)
            // Uninitialized memory must not be read.
            if !isDone { buffer.initialize(repeating: 0) }
        }
        guard isDone else {
            throw FileError(path, "frame \(count) cannot be converted, or there is not enough memory")
        }
        return RGBImage(width: area.width, height: area.height, pixels: pixels)
    }

    /// The whole of the last decoded frame.
    package func image() throws -> RGBImage {
        try crop(PixelArea(left: 0, top: 0, width: width, height: height))
    }

    /// How many frames a video in memory has, counted without decoding.
    package static func frameCount(in bytes: Data, maximumPixels: Int = 64_000_000) -> Int {
        bytes.withUnsafeBytes {
            Int(
                cv_count_frames(
                    $0.baseAddress?.assumingMemoryBound(to: UInt8.self), $0.count, Int64(maximumPixels)))
        }
    }

    /// The version of FFmpeg.
    package static var libraryVersion: String { String(cString: cv_version()) }
}

/// Frames that are not decoded by a reader itself: pictures in files, or those of another process.
package protocol FrameSource: AnyObject {
    /// The size of an upright picture, in pixels.
    var width: Int { get }
    var height: Int { get }
    /// Frames per second; nil if unknown.
    var rate: Double? { get }
    /// Approximate; nil if unknown.
    var expectedFrames: Int? { get }
    /// How much was passed over so far, and what was wrong with the first of it.
    var damage: (count: Int, first: String)? { get }

    /// Moves to the next frame; nil after the last. Its time is in seconds from the start, nil if
    /// only the rate tells.
    func next() throws -> (time: Double?, isDamaged: Bool)?
    /// A part of the current frame, inside it.
    func crop(_ area: PixelArea) throws -> RGBImage
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
        left >= 0 && top >= 0 && self.width > 0 && self.height > 0 && left + self.width <= width
            && top + self.height <= height
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
