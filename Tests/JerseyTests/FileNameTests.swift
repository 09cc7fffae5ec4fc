import Foundation
import TestSupport
import Testing

@testable import Jersey

@Suite struct FileNameTests {
    @Test
    func `Folders and frames are read by any name: bytes that are not UTF-8, and letters made in two ways`()
        throws
    {
        try withFolder { folder in
            let image = try picture(1).pngData()
            // The start of "Müller" in Latin-1, composed, and decomposed.
            let players: [[UInt8]] = [[0x4d, 0xfc], Array("M\u{fc}".utf8), Array("Mu\u{308}".utf8)]
            for player in players {
                let url = folder.appendingPathComponent(String(fileSystemBytes: player))
                try FileManager.default.makeFolder(url)
                try AtomicFile.write(
                    image, to: url.appendingPathComponent(String(fileSystemBytes: [0xe9] + ".png".utf8)))
            }
            let found = try UnlabelledSequences([folder.path])
            #expect(found.sequences.count == 3 && found.emptyFolders.isEmpty)
            for sequence in found.sequences {
                #expect(try RGBImage(contentsOf: URL(fileURLWithPath: sequence.file(0))) == picture(1))
            }
            // A single frame, given by name.
            let one = try UnlabelledSequences([found.sequences[0].frames[0]])
            #expect(one.sequences.count == 1)
            let predictions = found.sequences.map {
                Prediction(.failure(UnreadableSequence(sequence: $0, problems: [])))
            }
            #expect(Prediction.joinedWindows(predictions).count == 3)
        }
    }
}

@Suite struct StrangersTextTests {
    @Test func `An unknown name is cut, and costs no more than its length`() {
        let long = String(repeating: "x", count: 60 << 20)
        let start = ContinuousClock.now
        let error = UsageError.unknown(
            "output", long, among: ["number", "confidence", "unreadable", "tens", "ones"])
        #expect(ContinuousClock.now - start < .seconds(1))
        #expect(error.description.utf8.count < 300 && error.description.hasPrefix("there is no output 'xxx"))
        #expect(
            UsageError.unknown("output", "numbr", among: ["number"]).description.contains(
                "did you mean number?"))
        #expect(
            !UsageError("a\u{1b}[2J\n\u{202e}").description.unicodeScalars.contains(where: Shown.isDeceptive))
    }

    @Test func `Many words are looked at for doubles once each`() throws {
        let words = (0..<200_000).map { "w\($0)" }
        let start = ContinuousClock.now
        try UsageError.checkUnique(words, kind: "model")
        #expect(throws: UsageError.self) { try UsageError.checkUnique(words + ["w7"], kind: "model") }
        #expect(ContinuousClock.now - start < .seconds(5))
    }
}
