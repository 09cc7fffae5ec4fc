import Foundation
import TestSupport
import Testing

@testable import Jersey

@Suite struct ShardedResultsTests {
    private func manifest(_ count: Int, in folder: URL) throws -> Manifest {
        try folder.add(
            "list.jsonl", Data((1...count).map { "{\"path\":\"\($0)\"}\n" }.joined().utf8))
        return try Manifest(folder.appendingPathComponent("list.jsonl").path)
    }

    private func open(_ folder: URL, _ manifest: Manifest, shards: Int, _ settings: [String: String] = [:])
        throws -> ShardedResults
    {
        try ShardedResults(
            folder.appendingPathComponent("results"),
            of: .init(manifest, shards: shards, settings: settings))
    }

    private func lines(_ items: Range<Int>) -> [ItemResult] {
        // Every third item has two lines.
        items.flatMap { item in
            (0..<(item % 3 == 0 ? 2 : 1)).map { line in
                ItemResult(item: item, id: "\(item)-\(line)", path: "p/\(item)", error: "is \"no\"\nfile")
            }
        }
    }

    private func write(_ results: ShardedResults, _ shard: Shard) throws {
        let part = try #require(try PartWriter(results, shard))
        while !part.rest.isEmpty { try part.add(lines(part.next)) }
        try part.finish()
    }

    private func merged(_ results: ShardedResults) throws -> [String] {
        var text: [String] = []
        try MergedResults(results).read { text.append(String(decoding: $0, as: UTF8.self)) }
        return text
    }

    @Test(arguments: [0, 1, 37, 5000, 40_000, 70_000])
    func `A part that is cut anywhere goes on with a whole chunk, and ends with the same bytes`(cut: Int)
        throws
    {
        try withFolder { folder in
            let manifest = try manifest(1000, in: folder)
            let results = try open(folder, manifest, shards: 2)
            let shard = try Shard(2, of: 2)
            try write(results, shard)
            let whole = try Data(contentsOf: results.part(2))
            #expect(try PartWriter(results, shard) == nil)
            try FileManager.default.removeItem(at: results.part(2))
            // A kill leaves a file of any length, and perhaps zeros at its end.
            let partial = results.part(2).appendingPathExtension("partial")
            try (whole.prefix(cut) + Data(count: cut % 2 == 0 ? 100 : 0)).write(to: partial)
            let part = try #require(try PartWriter(results, shard))
            #expect((part.rest.lowerBound - 501) % PartWriter.chunkSize == 0)
            #expect(part.isResumed == (cut > 60_000))
            while !part.rest.isEmpty { try part.add(lines(part.next)) }
            try part.finish()
            #expect(try Data(contentsOf: results.part(2)) == whole)
            #expect(!FileManager.default.fileExists(atPath: partial.path))
        }
    }

    @Test func `Two writers of one shard exclude each other`() throws {
        try withFolder { folder in
            let results = try open(folder, try manifest(10, in: folder), shards: 1)
            let first = try #require(try PartWriter(results, try Shard(1, of: 1)))
            let error = #expect(throws: FileError.self) { try PartWriter(results, try Shard(1, of: 1)) }
            #expect(error?.description.contains("another process") == true)
            withExtendedLifetime(first) {}
        }
    }

    @Test func `Results of something else are refused, with what differs`() throws {
        try withFolder { folder in
            let manifest = try manifest(10, in: folder)
            _ = try open(folder, manifest, shards: 2, ["target": "0.99"])
            _ = try open(folder, manifest, shards: 2, ["target": "0.99"])
            func refusal(_ manifest: Manifest, shards: Int, _ settings: [String: String]) -> String {
                let error = #expect(throws: FileError.self) {
                    try open(folder, manifest, shards: shards, settings)
                }
                return error?.description ?? ""
            }
            #expect(refusal(manifest, shards: 3, ["target": "0.99"]).contains("in 2 shards, not 3"))
            #expect(refusal(manifest, shards: 2, [:]).contains("target = 0.99, not its default"))
            #expect(
                refusal(manifest, shards: 2, ["target": "0.99", "a": "b"]).contains("a = its default, not b"))
            let other = try self.manifest(11, in: folder)
            #expect(refusal(other, shards: 2, ["target": "0.99"]).contains("of another manifest"))
        }
    }

    @Test func `Whole results are merged in order; what is missing, double or damaged is named`() throws {
        try withFolder { folder in
            let results = try open(folder, try manifest(20, in: folder), shards: 7)
            func problems() throws -> [String] {
                var merged = MergedResults(results)
                return try merged.problems()
            }
            for number in [1, 2, 4, 7] { try write(results, Shard(number, of: 7)) }
            #expect(try problems() == ["shards 3, 5-6 of 7 are missing"])
            for number in [3, 5, 6] { try write(results, Shard(number, of: 7)) }
            #expect(try problems() == [])
            let expected = try lines(1..<21).map { try $0.text() }
            #expect(try merged(results) == expected)

            let part = results.part(3)
            let whole = try Data(contentsOf: part)
            #expect(try Shard(3, of: 7).items(of: 20) == 6..<9)
            for (change, words) in [
                (Data(), "items 6-8 are missing"), (whole + whole, "items 6-7 are there twice"),
                (whole.dropLast(10), "is damaged"), (try line(9) + whole, "item 9 is of another shard"),
                (whole + Data("x\n".utf8), "line 5 is damaged"),
            ] {
                try change.write(to: part)
                let found = try problems()
                #expect(found.contains { $0.contains(words) }, "\(found)")
            }
            try whole.write(to: part)
            try folder.add("results/part-00001-of-00003.jsonl")
            #expect(try problems() == ["part-00001-of-00003.jsonl is of other shards"])
        }
    }

    private func line(_ item: Int) throws -> Data { try lines(item..<item + 1)[0].line() }

    @Test func `An error is one bounded line that can be read back`() throws {
        let result = ItemResult(
            item: 12, id: "a\"b", path: String(repeating: "x", count: 5000),
            error: String(repeating: "no\n", count: 4000))
        let line = try result.line()
        #expect(line.count < 5000 && line.last == 10 && line.dropLast().allSatisfy { $0 != 10 })
        let read: ItemResult = try JSON.decoded(from: line)
        #expect(read == result && read.error?.isEmpty == false)
        let head = line.dropLast().withUnsafeBytes(ItemResult.head)
        #expect(head?.item == 12 && head?.isError == true)
    }
}

extension ItemResult {
    fileprivate func text() throws -> String { String(decoding: try line().dropLast(), as: UTF8.self) }
}
