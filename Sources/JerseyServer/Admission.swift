import Hummingbird
import Synchronization

/// How many requests may be waiting or under way, and how many bytes their bodies and pictures may have. Whoever finds it full is told at
/// once to come again, so that those who are in have their answer in time and memory stays bounded.
final class Admission: Sendable {
    private struct State {
        var requests = 0
        var bytes = 0
    }

    /// What one request holds of the memory that all share.
    final class Claim: Sendable {
        private let admission: Admission
        /// Nil once it has been given back: a thread may go on decoding for a client that has left.
        private let taken = Mutex<Int?>(0)

        fileprivate init(_ admission: Admission) {
            self.admission = admission
        }

        /// Before memory is given to it.
        ///
        /// - Throws: `ServiceError` where there is not as much left, or nobody waits any more.
        func take(_ bytes: Int) throws {
            try taken.withLock { taken in
                guard let before = taken else { throw ServiceError.clientLeft }
                try admission.state.withLock {
                    guard $0.bytes + bytes <= admission.bytes else { throw Admission.full }
                    $0.bytes += bytes
                }
                taken = before + bytes
            }
        }

        fileprivate func giveBack() {
            taken.withLock { taken in
                admission.state.withLock { $0.bytes -= taken ?? 0 }
                taken = nil
            }
        }
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

    /// Gives back what was claimed once `body` has ended.
    func claiming<Output>(_ body: (Claim) async throws -> Output) async throws -> Output {
        let claim = Claim(self)
        defer { claim.giveBack() }
        return try await body(claim)
    }
}
