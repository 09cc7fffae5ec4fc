import CVideo
import Foundation

/// Videos that come while they are made.
extension VideoReader {
    /// Opens an address on the network, as far as `LiveVideo.isAddress` knows it.
    ///
    /// - Parameters:
    ///   - name: what errors call the video.
    ///   - stops: asked while nothing comes, as long as the reader is there; true gives up.
    /// - Throws: `FileError` where nothing can be read there.
    convenience init(
        address: String, named name: String, maximumPixels: Int = 64_000_000,
        stops: @escaping @Sendable () -> Bool
    ) throws {
        let held = Stops(isOver: stops)
        try self.init(name, held, maximumPixels) {
            cv_reader_open_address(
                address, { Unmanaged<Stops>.fromOpaque($0).takeUnretainedValue().isOver() },
                Unmanaged.passUnretained(held).toOpaque(), Int64(maximumPixels), $0, $1, $2, $3)
        }
    }

    /// Opens a video that comes through a pipe.
    ///
    /// - Throws: `FileError` for what is no video.
    convenience init(_ pipe: PipedInput, named name: String, maximumPixels: Int = 64_000_000) throws {
        try self.init(name, pipe, maximumPixels) {
            cv_reader_open_pipe(
                { pipe, buffer, count in
                    Int32(
                        Unmanaged<PipedInput>.fromOpaque(pipe).takeUnretainedValue().read(
                            into: UnsafeMutableRawBufferPointer(start: buffer, count: Int(count))))
                }, Unmanaged.passUnretained(pipe).toOpaque(), Int64(maximumPixels), $0, $1, $2, $3)
        }
    }

    private final class Stops: Sendable {
        let isOver: @Sendable () -> Bool

        init(isOver: @escaping @Sendable () -> Bool) {
            self.isOver = isOver
        }
    }

    /// After the end: why a live video was lost; nil if it was complete.
    var loss: String? {
        guard let reader else { return nil }
        var isLost = false
        let (_, message) = withVideoMessage {
            isLost = cv_reader_lost(reader, $0, $1)
            return .ok
        }
        return isLost ? message : nil
    }

    /// How long it has waited for data, in seconds.
    package var secondsWaited: Double { reader.map { cv_reader_waited($0) } ?? 0 }

    /// Passes over frames on which no other depends, which takes less time.
    package func hurry(_ hurries: Bool) {
        if let reader { cv_reader_hurry(reader, hurries) }
    }
}
