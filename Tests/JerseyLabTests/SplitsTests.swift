import Foundation
import TestSupport
import Testing

@testable import Jersey
@testable import JerseyLab

@Suite("Splits")
struct SplitsTests {
    /// `counts` tracks of each number, with dense ids as in SoccerNet.
    private func dataset(
        _ counts: KeyValuePairs<String, Int> = ["7": 10, "8": 25, "10": 3], sequences: Int = 2
    ) -> Dataset {
        var id = 0
        let all = counts.flatMap { number, count in
            (0..<count).flatMap { _ in
                id += 7
                let track = "\(number)/track_\(id)"
                return (0..<sequences).map {
                    FrameSequence(
                        id: "\(track)/\($0)", track: track, number: JerseyNumber(number),
                        frames: ["\(id).jpg"], anchor: nil)
                }
            }
        }
        return Dataset(root: "", sequences: all, remarks: [])
    }

    private func config(_ change: (inout DataConfig) -> Void = { _ in }) -> DataConfig {
        var config = DataConfig()
        change(&config)
        return config
    }

    @Test(
        arguments: [
            (0, 0, 0, 0), (1, 0, 0, 1), (2, 1, 1, 0), (3, 2, 1, 0), (4, 3, 1, 0), (5, 4, 1, 0), (6, 4, 1, 1),
            (9, 7, 1, 1),
            (10, 8, 1, 1),
            (20, 16, 2, 2), (25, 20, 2, 3), (39, 31, 3, 5), (100, 80, 10, 10),
        ])
    func `Sizes are the study's`(_ count: Int, _ train: Int, _ val: Int, _ test: Int) {
        #expect(Splits.sizes(count, ratios: [0.8, 0.1, 0.1]) == (train, val, test))
    }

