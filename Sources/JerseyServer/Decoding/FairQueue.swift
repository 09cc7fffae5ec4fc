/// A queue that serves several clients in turn, each first in, first out. A client with many items
/// does not hold up the others.
struct FairQueue<Element> {
    private var lines: [String: [Element]] = [:]
    /// Clients with waiting items, the next one first.
    private var turns: [String] = []
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    /// The first item of each client.
    var heads: [Element] { lines.values.compactMap(\.first) }

    mutating func append(_ element: Element, of client: String) {
        if lines[client] == nil { turns.append(client) }
        lines[client, default: []].append(element)
        count += 1
    }

    mutating func popFirst() -> Element? {
        guard !turns.isEmpty else { return nil }
        let client = turns.removeFirst()
        guard var line = lines.removeValue(forKey: client), !line.isEmpty else { return nil }
        let element = line.removeFirst()
        count -= 1
        if !line.isEmpty {
            lines[client] = line
            turns.append(client)
        }
        return element
    }

    mutating func remove(of client: String, where isMeant: (Element) -> Bool) -> Element? {
        guard let place = lines[client]?.firstIndex(where: isMeant),
            let element = lines[client]?.remove(at: place)
        else {
            return nil
        }
        count -= 1
        if lines[client]?.isEmpty == true {
            lines[client] = nil
            turns.removeAll { $0 == client }
        }
        return element
    }
}
