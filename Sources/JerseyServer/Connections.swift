import NIOCore
import Synchronization

/// Tracks open connections. Each client may have only its share. If there is no room for a new
/// connection, the one idle the longest is closed, so idle clients block nobody.
final class Connections: Sendable {
    private struct Entry {
        let client: String
        /// Nil while a request is in flight.
        var idleSince: ContinuousClock.Instant?
        let close: @Sendable () -> Void
    }

    private let most: Int
    private let mostOfClient: Int
    private let entries = Mutex<[ObjectIdentifier: Entry]>([:])

    /// - Parameters:
    ///   - most: the limit for all clients together.
    ///   - mostOfClient: the limit for one address.
    init(most: Int, mostOfClient: Int) {
        self.most = most
        self.mostOfClient = mostOfClient
    }

    /// Clients are identified by their address.
    static func client(of channel: any Channel) -> String { channel.remoteAddress?.ipAddress ?? "nowhere" }

    /// Registers a new connection, or again one whose place was just given away when a request
    /// arrived on it.
    ///
    /// - Parameters:
    ///   - isIdle: whether it waits for a request, and may be closed to make room.
    ///   - close: closes the connection; may be called from any thread.
    /// - Throws: `ServiceError` if there is no room and no idle connection to close.
    func enter(
        _ id: ObjectIdentifier, of client: String, isIdle: Bool = true, close: @escaping @Sendable () -> Void
    ) throws {
        let entry = Entry(client: client, idleSince: isIdle ? .now : nil, close: close)
        let closing = try entries.withLock { entries -> (@Sendable () -> Void)? in
            guard entries[id] == nil else {
                entries[id] = entry
                return nil
            }
            let own = entries.values.count { $0.client == client }
            var evicted: ObjectIdentifier?
            if own >= mostOfClient {
                evicted = Self.longestIdle(entries) { $0 == client }
                guard evicted != nil else {
                    throw ServiceError(
                        .tooManyRequests,
                        "you have \(own) connections with requests in flight; wait for their answers",
                        retryAfter: 1)
                }
            } else if entries.count >= most {
                // Evict from the client with the most connections.
                let counts = entries.values.reduce(into: [:]) { $0[$1.client, default: 0] += 1 }
                for (client, _) in counts.sorted(by: { $0.value > $1.value }) where evicted == nil {
                    evicted = Self.longestIdle(entries) { $0 == client }
                }
                guard evicted != nil else {
                    throw ServiceError(
                        .serviceUnavailable, "all connections are in use; try again in a second",
                        retryAfter: 1)
                }
            }
            entries[id] = entry
            guard let evicted else { return nil }
            return entries.removeValue(forKey: evicted)?.close
        }
        closing?()
    }

    /// All requests on the connection are answered.
    func rest(_ id: ObjectIdentifier) {
        entries.withLock { $0[id]?.idleSince = .now }
    }

    func leave(_ id: ObjectIdentifier) {
        entries.withLock { _ = $0.removeValue(forKey: id) }
    }

    private static func longestIdle(
        _ entries: [ObjectIdentifier: Entry], of isMeant: (String) -> Bool
    ) -> ObjectIdentifier? {
        entries.compactMap { id, entry in entry.idleSince.flatMap { isMeant(entry.client) ? (id, $0) : nil } }
            .min { $0.1 < $1.1 }?.0
    }
}
