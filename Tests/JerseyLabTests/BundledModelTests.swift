import Foundation
import Testing

@testable import Jersey
@testable import JerseyLab
@testable import JerseySynthesis

@Suite("The bundled model")
struct BundledModelTests {
    private func reader(skims: Bool = false) throws -> SequenceReader {
        let checkpoint = try Checkpoint.bundled()
        return SequenceReader(
            model: try checkpoint.model(on: .cpu, path: Checkpoint.bundledName).frozen(),
            loader: try SequenceLoader(
                checkpoint, singleFrame: .anchorOrAll, path: Checkpoint.bundledName),
            calibration: checkpoint.card.calibration, skims: skims)
    }

    private func sequences(_ number: String?, count: Int, frames: Int = 4, framing: Framing = .number) throws
        -> [FrameSequence]
    {
        let renderer = SyntheticRenderer(
            seed: 77, framing: framing, difficulty: .easy, height: framing == .number ? 28...36 : 90...120)
        return try (0..<count).map { track in
            let frames = try renderer.sequence(number: number, track: track, sequence: 0, frames: frames)
                .frames
            return FrameSequence(
                id: "\(track)", track: "\(track)", number: nil, frames: frames.indices.map { "\($0)" },
                images: try frames.map { try RGBImage(decoding: $0.jpeg, named: "a frame") }, anchor: nil)
        }
    }

    private func readings(_ number: String?, count: Int) throws -> [Prediction] {
        try reader().readAll(sequences(number, count: count)).0.map(Prediction.init)
    }

    @Test(arguments: ["7", "42", "00"])
    func `It reads what is plain to see`(number: String) throws {
        let predictions = try readings(number, count: 6)
        #expect(predictions.count { $0.top[0].number.description == number } >= 5)
    }

    @Test func `It finds and reads the numbers of whole players`() throws {
        let checkpoint = try Checkpoint.bundled()
        let players = try ["42", "7"].flatMap { number in
            try sequences(number, count: 12, framing: .body).map { (number, $0) }
        }
        func right(_ loader: SequenceLoader) throws -> Int {
            let readings = try SequenceReader(model: try reader().model, loader: loader).readAll(
                players.map(\.1)
            ).0
            return zip(players, readings).count { $0.0 == Prediction($1).top[0].number.description }
        }
        let found = try right(
            SequenceLoader(checkpoint, singleFrame: .anchorOrAll, path: Checkpoint.bundledName))
        #expect(found >= 20)
    }

    @Test func `It does not answer where there is no number`() throws {
        #expect(try readings(nil, count: 8).count { $0.unreadable } >= 7)
    }

    @Test(arguments: WayToRead.allCases)
    func `One clear picture is answered, and the same picture again changes nothing`(_ way: WayToRead) throws
    {
        let reader = try reader()
        for (number, track) in [("23", 0), ("7", 1), ("48", 2)] {
            let picture = try #require(sequences(number, count: track + 1, frames: 1)[track].images)[0].get()
            let confidences = try [1, 2, 3, 8, 16].map { count in
                try way.confidence(Array(repeating: picture, count: count), reader, number)
            }
            #expect(confidences.allSatisfy { abs($0 - confidences[0]) < 0.02 })
        }
    }

    /// A way to read a sequence.
    enum WayToRead: CaseIterable {
        case whole, anytime, stream

        /// The confidence in a number, which must be answered.
        func confidence(_ images: [RGBImage], _ reader: SequenceReader, _ number: String) throws -> Double {
            let sequence = FrameSequence(
                id: "a", track: "a", number: nil, frames: images.indices.map(String.init), images: images,
                anchor: nil)
            switch self {
            case .whole:
                let prediction = try reader.predictions([[sequence]])[0]
                #expect(prediction.number?.description == number)
                return prediction.confidence ?? 0
            case .anytime:
                let exit = EarlyExit(confidence: 0.95, frames: 1, accuracy: 1, fullAccuracy: 1, sequences: 1)
                let early = SequenceReader(
                    model: reader.model, loader: reader.loader, calibration: reader.calibration,
                    earlyExit: exit)
                return try early.predictions([[sequence]])[0].confidence ?? 0
            case .stream:
                let stream = FrameStream(reader)
                for image in images { try stream.add(image) }
                return try #require(stream.digits).confidence
            }
        }
    }

    @Test
    func
        `It skims long tracks: of a number that is plain to see one window, of none what it takes to find out`()
        throws
    {
        let reader = try reader(skims: true)
        let tracks = try [sequences("42", count: 1, frames: 64)[0], sequences(nil, count: 1, frames: 64)[0]]
        let predictions = try reader.predictions(tracks.map { $0.windows(size: 16, stride: 1) })
        #expect(predictions[0].number?.description == "42" && predictions[0].frames.count <= 32)
        #expect(predictions[1].unreadable && predictions[1].windows == 4)
    }
}
