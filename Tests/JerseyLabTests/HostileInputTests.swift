import ArgumentParser
import Foundation
import Jersey
import TestSupport
import Testing
import Torch

@testable import JerseyCLI
@testable import JerseyLab
@testable import JerseySynthesis

/// Inputs that people and their tools really supply, through the whole command.
@Suite struct HostileInputTests {
    private let folder: TestFolder
    private let weights: String

    init() throws {
        folder = try TestFolder()
        weights = folder.path("w.safetensors")
        var card = Checkpoint.Card(spec: try .named("attn_bgru_luong", encoder: .mobilenetV3Small))
        (card.height, card.width, card.maximumFrames) = (48, 24, 4)
        try Checkpoint.write(JerseyModel(card.spec, seed: 1), card, to: URL(fileURLWithPath: weights))
    }

    private func text(_ arguments: [String]) throws -> String {
        let output = folder.path("out-\(UUID())")
        var command = try JerseyCommand.parseAsRoot(
            ["predict", "--weights", weights, "--output", output] + arguments)
        try command.run()
        return try String(contentsOfFile: output, encoding: .utf8)
    }

    private func predict(_ arguments: [String]) throws -> [Prediction] {
        try JSONDecoder().decode([Prediction].self, from: Data(text(arguments + ["--format", "json"]).utf8))
    }

    private func refusal(_ arguments: [String]) -> String {
        "\(#expect(throws: (any Error).self) { try predict(arguments) }.map { "\($0)" } ?? "")"
    }

    private func film(_ name: String = "a.mkv", frames: Int = 12) throws -> String {
        var sample = SyntheticVideo(numbers: ["7"].compactMap(JerseyNumber.init), frames: frames, seed: 1)
        (sample.width, sample.height) = (160, 120)
        try sample.write(folder.path(name), boxes: folder.path("boxes of \(name)"))
        return folder.path(name)
    }

