import Foundation
import Hummingbird
import Synchronization

/// One request's remaining budget and its deadline. Checked between frames, on whatever thread they
/// are processed.
final class Work: Sendable {
    private struct State {
        var pixels: Int
        var cpu: Double
        var end: ServiceError?
        var onEnd: (@Sendable () -> Void)?
    }

    /// The budget of the request that the current task works for.
    @TaskLocal static var current: Work?

    /// The client, used to share work fairly.
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

    /// Why the request ended; nil while it is running.
    var end: ServiceError? { state.withLock { $0.end } }

    /// - Throws: `ServiceError` if the client has left, or the deadline has passed.
    func check() throws {
        if let end { throw end }
        if .now > deadline { throw tooLate }
    }

    var tooLate: ServiceError {
        ServiceError(
            .serviceUnavailable,
            "the request timed out after \(limits.seconds) s; send less at once, or try again later",
            retryAfter: 10)
    }

    /// Ends the request. Only the first reason counts.
    func end(_ reason: ServiceError) {
        let onEnd = state.withLock { state in
            guard state.end == nil else { return nil as (@Sendable () -> Void)? }
            state.end = reason
            return state.onEnd
        }
        onEnd?()
    }

    /// Calls `body` when the request ends, or now if it has ended.
    func onEnd(_ body: @escaping @Sendable () -> Void) {
        let isOver = state.withLock { state in
            state.onEnd = body
            return state.end != nil
        }
        if isOver { body() }
    }

    // MARK: What it costs

    var pixelsLeft: Int { state.withLock { $0.pixels } }

    /// CPU seconds left.
    var cpu: Double { state.withLock { $0.cpu } }

    /// - Throws: `ServiceError` if that exceeds the budget.
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
            "the request has more than \(limits.totalPixels / 1_000_000) million pixels in all its frames; send several requests or smaller frames"
        )
    }

    /// The error for a sequence whose frames, decoded together, are too large.
    static func tooManyPixelsTogether(_ most: Int) -> ServiceError {
        ServiceError(
            .contentTooLarge,
            "the frames have more than \(most / 1_000_000) million pixels together; crop them to the player or scale them down"
        )
    }

    /// - Throws: `ServiceError` if that exceeds the budget.
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
            "decoding the request takes more than \(limits.cpuSeconds) s of CPU time; send less at once, or smaller frames"
        )
    }
}