    @Test(
        arguments: [[1, 0, 0], [0, 0, 1], [0.98, 0.01, 0.01], [0.4, 0.3, 0.3]])
    func `Sizes always add up, and training has a track where there are two`(_ ratios: [Double]) {
        for count in 0...60 {
            let sizes = Splits.sizes(count, ratios: ratios)
            #expect(
                sizes.train + sizes.val + sizes.test == count && min(sizes.train, sizes.val, sizes.test) >= 0)
            #expect(count < 2 || sizes.train >= 1)
        }
    }

    @Test
    func `Every track is on one side, numbers are stratified, and all sequences of a track stay together`()
        throws
    {
        let data = dataset()
        let splits = try Splits(data, config())
        #expect(splits.train.union(splits.val).union(splits.test) == Set(data.tracks))
        #expect(splits.train.count + splits.val.count + splits.test.count == data.tracks.count)
        for (number, train, val) in [("7", 8, 1), ("8", 20, 2), ("10", 2, 1)] {
            func count(_ part: Splits.Part) -> Int {
                splits[part].filter { $0.hasPrefix(number + "/") }.count
            }
            #expect(count(.train) == train && count(.val) == val)
        }
        #expect(
            Splits.Part.allCases.reduce(0) { $0 + splits.sequences($1, of: data).count }
                == data.sequences.count)
        #expect(splits.seenNumbers(in: data) == Set(data.numbers))
    }

    @Test func `A split depends on the seed, not on the order of the data`() throws {
        let data = dataset()
        let mixed = Dataset(root: "", sequences: data.sequences.reversed(), remarks: [])
        for pattern in [nil, #"_(\d+)\d$"#] {
            let splits = try Splits(data, config { $0.groupPattern = pattern })
            #expect(try Splits(mixed, config { $0.groupPattern = pattern }) == splits)
            let other = try Splits(
                data,
                config {
                    $0.groupPattern = pattern
                    $0.splitSeed = 1
                })
            #expect(other.train != splits.train)
        }
    }

    @Test func `Groups never straddle parts, and the parts come near their ratios`() throws {
        let data = dataset(["7": 60, "8": 50, "10": 40])
        let config = config { $0.groupPattern = #"_(\d+)\d\d$"# }
        let pattern = try GroupPattern(config.groupPattern!)
        let splits = try Splits(data, config)
        for (a, b) in [(splits.train, splits.val), (splits.train, splits.test), (splits.val, splits.test)] {
            #expect(Set(a.map(pattern.group)).isDisjoint(with: b.map(pattern.group)))
        }
        #expect(
            0.7...0.9 ~= Double(splits.train.count) / 150 && splits.val.count >= 5 && splits.test.count >= 5)
        #expect(throws: Never.self) { try splits.checkLeaks(config, path: "s") }
    }

    @Test func `A group is what the captures match, or the whole match, or the track itself`() throws {
        #expect(try GroupPattern(#"track_(\d)\d*"#).group(of: "8/track_123") == "1")
        #expect(try GroupPattern(#"^\d+"#).group(of: "8/track_123") == "8")
        #expect(try GroupPattern(#"(\d)/.*_(\d)"#).group(of: "8/track_123") == "8/1")
        #expect(try GroupPattern("nothing").group(of: "8/track_123") == "8/track_123")
        let error = #expect(throws: UsageError.self) { try GroupPattern("(") }
        #expect(error?.description.contains("'('") == true)
    }

    // MARK: held-out numbers

    private var crowd: Dataset {
        dataset(
            ["1": 4, "2": 6, "10": 12, "11": 9, "12": 1, "20": 12, "21": 8, "22": 7, "30": 5, "31": 14],
            sequences: 1)
    }

    @Test(
        arguments: [nil, #"_(\d+)\d\d$"#],
        1...5 as ClosedRange<UInt64>)
    func `Held-out numbers are in test alone, and training keeps every digit`(
        _ pattern: String?, _ seed: UInt64
    ) throws {
        let config = config { ($0.groupPattern, $0.splitSeed, $0.heldOutShare) = (pattern, seed, 0.25) }
        let splits = try Splits(crowd, config)
        let numbers = Set(splits.heldOut.compactMap { JerseyNumber($0.prefix { $0 != "/" }) })
        #expect(numbers.count == 2 && numbers.allSatisfy { $0.tens != JerseyNumber.blank })
        #expect(splits.heldOut == Set(crowd.sequences.filter { numbers.contains($0.number!) }.map(\.track)))
        #expect(
            splits.test.isSuperset(of: splits.heldOut)
                && splits.train.union(splits.val).isDisjoint(with: splits.heldOut))
        var plainConfig = config
        plainConfig.heldOutShare = 0
        let plain = try Splits(crowd, plainConfig)
        #expect(
            splits.train == plain.train.subtracting(splits.heldOut)
                && splits.val == plain.val.subtracting(splits.heldOut))
        let (seen, all) = (splits.seenNumbers(in: crowd), plain.seenNumbers(in: crowd))
        #expect(seen == all.subtracting(numbers) && Set(seen.map(\.tens)) == Set(all.map(\.tens)))
        #expect(Set(seen.map(\.ones)) == Set(all.map(\.ones)))
        #expect(throws: Never.self) { try splits.checkLeaks(config, path: "s") }
        #expect(
            try Splits(Dataset(root: "", sequences: crowd.sequences.reversed(), remarks: []), config)
                == splits)
    }

    @Test func `As many numbers are held out as the digits allow; if none, it says so`() throws {
        let most = try Splits(crowd, config { $0.heldOutShare = 0.99 })
        let seen = most.seenNumbers(in: crowd)
        #expect(
            Set(seen.map(\.tens)) == [JerseyNumber.blank, 1, 2, 3] && Set(seen.map(\.ones)) == [0, 1, 2])
        for data in [dataset(["7": 10, "8": 25, "10": 6]), dataset(["7": 9])] {
            let error = #expect(throws: UsageError.self) {
                try Splits(data, config { $0.heldOutShare = 0.2 })
            }
            #expect(error?.description.contains("no two-digit number can be held out") == true)
        }
    }

    @Test func `What is held out is kept in the file, and another share is refused`() throws {
        try withFolder { folder throws in
            let url = folder.appendingPathComponent("splits.json")
            let config = config { ($0.groupPattern, $0.heldOutShare) = (#"_(\d+)\d\d$"#, 0.2) }
            let made = try Splits.forRun(crowd, config, at: url)
            #expect(try Splits.forRun(crowd, config, at: url) == made && made.origin?.heldOutShare == 0.2)
            var other = config
            other.heldOutShare = 0
            let error = #expect(throws: FileError.self) { try Splits.forRun(crowd, other, at: url) }
            #expect(error?.reason.contains("held-out share 0.2") == true)
            let text = String(
                decoding: JSON.text(try JSON.line(Splits(crowd, self.config()))).utf8, as: UTF8.self)
            #expect(!text.contains("held"))
        }
    }

    // MARK: files

    @Test func `A split is made once, written in the study's form, and read back`() throws {
        try withFolder { folder throws in
            let url = folder.appendingPathComponent("splits.json")
            let made = try Splits.forRun(dataset(), config(), at: url)
            #expect(try Splits.forRun(dataset(), config(), at: url) == made)
            let json = try #require(
                try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any])
            #expect(json["train_tracks"] as? [String] == made.train.sorted() && json["origin"] != nil)
            let bytes = try Data(contentsOf: url)
            try made.write(to: url)
            #expect(try Data(contentsOf: url) == bytes)
        }
    }

    @Test func `The study's own files, which have no origin, are taken whatever the seed`() throws {
        try withFolder { folder throws in
            let data = dataset(["7": 3], sequences: 1)
            try folder.add(
                "s.json",
                Data(
                    #"{"train_tracks":["7/track_7"],"val_tracks":["7/track_14"],"test_tracks":["7/track_21"]}"#
                        .utf8))
            let url = folder.appendingPathComponent("s.json")
            let splits = try Splits.forRun(data, config { $0.splitSeed = 99 }, at: url)
            #expect(splits.origin == nil && splits.val == ["7/track_14"])
            try splits.write(to: url)
            #expect(try Splits(contentsOf: url) == splits)
            #expect(try !String(contentsOf: url, encoding: .utf8).contains("origin"))
        }
    }

    @Test func `A split that does not fit data or configuration is an error that says what to do`() throws {
        try withFolder { folder throws in
            let url = folder.appendingPathComponent("splits.json")
            let data = dataset(["7": 10])
            _ = try Splits.forRun(data, config(), at: url)
            func refused(_ data: Dataset, _ config: DataConfig, _ reason: String) {
                let error = #expect(throws: FileError.self) { try Splits.forRun(data, config, at: url) }
                #expect(
                    error?.reason.contains(reason) == true && error?.advice?.contains("delete it") == true
                        && error?.path == url.path)
            }
            refused(dataset(["7": 12]), config(), "lacks track 7/track_77 and 1 others")
            refused(
                dataset(["7": 9]), config(), "names track 7/track_70 and 0 others that the data set lacks")
            refused(data, config { $0.splitSeed = 1 }, "was made with seed 42")
            refused(data, config { $0.ratios = [0.5, 0.25, 0.25] }, "ratios [0.8, 0.1, 0.1]")
            refused(data, config { $0.groupPattern = "x" }, "group pattern none")
            for broken in ["{}", "[", "{\"train_tracks\": 1}", ""] {
                try folder.add("splits.json", Data(broken.utf8))
                let error = #expect(throws: FileError.self) { try Splits.forRun(data, config(), at: url) }
                #expect(error?.reason.contains("is not a splits file") == true)
            }
        }
    }

    @Test func `A track or a group on two sides is a leak`() throws {
        var splits = Splits()
        splits.train = ["7/track_101", "7/track_201"]
        splits.test = ["8/track_150"]
        #expect(throws: Never.self) { try splits.checkLeaks(config(), path: "s") }
        let error = #expect(throws: FileError.self) {
            try splits.checkLeaks(config { $0.groupPattern = #"_(\d)"# }, path: "s")
        }
        #expect(error?.reason == "leaks: 7/track_101 is in train and 8/track_150 in test, both in group '1'")
        splits.val = ["7/track_101"]
        #expect(throws: FileError.self) { try splits.checkLeaks(config(), path: "s") }
    }
}