    private func file(_ name: String, _ text: String) throws -> String {
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder.path(name)))
        return folder.path(name)
    }

    private func frames(_ name: String, _ count: Int) throws -> String {
        let path = folder.url.appendingPathComponent(name)
        try FileManager.default.createDirectory(at: path, withIntermediateDirectories: true)
        for index in 0..<count {
            let pixels = (0..<20 * 40 * 3).map { UInt8(truncatingIfNeeded: $0 * 7 + index * 40) }
            try RGBImage(width: 20, height: 40, pixels: pixels).pngData().write(
                to: path.appendingPathComponent("\(index).png"))
        }
        return path.path
    }

    @Test func `An empty folder is an error that names it, and one among others is passed over`() throws {
        let empty = folder.path("empty")
        try FileManager.default.createDirectory(atPath: empty + "/inner", withIntermediateDirectories: true)
        #expect(refusal([empty]).contains("\(empty): holds no frames"))
        _ = try frames("many/1", 2)
        try FileManager.default.createDirectory(
            atPath: folder.path("many/2"), withIntermediateDirectories: true)
        #expect(try predict([folder.path("many")]).count == 1)
        #expect(try text([folder.path("many"), "--format", "soccernet"]).contains("\"2\": -1"))
    }

    @Test func `A truncated video is read as far as it goes, and a file that is not a video is refused`()
        throws
    {
        let film = try film(frames: 40)
        let whole = try Data(contentsOf: URL(fileURLWithPath: film))
        let cut = folder.path("cut.mkv")
        try whole.prefix(whole.count / 2).write(to: URL(fileURLWithPath: cut))
        let prediction = try predict([cut, "--boxes", folder.path("boxes of a.mkv")])[0]
        #expect(prediction.number != nil && !prediction.leftOut.isEmpty)
        #expect(
            prediction.leftOut.allSatisfy {
                $0.reason.contains("past the end") || $0.reason.contains("damaged")
            })
        let garbage = try file("garbage.mkv", String(repeating: "no film ", count: 1000))
        #expect(
            refusal([garbage, "--boxes", folder.path("boxes of a.mkv")]).contains("is not a readable video"))
    }

    @Test
    func
        `Boxes outside of the picture, tracks of one frame and frames out of order are read for what they are`()
        throws
    {
        let film = try film()
        let rows = ["3,one,10,10,40,80", "1,out,-500,0,40,80", "2,out,5000,0,40,80", "2,half,-19,10,40,80"]
        let many = (1...12).map { "\($0),many,60,10,40,80" }
        let forwards = try predict([
            film, "--boxes", try file("f", (rows + many).joined(separator: "\n")), "--stride", "1",
        ])
        let backwards = try predict([
            film, "--boxes", try file("b", (rows + many).reversed().joined(separator: "\n")), "--stride", "1",
        ])
        #expect(forwards == backwards)
        let tracks = Dictionary(uniqueKeysWithValues: forwards.map { ($0.track, $0) })
        #expect(
            tracks["one"]?.frames.count == 1 && tracks["one"]?.number != nil
                && tracks["half"]?.frames.count == 1)
        #expect(
            tracks["out"]?.number == nil
                && tracks["out"]?.leftOut.first?.reason.contains("half inside the picture") == true)
        #expect(tracks["many"]?.windows == 3 && tracks["one"]?.windows == nil)
    }

    @Test func `A long sequence is read in windows, and its confidence is no more than two windows bring`()
        throws
    {
        let path = try frames("long", 60)
        let whole = try predict([path, "--stride", "1"])[0]
        #expect(whole.windows == 15 && whole.frames.count == 60)
        #expect(abs(whole.frames.reduce(0) { $0 + ($1.weight ?? 0) } - 1) < 1e-6)
        #expect(try predict([path, "--stride", "100"])[0].windows == nil)
        let table = try text([path])
        #expect(table.contains("decided by") && table.contains(".png ("))
    }

    @Test
    func `A roster with duplicates is refused with both lines, and a good one names players in every format`()
        throws
    {
        let path = try frames("seen", 2)
        let twice = try file("twice.csv", "team,number,name\nA,7,Ann\nA,8,Bo\nA,7,Cy\n")
        #expect(refusal([path, "--roster", twice]).contains("lists number 7 of A twice, in lines 2 and 4"))
        let number = try #require(try predict([path])[0].number)
        let squad = try file("squad.csv", "team,number,name\nA,\(number),\"Lee, Ann\"\nB,\(number),Bo\n")
        let prediction = try predict([path, "--roster", squad])[0]
        #expect(prediction.number == number && prediction.players?.map(\.name) == ["Lee, Ann", "Bo"])
        #expect(try text([path, "--roster", squad]).contains("Lee, Ann (A) or Bo (B)"))
        #expect(try text([path, "--roster", squad, "--team", "B"]).contains(" Bo (B) "))
        let csv = try text([path, "--roster", squad, "--format", "csv"])
        #expect(
            csv.contains("player,team,conflict,conflict_probability\r\n")
                && csv.contains("\"Lee, Ann / Bo\",A / B,,\r\n"))
        #expect(refusal([path, "--roster", squad, "--team", "C"]).contains("no team 'C'"))
        #expect(refusal([path, "--team", "A"]).contains("--team needs --roster"))
    }

    @Test(arguments: [Float(1e18), 3e38])
    func `Weights whose output is not a number give no answer, in every format and with a roster`(
        scale: Float
    )
        throws
    {
        let spec = try ModelSpec.named("attn_bgru_luong", encoder: .mobilenetV3Small)
        var card = Checkpoint.Card(spec: spec)
        (card.height, card.width, card.maximumFrames) = (48, 24, 4)
        let model = JerseyModel(spec, seed: 1)
        for (_, tensor) in model.store.tensors where tensor.dtype == .float32 {
            tensor.copy(
                from: Tensor((0..<tensor.count).map { $0 % 2 == 0 ? scale : -scale }, shape: tensor.shape))
        }
        let broken = folder.path("broken.safetensors")
        try Checkpoint.write(model, card, to: URL(fileURLWithPath: broken))
        let path = try frames("broken", 3)
        let squad = try file("squad.csv", "team,number,name\nA,7,Ann\nA,0,Bo\nA,00,Cy\n")
        func output(_ arguments: [String]) throws -> String {
            let output = folder.path("out-\(UUID())")
            var command = try JerseyCommand.parseAsRoot(
                ["predict", "--weights", broken, path, "--output", output] + arguments)
            // Nothing was read.
            #expect(throws: ExitCode(1)) { try command.run() }
            return try String(contentsOfFile: output, encoding: .utf8)
        }
        for roster in [[], ["--roster", squad]] {
            for more in [[], ["--tracks"]] {
                let json = try output(["--format", "json"] + roster + more)
                #expect(!json.contains("nan") && !json.contains("inf\""))
                let prediction = try JSON.decoded([Prediction].self, from: Data(json.utf8))[0]
                #expect(prediction.number == nil && prediction.confidence == nil && prediction.unreadable)
                #expect(prediction.players == nil && prediction.conflict == nil)
                #expect(prediction.leftOut.last?.reason.contains("the model's output is not finite") == true)
            }
            #expect(!(try output(["--format", "csv"] + roster)).contains("nan"))
            #expect(try output(["--format", "table"] + roster).contains("unreadable"))
        }
        #expect(try output(["--format", "soccernet"]).contains(": -1"))
    }

    @Test func `What no folder, picture or archive is, is refused in words that help`() throws {
        #expect(refusal([try file("notes.txt", "x")]).contains(".tar.gz"))
        #expect(refusal([try file("a.zip", "x")]).contains("is not a zip, tar or tar.gz file, or is damaged"))
        #expect(refusal([folder.path("gone.zip")]).contains("does not exist"))
    }
}
