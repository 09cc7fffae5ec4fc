import Foundation
import TestSupport
import Testing

@testable import Jersey

@Suite struct RosterTests {
    private func roster(_ text: String, team: String? = nil) throws -> Roster {
        try withFolder { folder in
            try folder.add("squad.csv", Data(text.utf8))
            return try Roster(contentsOf: folder.appendingPathComponent("squad.csv").path, team: team)
        }
    }

    /// A reading with these probabilities; the digits are independent.
    private func prediction(tens: [Int: Double], ones: [Int: Double]) -> Prediction {
        func logs(_ count: Int, _ known: [Int: Double]) -> [Double] {
            let rest = (1 - known.values.reduce(0, +)) / Double(count - known.count)
            return (0..<count).map { log(known[$0] ?? rest) }
        }
        let sequence = FrameSequence(id: "a/1", track: "a", number: nil, frames: ["1.jpg"], anchor: nil)
        return Prediction(
            Reading(
                sequence: sequence, digits: DigitDistribution(tens: logs(11, tens), ones: logs(10, ones)),
                used: [0],
                attention: nil, problems: []))
    }

    private static let text =
        "team,number,name\nReds,7,Ann Lee\nReds,17,\"Ek, Bo\"\nBlues,7,Cy Dee\nBlues,07,Al Fa\n"

    @Test(arguments: [
        text, "\u{feff}" + text.replacing("\n", with: "\r\n"), text.replacing(",07,", with: ", 07 ,"),
        text.replacing("\n", with: "\r") + ",,\r,,\r", text.replacing(",7,", with: ",7.0,"),
        text.replacing(",17,", with: ",#17,"),
        "sep=;\n" + "team;number;name\nReds;7;Ann Lee\nReds;17;Ek, Bo\n"
            + "Blues;7;Cy Dee\nBlues;07;Al Fa\n;;\n",
        "Name;Shirt;TEAM;Number\nAnn Lee;S;Reds;7\n\"Ek, Bo\";M;Reds;17\n\nCy Dee;S;Blues;7\nAl Fa;L;Blues;07",
    ])
    func `A roster is a table with a header, in any order of columns`(text: String) throws {
        let players = try roster(text).players
        #expect(players.count == 3)
        let (seven, seventeen) = (
            JerseyNumber(tens: JerseyNumber.blank, ones: 7), JerseyNumber(tens: 1, ones: 7)
        )
        #expect(players[seven]?.map(\.name) == ["Ann Lee", "Cy Dee"])
        #expect(players[seventeen] == [.init(team: "Reds", name: "Ek, Bo")])
        #expect(try roster(text, team: "Reds").players.values.flatMap { $0 }.count == 2)
    }

    @Test(arguments: [
        ("", "is empty"), ("team,number,name\n", "lists no players"),
        ("Reds,7,Ann\n", "has no column 'team' in its first line (reds, 7, ann)"),
        ("team,number\nReds,7\n", "has no column 'name'"),
        ("team,number,name\nReds,7\n", "has no 'name' in line 2"),
        ("team,number,name\nReds,7.5,Ann\n", "has '7.5' as a number in line 2"),
        ("team,number,name\nReds,,Ann\n", "has '' as a number in line 2"),
        (
            "team,number,name\nReds,7,A\nBlues,7,B\n\nReds,7,C\n",
            "lists number 7 of Reds twice, in lines 2 and 5"
        ),
        ("team,number,name\nReds,7,\"A\n", "opens a quote in line 2"), ("team\0", "not a text file"),
        ("[{\"team\": \"Reds\"}]", "is JSON, not a table"),
        ("team,number,name\nReds,23,Lee, Ann\n", "has 4 cells for 3 columns in line 2, such as 'Ann'"),
    ])
    func `A roster that cannot be right is refused, with the line`(text: String, words: String) throws {
        let error = #expect(throws: FileError.self) { try roster(text) }
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
    }

