import Foundation
import Hummingbird
import Jersey
import Torch

/// Frames as they come with one request, made into sequences. Runs on a decoding thread.
struct Upload {
    let limits: RequestLimits
    private let claim: Admission.Claim
    private var frames = 0
    private var pixels = 0

    init(_ limits: RequestLimits, _ claim: Admission.Claim) {
        (self.limits, self.claim) = (limits, claim)
    }

    // MARK: Frames

    /// A sequence of pictures. What cannot be decoded is left out when it is read, and told.
    ///
    /// - Parameter frames: names and JPEG or PNG bytes, in time order; a name with "anchor" marks the frame in which the number is seen best.
    /// - Throws: `ServiceError` where there are none, or more than the limits allow.
    mutating func sequence(_ id: String, _ frames: [(name: String, bytes: Data)]) throws -> FrameSequence {
        guard !frames.isEmpty else {
            throw ServiceError(.unprocessableContent, "\(id) has no frames; send at least one JPEG or PNG image")
        }
        try count(frames: frames.count)
        // All headers before the first picture, so that nothing is decoded in vain.
        let before = pixels
        for (name, bytes) in frames { try count(pixelsOf: try? ImageInfo(decoding: bytes, named: name)) }
        // They are kept until the answer is made, and other requests' beside them.
        try claim.take(3 * (pixels - before))
        let images = try frames.map { name, bytes -> Result<RGBImage, ImageError> in
            do {
                return .success(try RGBImage(decoding: bytes, named: name, maximumPixels: limits.framePixels))
            } catch let error as ImageError {
                return .failure(error)
            }
        }
        let names = frames.map(\.name)
        return FrameSequence(
            id: id, track: id, number: nil, frames: names, images: images,
            anchor: names.firstIndex(where: FrameOrder.isAnchor))
    }

    // MARK: Films

    /// The pictures of a short film of one player. Of one that is too large not every picture is taken.
    ///
    /// - Throws: `ServiceError` for a film that is too long; `FileError` for what is no film.
    mutating func film(_ id: String, _ bytes: Data, named name: String) throws -> FrameSequence {
        let (names, images) = try Self.withFile(bytes, named: name) { path in
            let video = try VideoReader(path, maximumPixels: limits.framePixels)
            let size = video.width * video.height
            // What a file says of its length may be anything.
            let expected = min(video.expectedFrames ?? 1, limits.frames)
            let step = max(1, (expected * size + limits.pixels - 1) / limits.pixels)
            var names: [String] = []
            var images: [Result<RGBImage, ImageError>] = []
            while let frame = try video.next() {
                try count(frames: 1, of: name)
                guard frame.index % step == 0 else { continue }
                try count(pixels: size)
                try claim.take(3 * size)
                let picture = "\(name)#frame=\(frame.index)"
                names.append(picture)
                images.append(
                    frame.isDamaged
                        ? .failure(ImageError(name: picture, reason: .corrupt("damaged in the video")))
                        : .success(try video.image()))
            }
            return (names, images)
        }
        return FrameSequence(id: id, track: id, number: nil, frames: names, images: images, anchor: nil)
    }

    // MARK: Archives

    /// The sequences in a zip or tar file: a folder of frames, or a tree of them.
    ///
    /// - Throws: `ServiceError` where there are more than the limits allow; `FileError` for what is no archive or must not be trusted.
    mutating func archive(_ bytes: Data, named name: String) throws -> [FrameSequence] {
        var unpacking = UnpackedArchive.Limits()
        unpacking.entries = 2 * limits.frames
        unpacking.entryBytes = min(limits.bodyBytes, 16 << 20)
        unpacking.bytes = 2 * limits.bodyBytes
        let archive = try Self.withFile(bytes, named: name) {
            try UnpackedArchive($0, called: name, limits: unpacking)
        }
        let sequences = try UnlabelledSequences(archive).sequences
        guard sequences.count <= limits.sequences else {
            throw ServiceError(
                .contentTooLarge, "\(name) has \(sequences.count) sequences, more than the limit of \(limits.sequences); split it"
            )
        }
        for sequence in sequences {
            try count(frames: sequence.frames.count)
            // They are decoded sequence by sequence.
            pixels = 0
            for index in sequence.frames.indices {
                try count(pixelsOf: try? ImageInfo(contentsOf: URL(fileURLWithPath: sequence.file(index))))
            }
        }
        return sequences
    }

    // MARK: Limits

    private mutating func count(frames more: Int, of name: String = "the request") throws {
        frames += more
        guard frames <= limits.frames else {
            throw ServiceError(.contentTooLarge, "\(name) has more than \(limits.frames) frames; send fewer, or a part of it")
        }
    }

    /// One that is too large, or none, is not decoded.
    private mutating func count(pixelsOf frame: ImageInfo?) throws {
        if let frame, frame.width * frame.height <= limits.framePixels { try count(pixels: frame.width * frame.height) }
    }

    private mutating func count(pixels more: Int) throws {
        pixels += more
        guard pixels <= limits.pixels else {
            throw ServiceError(
                .contentTooLarge,
                "the frames have more than \(limits.pixels / 1_000_000) million pixels together; cut them to the player, or scale them down"
            )
        }
    }

    /// A name that is fit for a path, a log and a page.
    static func plain(_ name: String?, or fallback: String) -> String {
        let last = (name ?? "").split(whereSeparator: { "/\\".contains($0) }).last.map(String.init) ?? ""
        // A path's parts have 255 bytes, and a character up to four.
        let plain = String(
            last.unicodeScalars.filter { $0.properties.generalCategory != .control }.prefix(60).map(Character.init))
        return plain.isEmpty || plain.hasPrefix(".") ? fallback : plain
    }

    /// Lends bytes as a file to libraries that want one.
    ///
    /// - Throws: what `body` throws, `FileError` with `name` for the file.
    private static func withFile<Output>(_ bytes: Data, named name: String, _ body: (String) throws -> Output) throws -> Output {
        guard let folder = try? TemporaryFolder(.upload), let file = try? folder.write(bytes, named: "upload") else {
            throw ServiceError(.serviceUnavailable, "there is no room for the upload; try again later", retryAfter: 60)
        }
        defer { withExtendedLifetime(folder) {} }
        do {
            return try body(file.path)
        } catch let error as FileError where error.path == file.path {
            throw FileError(name, error.reason, advice: error.advice)
        }
    }
}
