import NIOCore
import Synchronization

/// Who is connected. No client may have more connections than its share, and where there is no room for a new one, that one is closed
/// that has waited for its next request the longest: who does nothing stands in nobody's way.
final class Connections: Sendable {
    private struct Entry {
        let client: String
        /// Nil while a request is under way.
        var idleSince: ContinuousClock.Instant?
        let close: @Sendable () -> Void
    }

    private let most: Int
    private let mostOfClient: Int
    private let entries = Mutex<[ObjectIdentifier: Entry]>([:])

    /// - Parameters:
    ///   - most: of all clients.
    ///   - mostOfClient: of one address.
    init(most: Int, mostOfClient: Int) {
        self.most = most
        self.mostOfClient = mostOfClient
    }

    /// A client is known by the address that it comes from.
    static func client(of channel: any Channel) -> String { channel.remoteAddress?.ipAddress ?? "nowhere" }

    /// Takes a place: for a new connection, or for a request on one whose place may have been given away a moment ago.
    ///
    /// - Parameters:
    ///   - isIdle: whether it waits for a request, and gives its place up where another connection needs it.
    ///   - close: closes the connection; called once there is a need for its place, from any thread.
    /// - Throws: `ServiceError` where there is no room, and nobody idle to make some.
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
                        .tooManyRequests, "you have \(own) connections with requests under way; wait for answers", retryAfter: 1)
                }
            } else if entries.count >= most {
                // Whoever has most gives one up.
                let counts = entries.values.reduce(into: [:]) { $0[$1.client, default: 0] += 1 }
                for (client, _) in counts.sorted(by: { $0.value > $1.value }) where evicted == nil {
                    evicted = Self.longestIdle(entries) { $0 == client }
                }
                guard evicted != nil else {
                    throw ServiceError(.serviceUnavailable, "all connections are in use; try again in a second", retryAfter: 1)
                }
            }
            entries[id] = entry
            guard let evicted else { return nil }
            return entries.removeValue(forKey: evicted)?.close
        }
        closing?()
    }

    /// The last of the requests that had begun is answered.
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
