/// One of the equal parts into which the items of a manifest are divided: the first of three has the
/// first third of them. So the parts in order are the manifest in order, and the items of one
/// archive are mostly in one shard.
package struct Shard: Sendable, Equatable, CustomStringConvertible {
    /// From 1.
    package let number: Int
    /// How many shards there are.
    package let count: Int

    package static let counts = 1...1_000_000

    /// - Throws: `UsageError` if there is no such shard.
    package init(_ number: Int, of count: Int) throws {
        guard Self.counts.contains(count) else {
            throw UsageError("there may be 1 to \(Self.counts.upperBound) shards, not \(count)")
        }
        guard 1...count ~= number else {
            throw UsageError(
                "there is no shard \(number) of \(count); shards count from 1, so the first is 1/\(count) and the last \(count)/\(count)"
            )
        }
        self.number = number
        self.count = count
    }

    /// - Parameter text: such as "17/1000", the seventeenth of a thousand.
    /// - Throws: `UsageError` if it is not such a text, or there is no such shard.
    package init(_ text: String) throws {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count == 2, let number = parts[0], let count = parts[1] else {
            throw UsageError(
                "a shard is written as number/count, such as 17/1000 for the seventeenth of a thousand, not '\(Shown.text(text, limit: 40))'"
            )
        }
        try self.init(number, of: count)
    }

    package var description: String { "\(number)/\(count)" }

    /// The items of this shard, counted from 1.
    ///
    /// - Parameter total: of all shards.
    package func items(of total: Int) -> Range<Int> {
        (number - 1) * total / count + 1..<number * total / count + 1
    }
}
