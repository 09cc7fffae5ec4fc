import Foundation
import Hummingbird
import Synchronization

/// What one request may still cost, and until when anybody waits for it. Looked at between frames, wherever they are worked on.
final class Work: Sendable {
    private struct State {
        var pixels: Int
        var cpu: Double
        var end: ServiceError?
        var onEnd: (@Sendable () -> Void)?
    }

    /// That of the request which the task works for.
    @TaskLocal static var current: Work?

    /// Whose request this is: what there is to do is shared out by it.
    let client: String
    let limits: RequestLimits
    let deadline: ContinuousClock.Instant
    private let state: Mutex<State>

    init(_ limits: RequestLimits, of client: String) {
        self.limits = limits
        self.client = client
        deadline = .now + .seconds(limits.seconds)
        state = Mutex(State(pixels: limits.totalPixels, cpu: Double(limits.cpuSeconds)))
    }

    /// Why it was ended; nil where it goes on.
    var end: ServiceError? { state.withLock { $0.end } }

    /// - Throws: `ServiceError` where nobody waits any more, or it has taken too long.
    func check() throws {
        if let end { throw end }
        if .now > deadline { throw tooLate }
    }

    var tooLate: ServiceError {
        ServiceError(
            .serviceUnavailable,
            "the request is not answered within its \(limits.seconds) s; send less at once, or try again later",
            retryAfter: 10)
    }

    /// Ends it, for the first reason that is given.
    func end(_ reason: ServiceError) {
        let onEnd = state.withLock { state in
            guard state.end == nil else { return nil as (@Sendable () -> Void)? }
            state.end = reason
            return state.onEnd
        }
        onEnd?()
    }

    /// Calls `body` once it is ended, or now where it is.
    func onEnd(_ body: @escaping @Sendable () -> Void) {
        let isOver = state.withLock { state in
            state.onEnd = body
            return state.end != nil
        }
        if isOver { body() }
    }

    // MARK: What it costs

    var pixelsLeft: Int { state.withLock { $0.pixels } }

    /// Seconds that are left.
    var cpu: Double { state.withLock { $0.cpu } }

    /// - Throws: `ServiceError` where it is more than there was.
    func spend(pixels: Int) throws {
        let left = state.withLock { state in
            state.pixels -= pixels
            return state.pixels
        }
        if left < 0 { throw Self.tooManyPixels(limits) }
    }

    static func tooManyPixels(_ limits: RequestLimits) -> ServiceError {
        ServiceError(
            .contentTooLarge,
            "the request has more than \(limits.totalPixels / 1_000_000) million pixels in all its frames; send several, or smaller frames"
        )
    }

    /// Those of a sequence, which are decoded at once.
    static func tooManyPixelsTogether(_ most: Int) -> ServiceError {
        ServiceError(
            .contentTooLarge,
            "the frames have more than \(most / 1_000_000) million pixels together; cut them to the player, or scale them down"
        )
    }

    /// - Throws: `ServiceError` where it is more than there was.
    func spend(cpu seconds: Double) throws {
        let left = state.withLock { state in
            state.cpu -= seconds
            return state.cpu
        }
        if left < 0 { throw tooSlow }
    }

    var tooSlow: ServiceError {
        ServiceError(
            .unprocessableContent,
            "decoding the request takes more than its \(limits.cpuSeconds) s of a processor; send less at once, or smaller frames"
        )
    }
}
