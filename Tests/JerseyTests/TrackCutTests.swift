import Foundation
import Testing

@testable import Jersey

@Suite struct TrackCutTests {
    /// A distribution with probability `degree` for each digit of the number; nil says nothing.
    private func digits(_ number: String?, _ degree: Double) -> DigitDistribution {
        guard let number = number.flatMap(JerseyNumber.init) else { return digits("0", 1.0 / 11, 0.1) }
        return digits(number.description, degree, degree)
    }

    private func digits(_ number: String, _ tens: Double, _ ones: Double) -> DigitDistribution {
        let number = JerseyNumber(number) ?? JerseyNumber.all[0]
        return DigitDistribution(
            probabilities: (0..<11).map { $0 == number.tens ? tens : (1 - tens) / 10 },
            (0..<10).map { $0 == number.ones ? ones : (1 - ones) / 9 })
    }

    /// Windows of four parts of four frames, of track 4, in a frame in five.
    ///
    /// - Parameter parts: what each part shows; nil shows nothing.
    private func windows(
        _ parts: [String?], degree: Double = 0.97, threshold: Double? = 0.9
    ) -> [Prediction] {
        stride(from: 0, to: parts.count, by: 4).map { start in
            let shown = parts[start..<min(start + 4, parts.count)].map { digits($0, degree) }
            let frames = (0..<shown.count * 4).map { "a.mp4#frame=\(1 + 5 * (start * 4 + $0)),track=4" }
            let sequence = FrameSequence(id: "4", track: "4", number: nil, frames: frames, anchor: nil)
            var reading = Reading(
                sequence: sequence, digits: DigitDistribution(summing: shown),
                used: Array(frames.indices),
                attention: frames.map { _ in 1 / Double(frames.count) }, problems: [],
                calibration: threshold.map { Self.calibration($0) })
            reading.parts = shown.map { Prediction.Part(digits: $0, evidence: TrackEvidence($0, nil)) }
            return Prediction(reading)
        }
    }

    private static func calibration(_ threshold: Double) -> ModelCalibration {
        ModelCalibration(temperature: 1, threshold: threshold, precision: 1, coverage: 1, sequences: 1)
    }

    private func numbers(_ parts: [String?], degree: Double = 0.97) -> [String] {
        TrackCut.pieces(of: windows(parts, degree: degree)).map {
            Prediction.joined($0, sequence: "").answer
        }
    }

    private func shown(_ stretches: (String?, Int)...) -> [String?] {
        stretches.flatMap { Array(repeating: $0.0, count: $0.1) }
    }

    @Test(arguments: [1, 4, 5, 40, 400])
    func `A track of one player is not cut`(parts: Int) {
        #expect(numbers(shown(("23", parts))) == ["23"])
    }

    @Test func `A track is cut where the evidence turns, also within a window`() {
        #expect(numbers(shown(("23", 6), ("48", 7))) == ["23", "48"])
        let pieces = TrackCut.pieces(of: windows(shown(("23", 6), ("48", 7))))
        #expect(pieces.map { $0.reduce(0) { $0 + $1.frames.count } } == [24, 28])
    }

    @Test func `Several changes are found`() {
        #expect(numbers(shown(("23", 6), ("48", 7), ("7", 8))) == ["23", "48", "7"])
    }

    @Test func `Time in which nothing is seen belongs to one of the players`() {
        #expect(numbers(shown((nil, 3), ("23", 5), (nil, 9), ("48", 7), (nil, 4))) == ["23", "48"])
    }

    @Test func `A few parts that say something else are misread, and no other player`() {
        #expect(numbers(shown(("23", 6), ("28", 1), ("23", 6))) == ["23"])
        #expect(numbers(["23", "28", "23", "23", "29", "23", "23", "23"]) == ["23"])
    }

    @Test func `A number between two stretches of another is a player in front`() {
        #expect(numbers(shown(("23", 12), ("48", 3), ("23", 12))).count == 1)
    }