    @Test func `A roster in another encoding names the line`() throws {
        try withFolder { folder in
            try folder.add(
                "squad.csv", Data("team,number,name\nReds,7,J".utf8) + Data([0xFC]) + Data("rgen\n".utf8))
            let error = #expect(throws: FileError.self) {
                try Roster(contentsOf: folder.appendingPathComponent("squad.csv").path)
            }
            #expect(
                error?.description.contains("line 2") == true
                    && error?.description.contains("CSV UTF-8") == true)
        }
    }

    @Test func `A team that is not listed is met with those that are`() throws {
        let error = #expect(throws: UsageError.self) { try roster(Self.text, team: "Red") }
        #expect(
            error?.description.contains("did you mean Reds?") == true
                && error?.description.contains("Blues") == true)
    }

    @Test func `Only listed numbers are possible, and a number that more players wear is more probable`()
        throws
    {
        // By itself, 1 is likelier than blank; two players wear 7, and one wears 17.
        let seen = prediction(tens: [JerseyNumber.blank: 0.40, 1: 0.42], ones: [7: 0.55, 8: 0.40])
        #expect(seen.number == JerseyNumber("17"))
        let judged = seen.constrained(to: try roster(Self.text))
        #expect(judged.number == JerseyNumber("7") && judged.players?.map(\.team) == ["Reds", "Blues"])
        #expect(judged.top.map(\.number.description) == ["7", "17", "07"] && judged.conflict == nil)
        #expect(
            abs(judged.top.reduce(0) { $0 + $1.probability } - 1) < 1e-9
                && judged.confidence == judged.top[0].probability)
        #expect(abs(judged.top[0].probability / judged.top[1].probability - 2 * 0.40 / 0.42) < 1e-9)
        #expect(judged.tens == seen.tens)
        let red = seen.constrained(to: try roster(Self.text, team: "Reds"))
        #expect(red.number == JerseyNumber("17") && red.players == [.init(team: "Reds", name: "Ek, Bo")])
    }

    @Test func `A strong digits in a number that is not listed is a conflict, and no answer`() throws {
        let judged = prediction(tens: [1: 0.95], ones: [8: 0.95]).constrained(to: try roster(Self.text))
        #expect(judged.number == nil && judged.confidence == nil && judged.players == nil)
        #expect(
            judged.conflict?.number == JerseyNumber("18")
                && abs((judged.conflict?.probability ?? 0) - 0.9025) < 1e-9)
        #expect(judged.top.count == 3)
        // A weak one does not count.
        let weak = prediction(tens: [1: 0.6], ones: [8: 0.6, 7: 0.3]).constrained(to: try roster(Self.text))
        #expect(weak.number == JerseyNumber("17") && weak.conflict == nil)
    }

    @Test func `An answer has to be sure enough among the listed numbers`() throws {
        var unsure = prediction(tens: [1: 0.55, JerseyNumber.blank: 0.05], ones: [7: 0.8])
        func calibration(_ threshold: Double) -> ModelCalibration {
            ModelCalibration(temperature: 1, threshold: threshold, precision: 1, coverage: 1, sequences: 1)
        }
        unsure.calibration = calibration(0.8)
        (unsure.number, unsure.unreadable) = (nil, true)
        let judged = unsure.constrained(to: try roster(Self.text, team: "Reds"))
        #expect(
            judged.number == JerseyNumber("17") && !judged.unreadable
                && judged.players?.map(\.name) == ["Ek, Bo"])
        #expect(abs((judged.confidence ?? 0) - 0.55 / 0.60) < 1e-9)
        unsure.calibration = calibration(0.95)
        let unreadable = unsure.constrained(to: try roster(Self.text, team: "Reds"))
        #expect(unreadable.number == nil && unreadable.unreadable && unreadable.players == nil)
        #expect(unreadable.confidence == judged.confidence && unreadable.top == judged.top)
    }

    @Test func `What was not read stays so`() throws {
        let sequence = FrameSequence(id: "a", track: "a", number: nil, frames: [], anchor: nil)
        let nothing = Prediction(UnreadableSequence(sequence: sequence, problems: []))
        #expect(nothing.constrained(to: try roster(Self.text)) == nothing)
    }
}
