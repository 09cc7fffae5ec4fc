import Synchronization

/// Bounds the requests in flight, and the bytes of their bodies and images: in total and per
/// client. Requests beyond the bounds are refused at once, so accepted ones get their answer in
/// time and memory stays bounded.
final class Admission: Sendable {
    /// An amount of capacity.
    struct Room: Sendable {
        var requests = 0
        var bytes = 0
    }

    private struct State {
        var all = Room()
        var clients: [String: Room] = [:]
    }

    /// The memory that one request holds of the shared amount.
    final class MemoryPermit: Sendable {
        private let admission: Admission
        private let client: String
        /// Nil once released. A thread may still be decoding for a client that has left.
        private let taken = Mutex<Int?>(0)

        /// Only `withMemoryPermit` releases the permit.
        init(_ admission: Admission, _ client: String) {
            self.admission = admission
            self.client = client
        }

        /// Call this before allocating.
        ///
        /// - Throws: `ServiceError` if there is not enough left, or the client has left.
        func take(_ bytes: Int) throws {
            try taken.withLock { taken in
                guard let before = taken else { throw ServiceError.clientLeft }
                try admission.add(Room(bytes: bytes), client)
                taken = before + bytes
            }
        }

        /// Releases part of the permit.
        func release(_ bytes: Int) {
            taken.withLock { taken in
                guard let before = taken else { return }
                admission.remove(Room(bytes: bytes), client)
                taken = before - bytes
            }
        }

        fileprivate func release() {
            taken.withLock { taken in
                admission.remove(Room(bytes: taken ?? 0), client)
                taken = nil
            }
        }
    }

    private let most: Room
    private let mostOfClient: Room
    /// Capacity reserved for clients with few requests: an eighth, so that heavy clients cannot
    /// lock others out.
    private let reserve: Room
    /// The bound below which a client counts as light.
    private let little: Room
    private let state = Mutex(State())

    init(_ most: Room, ofClient mostOfClient: Room) {
        self.most = most
        self.mostOfClient = mostOfClient
        // No reserve if one client may take everything.
        reserve = Room(
            requests: mostOfClient.requests < most.requests ? most.requests / 8 : 0,
            bytes: mostOfClient.bytes < most.bytes ? most.bytes / 8 : 0)
        little = Room(requests: max(1, most.requests / 32), bytes: most.bytes / 32)
    }

    /// Requests in flight.
    var count: Int { state.withLock { $0.all.requests } }

    /// Checks for room before a body is read that would probably be refused.
    ///
    /// - Throws: `ServiceError` if there is no room.
    func check(_ client: String) throws {
        try state.withLock { try check($0, Room(requests: 1), client) }
    }

    /// - Throws: `ServiceError` if there is no room; what `body` throws.
    func admitted<Output>(_ client: String, _ body: () async throws -> Output) async throws -> Output {
        try add(Room(requests: 1), client)
        defer { remove(Room(requests: 1), client) }
        return try await body()
    }

    /// Releases the permit when `body` ends.
    func withMemoryPermit<Output>(_ client: String, _ body: (MemoryPermit) async throws -> Output)
        async throws -> Output
    {
        let permit = MemoryPermit(self, client)
        defer { permit.release() }
        return try await body(permit)
    }

    private func check(_ state: State, _ more: Room, _ client: String) throws {
        let own = state.clients[client] ?? Room()
        let isLittle = own.has(room: more, in: little)
        let open =
            isLittle
            ? most : Room(requests: most.requests - reserve.requests, bytes: most.bytes - reserve.bytes)
        if !state.all.has(room: more, in: open) {
            throw ServiceError(
                .tooManyRequests, "too many requests are waiting; try again in a second", retryAfter: 1)
        }
        if !own.has(room: more, in: mostOfClient) {
            throw ServiceError(
                .tooManyRequests,
                "too many of your requests are waiting; wait for their answers, or try again in a second",
                retryAfter: 1)
        }
    }

    fileprivate func add(_ more: Room, _ client: String) throws {
        try state.withLock { state in
            try check(state, more, client)
            state.all.add(more)
            state.clients[client, default: Room()].add(more)
        }
    }

    fileprivate func remove(_ less: Room, _ client: String) {
        state.withLock { state in
            let less = Room(requests: -less.requests, bytes: -less.bytes)
            state.all.add(less)
            state.clients[client, default: Room()].add(less)
            if state.clients[client]?.isEmpty == true { state.clients[client] = nil }
        }
    }
}

extension Admission.Room {
    fileprivate var isEmpty: Bool { requests == 0 && bytes == 0 }

    fileprivate func has(room more: Self, in most: Self) -> Bool {
        (more.requests == 0 || requests + more.requests <= most.requests)
            && (more.bytes == 0 || bytes + more.bytes <= most.bytes)
    }

    fileprivate mutating func add(_ more: Self) {
        requests += more.requests
        bytes += more.bytes
    }
}
