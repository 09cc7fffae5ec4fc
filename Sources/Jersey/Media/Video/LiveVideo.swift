import CVideo
import Foundation
import Synchronization

/// A video that comes while it is made, from an address or a pipe. An address that is lost is opened
/// again, and the clock goes on. It belongs to one thread.
package final class LiveVideo {
    package enum Source {
        /// As in `isAddress`.
        case address(String)
        case pipe(PipedInput)
    }

    /// Whether a path is an address on the network: rtsp, rtsps, rtp, udp, tcp, srt, http or https.
    package static func isAddress(_ path: String) -> Bool { path.withCString(cv_is_address) }

    /// What errors and frames call the video: without the password in an address.
    package let name: String
    /// The video as it was opened last.
    package private(set) var video: VideoReader?
    /// How many times it was opened again.
    package private(set) var reconnections = 0

    /// The name and the password in an address, with the "@" behind them, which FFmpeg's messages quote.
    private let secret: String
    private let source: Source
    private let patience: Double
    private let watch: Watch
    private let remark: (String) -> Void
    private let start = ContinuousClock.now
    /// The moment at which the video began that is open, and that of the last frame.
    private var (offset, moment) = (0.0, 0.0)
    private var hasBegun = false
    private var firstArrival: ContinuousClock.Instant?

    /// The longest time without data before an address counts as lost, in seconds.
    private static let silence = 10.0
    /// The longest time between two attempts, in seconds.
    private static let longestPause = 15.0

    /// - Parameters:
    ///   - patience: for how many seconds an address that is lost is tried again; 0 ends at once.
    ///   - isStopped: whether to end; asked several times a second while nothing comes.
    ///   - remark: gets a sentence whenever the video is lost or found.
    package init(
        _ source: Source, patience: Double, isStopped: @escaping @Sendable () -> Bool,
        remark: @escaping (String) -> Void
    ) {
        self.source = source
        self.patience = patience
        self.remark = remark
        watch = Watch(isStopped: isStopped)
        switch source {
        case .pipe: (name, secret) = ("standard input", "")
        case .address(let address):
            secret = Self.secret(in: address)
            name = secret.isEmpty ? address : address.replacing(secret, with: "", maxReplacements: 1)
        }
    }

    private static func secret(in address: String) -> String {
        guard let mark = address.firstRange(of: "://") else { return "" }
        let authority = address[mark.upperBound...].prefix { !"/?#".contains($0) }
        // "udp://@:1234" has neither.
        guard let at = authority.lastIndex(of: "@"), at > authority.startIndex else { return "" }
        return String(authority[...at])
    }

    private func harmless(_ reason: String) -> String {
        secret.isEmpty ? reason : reason.replacing(secret, with: "")
    }

    /// The next frame, and its moment in seconds from the start; nil at the end, or when stopped.
    ///
    /// - Throws: `FileError` for what is no video, or where an address stays lost.
    package func next() throws -> (frame: VideoReader.Frame, moment: Double)? {
        while !watch.isStopped() {
            let video = try self.video ?? connect()
            guard let video else { return nil }
            watch.wait(Self.silence)
            var loss: String?
            do {
                if let frame = try video.next() {
                    hasBegun = true
                    if firstArrival == nil { firstArrival = .now }
                    // A sender may set its clock back.
                    moment = max(moment, offset + frame.time)
                    return (frame, moment)
                }
                loss = video.loss.map(harmless)
            } catch let error as FileError {
                guard case .address = source else { throw error }
                loss = harmless(error.reason)
            }
            guard case .address = source, let loss, !watch.isStopped() else { return nil }
            guard patience > 0 else { throw FileError(name, "was lost: \(loss)") }
            remark("\(name) was lost (\(loss)); trying again for \(Int(patience)) s")
            self.video = nil
            reconnections += 1
        }
        return nil
    }

    /// Opens the source, after pauses of growing length; nil when stopped.
    private func connect() throws -> VideoReader? {
        let end = ContinuousClock.now + .seconds(patience)
        var pause = 0.5
        while !watch.isStopped() {
            do {
                watch.wait(max(Self.silence, hasBegun ? 0 : patience))
                let opened = try open()
                if hasBegun { remark("\(name) is back") }
                if let firstArrival { offset = max(moment, (ContinuousClock.now - firstArrival).seconds) }
                video = opened
                return opened
            } catch let error as FileError {
                if watch.isStopped() { return nil }
                let reason = harmless(error.reason)
                guard case .address = source, ContinuousClock.now + .seconds(pause) < end else {
                    throw FileError(name, reason, advice: error.advice)
                }
                remark("\(name) cannot be opened (\(reason)); trying again in \(pause) s")
                let next = ContinuousClock.now + .seconds(pause)
                while .now < next, !watch.isStopped() { usleep(50_000) }
                pause = min(pause * 2, Self.longestPause)
            }
        }
        return nil
    }

    private func open() throws -> VideoReader {
        switch source {
        case .pipe(let pipe): try VideoReader(pipe, named: name)
        case .address(let address):
            try VideoReader(address: address, named: name) { [watch] in watch.isOver() }
        }
    }

    /// When to stop waiting.
    private final class Watch: Sendable {
        let isStopped: @Sendable () -> Bool
        private let end = Mutex(ContinuousClock.now)

        init(isStopped: @escaping @Sendable () -> Bool) {
            self.isStopped = isStopped
        }

        func wait(_ seconds: Double) { end.withLock { $0 = .now + .seconds(seconds) } }

        func isOver() -> Bool { isStopped() || end.withLock { $0 < .now } }
    }
}
