import Foundation
import TestSupport
import Testing

@testable import Jersey

@Suite struct ShardTests {
    @Test(arguments: [(10, 3), (3, 10), (1, 1), (1_000_000, 999), (7, 7)])
    func `Shards have all items once, in order, and are equally large`(total: Int, count: Int) throws {
        let shards = try (1...count).map { try Shard($0, of: count).items(of: total) }
        #expect(shards.flatMap(\.self) == Array(1...total))
        let sizes = Set(shards.map(\.count))
        #expect(sizes.max()! - sizes.min()! <= 1)
    }

    @Test(arguments: [
        ("0/10", "shards count from 1"), ("11/10", "there is no shard 11 of 10"), ("3", "number/count"),
        ("a/b", "number/count"), ("1/0", "1 to 1000000 shards"), ("-1/5", "no shard -1"),
        ("1/2/3", "17/1000"),
    ])
    func `A shard that does not exist is refused with the way to write it`(text: String, hint: String) {
        let error = #expect(throws: UsageError.self) { try Shard(text) }
        #expect(error?.description.contains(hint) == true, "\(error?.description ?? "")")
    }

    @Test(
        arguments: [
            ([:], nil, nil),
            (
                [
                    "SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_TASK_MIN": "1", "SLURM_ARRAY_TASK_MAX": "10",
                    "SLURM_ARRAY_TASK_COUNT": "10",
                ], nil, "3/10"
            ),
            (
                [
                    "SLURM_ARRAY_TASK_ID": "0", "SLURM_ARRAY_TASK_MIN": "0", "SLURM_ARRAY_TASK_MAX": "9",
                    "SLURM_ARRAY_TASK_COUNT": "10",
                ], nil, "1/10"
            ),
            // A task that runs again alone keeps its number.
            (
                ["SLURM_ARRAY_TASK_ID": "17", "SLURM_ARRAY_TASK_MIN": "17", "SLURM_ARRAY_TASK_COUNT": "1"],
                1000, "17/1000"
            ),
            (["AWS_BATCH_JOB_ARRAY_INDEX": "0", "AWS_BATCH_JOB_ARRAY_SIZE": "5"], nil, "1/5"),
            (["AWS_BATCH_JOB_ARRAY_INDEX": "4"], 5, "5/5"), (["JOB_COMPLETION_INDEX": "9"], 10, "10/10"),
        ] as [([String: String], Int?, String?)])
    func `Schedulers say which shard a task is`(variables: [String: String], count: Int?, shard: String?)
        throws
    {
        #expect(try Scheduler.shard(of: count, in: variables)?.description == shard)
    }

    @Test(
        arguments: [
            (["JOB_COMPLETION_INDEX": "9"], nil, "Kubernetes does not say how many"),
            (["JOB_COMPLETION_INDEX": "x"], 3, "no whole number"),
            (["JOB_COMPLETION_INDEX": "3"], 3, "are 0 to 2"), (["SLURM_ARRAY_TASK_ID": "0"], 3, "are 1 to 3"),
            (
                [
                    "SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_TASK_MIN": "3", "SLURM_ARRAY_TASK_MAX": "9",
                    "SLURM_ARRAY_TASK_COUNT": "2",
                ], nil, "not all shards"
            ),
        ] as [([String: String], Int?, String)])
    func `What a scheduler leaves open is asked for`(variables: [String: String], count: Int?, hint: String) {
        let error = #expect(throws: UsageError.self) { try Scheduler.shard(of: count, in: variables) }
        #expect(error?.description.contains(hint) == true, "\(error?.description ?? "")")
    }

    @Test
    func `Items of a manifest are counted without blank lines, and a broken line is one without a path`()
        throws
    {
        try withFolder { folder in
            let text =
                "\u{feff}{\"path\": \"a\"}\r\n\n  \n{\"path\": \"b\", \"boxes\": \"c\", \"id\": 7, \"x\": 1}\n{\"paht\": 1}\nno\n{\"path\":\"d\",\"id\":\"e\"}"
            try folder.add("list.jsonl", Data(text.utf8))
            let manifest = try Manifest(folder.appendingPathComponent("list.jsonl").path)
            #expect(manifest.count == 5)
            var items: [Result<Manifest.Item, FileError>] = []
            try manifest.read(1..<6) { number, item in
                items.append(item)
                #expect(number == items.count)
            }
            #expect(try items[0].get() == Manifest.Item(path: "a", boxes: nil, id: nil))
            #expect(try items[1].get() == Manifest.Item(path: "b", boxes: "c", id: "7"))
            #expect(throws: FileError.self) { try items[2].get() }
            #expect(throws: FileError.self) { try items[3].get() }
            #expect(try items[4].get().id == "e")
            var middle: [Int] = []
            try manifest.read(2..<4) { number, _ in middle.append(number) }
            #expect(middle == [2, 3])
        }
    }

    @Test(arguments: [
        ("", "no items"), ("\n\n", "no items"), ("path\na\n", "is not a manifest"),
        ("[1]", "is not a manifest"),
    ])
    func `A file that is no manifest is refused`(text: String, hint: String) throws {
        try withFolder { folder in
            try folder.add("list", Data(text.utf8))
            let error = #expect(throws: FileError.self) {
                try Manifest(folder.appendingPathComponent("list").path)
            }
            #expect(error?.description.contains(hint) == true, "\(error?.description ?? "")")
        }
    }

    @Test func `Manifests with other lines have other fingerprints`() throws {
        try withFolder { folder in
            var seen: Set<String> = []
            for (name, text) in [
                ("a", "{\"path\":\"a\"}\n"), ("b", "{\"path\":\"b\"}\n"), ("c", "{\"path\":\"a\"}\n\n"),
            ] {
                try folder.add(name, Data(text.utf8))
                seen.insert(try Manifest(folder.appendingPathComponent(name).path).fingerprint)
            }
            #expect(seen.count == 3)
        }
    }

    @Test func `A job array names its tasks as Slurm does, and their script keeps every word`() throws {
        #expect(ShardArray.ranges([1, 2, 3, 7, 9, 10]) == "1-3,7,9-10")
        try withFolder { folder in
            try folder.add(
                "task.sh", Data(ShardArray.script(["printf", "%s|", "it's $HOME", "a  b"], of: 9)))
            let call = try RunningProgram(
                "/bin/bash", [folder.appendingPathComponent("task.sh").path],
                environment: ["SLURM_ARRAY_TASK_ID": "4"], limit: .seconds(20))
            #expect(call.end().output == "it's $HOME|a  b|4/9|")
        }
    }
}
