import Hummingbird
import Synchronization

/// How many requests may be waiting or under way, and how many bytes their bodies may have. Whoever finds it full is told at once to come
/// again, so that those who are in have their answer in time and memory stays bounded.
final class Admission: Sendable {
    private struct State {
        var requests = 0
        var bytes = 0
    }

    private let requests: Int
    private let bytes: Int
    private let state = Mutex(State())

    init(requests: Int, bytes: Int) {
        (self.requests, self.bytes) = (requests, bytes)
    }

    /// Requests that are in.
    var count: Int { state.withLock { $0.requests } }

    private static let full = ServiceError(
        .tooManyRequests, "too many requests are waiting; try again in a second", retryAfter: 1)

    /// Before a body is read that likely is in vain.
    ///
    /// - Throws: `ServiceError` where it is full.
    func check() throws {
        guard count < requests else { throw Self.full }
    }

    /// - Throws: `ServiceError` where it is full; what `body` throws.
    func admitted<Output>(_ body: () async throws -> Output) async throws -> Output {
        try state.withLock {
            guard $0.requests < requests else { throw Self.full }
            $0.requests += 1
        }
        defer { state.withLock { $0.requests -= 1 } }
        return try await body()
    }

    /// Memory that is counted while `body` runs.
    ///
    /// - Parameter body: is given what takes so many bytes more, and throws where there are no more.
    func counted<Output>(_ body: ((Int) throws -> Void) async throws -> Output) async throws -> Output {
        let taken = Mutex(0)
        defer { state.withLock { $0.bytes -= taken.withLock { $0 } } }
        return try await body { count in
            try state.withLock {
                guard $0.bytes + count <= bytes else { throw Self.full }
                $0.bytes += count
            }
            taken.withLock { $0 += count }
        }
    }
}
