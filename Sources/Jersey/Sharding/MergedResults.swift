import Foundation

/// The results of all shards as one, in the order of the manifest.
package struct MergedResults {
    private let results: ShardedResults
    /// Items that could not be read, once `problems()` was asked.
    package private(set) var unreadItems = 0

    package init(_ results: ShardedResults) { self.results = results }

    /// What keeps the results from being whole, in sentences; empty if they are.
    ///
    /// - Throws: `FileError` if a part cannot be read.
    package mutating func problems() throws -> [String] {
        let missing = results.unfinished
        var problems: [String] = []
        if !missing.isEmpty {
            problems.append(
                "\(Self.listed(missing, "shard")) of \(results.description.shards) \(missing.count == 1 ? "is" : "are") missing"
            )
        }
        let own = Set((1...results.description.shards).map(results.partName))
        let strangers = (FileNames.list(results.folder.path) ?? []).filter {
            $0.hasPrefix(ShardedResults.partPrefix) && $0.hasSuffix(".jsonl") && !own.contains($0)
        }
        problems += strangers.sorted().map { "\(Shown.text($0)) is of other shards" }
        unreadItems = 0
        let gone = Set(missing)
        for number in 1...results.description.shards where !gone.contains(number) {
            problems += try self.problems(of: number)
        }
        return problems
    }

    private mutating func problems(of number: Int) throws -> [String] {
        let items = try Shard(number, of: results.description.shards).items(of: results.description.items)
        let lines = try LineFile(results.part(number).path)
        var (missing, doubles, others, damaged) = ([Int](), [Int](), [Int](), [Int]())
        var next = items.lowerBound
        while let head = try lines.next(ItemResult.head) {
            guard let (item, isError) = head, lines.isTerminated else {
                damaged.append(lines.count)
                continue
            }
            unreadItems += isError ? 1 : 0
            if !items.contains(item) {
                others.append(item)
            } else if item >= next {
                missing += next..<item
                next = item + 1
            } else if item < next - 1 {
                doubles.append(item)
            }
        }
        missing += next..<items.upperBound
        let name = results.partName(number)
        return [
            (damaged, "line", "damaged"), (missing, "item", "missing"),
            (doubles, "item", "there twice"), (others, "item", "of another shard"),
        ].compactMap { numbers, kind, state in
            numbers.isEmpty
                ? nil
                : "\(name): \(Self.listed(numbers, kind)) \(numbers.count == 1 ? "is" : "are") \(state)"
        }
    }

    /// Calls `body` with each line in the order of the manifest, without its line end.
    package func read(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        for number in 1...results.description.shards {
            let lines = try LineFile(results.part(number).path)
            while try lines.next(body) != nil {}
        }
    }

    /// "shards 3, 17-20 and 5 more".
    private static func listed(_ numbers: [Int], _ kind: String) -> String {
        let ranges = Set(numbers).sorted().ranges
        let shown = ranges.prefix(10).map {
            $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)"
        }
        let rest = ranges.dropFirst(10).reduce(0) { $0 + $1.count }
        return "\(kind)\(numbers.count == 1 ? "" : "s") \(shown.joined(separator: ", "))"
            + (rest > 0 ? " and \(rest) more" : "")
    }
}
