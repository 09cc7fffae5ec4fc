import Foundation
import TestSupport
import Testing

@testable import Jersey
@testable import JerseyLab

@Suite struct SoccerNetFormatTests {
    private func read(_ folder: URL, classes: [String]? = nil, unreadable: Bool = false) throws -> Dataset {
        var config = DataConfig()
        (config.path, config.format, config.classes, config.unreadable) = (
            folder.path, "soccernet", classes, unreadable
        )
        return try Dataset(config)
    }

    @Test func `Players become tracks with their numbers, and long ones several sequences`() throws {
        try withFolder { folder in
            for frame in 1...100 { try folder.add("images/12/12_\(frame).jpg") }
            for player in ["3", "4"] { try folder.add("images/\(player)/\(player)_1.jpg") }
            try folder.add("images/5/readme.txt")
            try folder.add("train_gt.json", Data(#"{"12": 7, "3": 10, "4": -1, "5": 0, "900": 1}"#.utf8))
            let dataset = try read(folder)
            #expect(dataset.tracks == ["7/12", "10/3"] && dataset.numbers.map(\.description) == ["7", "10"])
            #expect(dataset.sequences.map(\.id) == ["10/3/0", "7/12/0", "7/12/1"])
            #expect(dataset.sequences.map(\.frames.count) == [1, 10, 10])
            #expect(dataset.sequences[1].frames.first?.hasSuffix("images/12/12_1.jpg") == true)
            #expect(
                dataset.remarks.count == 3 && dataset.remarks.contains { $0.hasPrefix("skipped 1 players") })
            #expect(try read(folder, classes: ["10"]).tracks == ["10/3"])
            #expect(throws: FileError.self) { try read(folder, classes: ["77"]) }
        }
    }

    @Test
    func `Players without a number are taken in where asked for, as those in the other layout's folder are`()
        throws
    {
        try withFolder { folder in
            for player in 1...20 { try folder.add("images/\(player)/1.jpg") }
            for frame in 2...100 { try folder.add("images/20/\(frame).jpg") }
            let rows = (1...20).map { "\"\($0)\": \($0 <= 10 ? 7 : -1)" }
            try folder.add("train_gt.json", Data("{\(rows.joined(separator: ", "))}".utf8))
            let dataset = try read(folder, unreadable: true)
            #expect(
                dataset.tracks.count == 20 && dataset.tracks.contains("unreadable/20")
                    && dataset.remarks.isEmpty)
            #expect(
                dataset.sequences.filter { $0.number == nil }.map(\.id).suffix(2) == [
                    "unreadable/20/0", "unreadable/20/1",
                ])
            #expect(try read(folder, classes: ["7"], unreadable: true).tracks == dataset.tracks)
            #expect(try read(folder).tracks.count == 10)

            var config = DataConfig()
            config.unreadable = true
            let splits = try Splits(dataset, config)
            for part in Splits.Part.allCases {
                #expect(splits.sequences(part, of: dataset).contains { $0.number == nil })
            }
            // A split that includes them also works without them.
            config.unreadable = false
            try splits.check(against: read(folder), config, path: "splits.json")
        }
    }

    @Test(
        arguments: [
            (nil, "has no ground truth"), ("{}", "names no player"), ("[1]", "is not a JSON object"),
            ("{", "is not JSON"),
            (#"{"1": 7}"#, "lacks player 2"), (#"{"1": 7, "2": 7.0}"#, "gives player 2 the fraction 7"),
            (#"{"1": 7, "2": "7"}"#, "gives player 2 the text \"7\""),
            (#"{"1": 7, "2": true}"#, "gives player 2 true"),
            (#"{"1": 7, "2": null}"#, "gives player 2 null"),
            (#"{"1": 7, "2": 100}"#, "gives player 2 100 instead of a whole number"),
            (#"{"1": 7, "2": -2}"#, "gives player 2 -2"), (#"{"1": 7, "2": [7]}"#, "gives player 2 a list"),
            (#"{"1": 7, "2": 99999999999999999999999}"#, "gives player 2 the fraction"),
        ] as [(String?, String)])
    func `A ground truth that does not fit is refused in words that help`(json: String?, words: String) throws
    {
        try withFolder { folder in
            for player in ["1", "2"] { try folder.add("images/\(player)/1.jpg") }
            if let json { try folder.add("train_gt.json", Data(json.utf8)) }
            let error = #expect(throws: FileError.self) { try read(folder) }
            #expect(
                error?.description.contains(words) == true && error?.advice != nil,
                "\(error?.description ?? "")")
        }
    }

    @Test
    func `The folder above the splits, two ground truths and a folder of another layout are told apart`()
        throws
    {
        try withFolder { folder in
            try folder.add("train/images/1/1.jpg")
            try folder.add("test/images/1/1.jpg")
            #expect(
                #expect(throws: FileError.self) { try read(folder) }?.advice == "name one split: test, train")
            let train = folder.appendingPathComponent("train")
            for name in ["a_gt.json", "b_gt.json"] { try train.add(name, Data(#"{"1": 7}"#.utf8)) }
            #expect(
                #expect(throws: FileError.self) { try read(train) }?.reason.contains("a_gt.json, b_gt.json")
                    == true)
            let other = folder.appendingPathComponent("train/images")
            #expect(
                #expect(throws: FileError.self) { try read(other) }?.advice?.contains("images/<player>")
                    == true)
        }
    }

    private func prediction(_ folder: String, _ number: String?) -> Prediction {
        let sequence = FrameSequence(id: folder, track: "images", number: nil, frames: ["1.jpg"], anchor: nil)
        guard let number = number.flatMap({ JerseyNumber($0) }) else {
            return Prediction(UnreadableSequence(sequence: sequence, problems: []))
        }
        func logs(_ count: Int, _ best: Int) -> [Double] {
            (0..<count).map { log($0 == best ? 0.9 : 0.1 / Double(count - 1)) }
        }
        return Prediction(
            Reading(
                sequence: sequence,
                digits: DigitDistribution(tens: logs(11, number.tens), ones: logs(10, number.ones)),
                used: [0], attention: nil,
                problems: []))
    }

    @Test func `A submission has every player, -1 where nothing was read, and is read back`() throws {
        let predictions = [("x/10", "07"), ("x/9", "7"), ("x/2", nil), ("x/3", "99"), ("x/4", "0")].map {
            prediction($0, $1)
        }
        let labels = try SoccerNetLabels(predictions, unread: ["x/11"])
        #expect(
            labels.json
                == "{\n  \"2\": -1,\n  \"3\": 99,\n  \"4\": 0,\n  \"9\": 7,\n  \"10\": 7,\n  \"11\": -1\n}\n")
        try withFolder { folder in
            try folder.add("s.json", Data(labels.json.utf8))
            let back = try SoccerNetLabels(contentsOf: folder.appendingPathComponent("s.json").path)
            #expect(back.numbers == labels.numbers)
            #expect(try back.right(in: labels).count == 6)
            #expect(back.number(of: "2") == nil && back.number(of: "3") == JerseyNumber("99"))
        }
        let error = #expect(throws: UsageError.self) {
            try SoccerNetLabels([prediction("a/1", "7"), prediction("b/1", "7")])
        }
        #expect(error?.description.contains("a/1 and b/1 would both be player 1") == true)
    }

    @Test
    func `Players that are missing or too many are refused, as the official scorer would stumble over them`()
        throws
    {
        try withFolder { folder in
            for (name, json) in [
                ("gt", #"{"1": 7, "2": -1, "3": 10}"#), ("good", #"{"1": 7, "2": 7, "3": 10}"#),
                ("less", #"{"2": -1}"#),
                ("more", #"{"1": 7, "2": -1, "3": 10, "4": 1}"#),
            ] { try folder.add(name, Data(json.utf8)) }
            func labels(_ name: String) throws -> SoccerNetLabels {
                try SoccerNetLabels(contentsOf: folder.appendingPathComponent(name).path)
            }
            #expect(try labels("gt").right(in: labels("good")) == ["1", "3"])
            for (name, words) in [
                ("less", "lacks 2 players, the first 1"), ("more", "beyond the ground truth, player 4"),
            ] {
                let error = #expect(throws: FileError.self) { try labels("gt").right(in: labels(name)) }
                #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
            }
        }
    }
}
