import Foundation
import Jersey
import Testing
import Torch

@testable import JerseyLab

@Suite("The bundled model")
struct BundledModelTests {
    private func readings(_ number: String?, count: Int, framing: Framing = .number) throws -> [Prediction] {
        let checkpoint = try Checkpoint.bundled()
        let card = checkpoint.card
        let loader = SequenceLoader(
            preprocessor: FramePreprocessor(height: card.height, width: card.width), maximumFrames: card.maximumFrames,
            sampling: .even)
        var reader = SequenceReader(model: try checkpoint.model(on: .cpu, path: Checkpoint.bundledName), loader: loader)
        reader.calibration = card.calibration
        let renderer = SyntheticRenderer(seed: 77, framing: framing, difficulty: .easy, height: 28...36)
        let sequences = try (0..<count).map { track in
            let frames = try renderer.sequence(number: number, track: track, sequence: 0, frames: 4).frames
            return FrameSequence(
                id: "\(track)", track: "\(track)", number: nil, frames: frames.indices.map { "\($0)" },
                images: try frames.map { try RGBImage(decoding: $0.jpeg, named: "a frame") }, anchor: nil)
        }
        return try reader.readAll(sequences).0.map(Prediction.init)
    }

    @Test(arguments: ["7", "42", "00"])
    func `It reads what is plain to see`(number: String) throws {
        let predictions = try readings(number, count: 6)
        #expect(predictions.count { $0.top[0].number.description == number } >= 5)
    }

    @Test func `It does not answer where there is no number`() throws {
        #expect(try readings(nil, count: 8).count { $0.unreadable } >= 7)
    }
}