    @Test func `A stretch that would not be answered by itself cuts nothing`() {
        #expect(numbers(shown(("23", 8), ("48", 1)), degree: 0.8) == ["23"])
    }

    @Test func `Without a threshold every stretch is an answer, so none is cut`() {
        let windows = windows(shown(("23", 6), ("48", 7)), threshold: nil)
        #expect(TrackCut.pieces(of: windows).count == 1)
    }

    @Test func `Windows that were not read in parts are cut between each other`() {
        let windows = windows(shown(("23", 8), ("48", 8))).map {
            var window = $0
            window.parts = []
            return window
        }
        #expect(TrackCut.pieces(of: windows).map(\.count) == [2, 2])
    }

    @Test func `A long track is cut in time that grows with its length`() {
        let start = ContinuousClock.now
        #expect(TrackCut.stretches(of: Array(repeating: digits("23", 0.9), count: 5000)).count == 1)
        #expect(ContinuousClock.now - start < .seconds(20))
    }

    // MARK: Rows

    @Test func `Each player of a track is a row with its frames, without gap or overlap`() throws {
        let windows = windows(shown(("23", 6), ("48", 7)))
        let pieces = Prediction.pieces(of: windows, within: 1...300, keepingTrack: false)
        #expect(pieces.map(\.track) == ["4/a", "4/b"] && pieces.map(\.sequence) == ["4/a", "4/b"])
        #expect(pieces.map(\.answer) == ["23", "48"] && pieces.map(\.pieceOf) == ["4", "4"])
        // The looks are in frames 1, 6 … 116 and 121 …
        #expect(pieces.map(\.span) == [1...118, 119...300])
        #expect(pieces.allSatisfy { abs($0.frames.reduce(0) { $0 + ($1.weight ?? 0) } - 1) < 1e-6 })
        #expect(pieces.map(\.frames.count) == [24, 28])
        let boxes = BoxPredictions(pieces)
        #expect(boxes.prediction(ofTrack: "4", frame: 118)?.answer == "23")
        #expect(boxes.prediction(ofTrack: "4", frame: 119)?.answer == "48")
        #expect(boxes.prediction(ofTrack: "5", frame: 1) == nil)
        let text = try JSON.line(pieces[1])
        let again = try JSONDecoder().decode(Prediction.self, from: text)
        #expect((again.pieceOf, again.span, again.track) == ("4", 119...300, "4/b"))
    }

    @Test func `A track that is kept whole has its name and one row`() {
        let windows = windows(shown(("23", 6), ("48", 7)))
        let kept = Prediction.pieces(of: windows, within: 1...300, keepingTrack: true)
        #expect(kept.map(\.track) == ["4"] && kept[0].span == 1...300 && kept[0].pieceOf == nil)
        #expect(BoxPredictions(kept).prediction(ofTrack: "4", frame: 7) == kept[0])
    }

    @Test func `More pieces than letters have two letters`() {
        let parts = (0..<30).flatMap { Array(repeating: String(10 + $0), count: 3) }
        let names = Prediction.pieces(of: windows(parts), within: 1...9999, keepingTrack: false).map(\.track)
        #expect(names.count == 30 && names[25] == "4/z" && names[26] == "4/aa" && names[27] == "4/ab")
    }

    @Test func `Sequences of one track are cut between each other on request`() {
        let sequences = ["23", "23", "23", "48", "48", "48"].enumerated().map { place, number in
            let sequence = FrameSequence(
                id: "t/\(place)", track: "t", number: nil, frames: ["\(place).jpg"], anchor: nil)
            return Prediction(
                Reading(
                    sequence: sequence, digits: digits(number, 0.99), used: [0], attention: nil, problems: [],
                    calibration: Self.calibration(0.9)))
        }
        let cut = Prediction.combined(sequences, keepingTracks: false)
        #expect(cut.map(\.track) == ["t/a", "t/b"] && cut.map(\.answer) == ["23", "48"])
        #expect(cut.map(\.span) == [nil, nil] && cut.map(\.frames.count) == [3, 3])
        #expect(Prediction.combined(sequences).map(\.track) == ["t"])
    }
}
