import Foundation
import Testing
import Torch

@testable import Jersey

@Suite struct WindowReaderTests {
    /// A reader that takes four frames at once, reads the same number in every bright frame, and
    /// cannot read dark frames.
    ///
    /// - Parameter windows: the number of windows that make it certain; fewer do not.
    private func reader(sureOf windows: Int, skims: Bool = true) throws -> SequenceReader {
        let model = JerseyModel(try .named("evidence_tied"), seed: 1)
        let loader = SequenceLoader(
            preprocessor: FramePreprocessor(height: 32, width: 32), maximumFrames: 4, sampling: .even)
        let frames = try Tensor.concatenated(
            [frame(false), frame(true)].map { try loader.frame($0) }, over: 0)
        let features = withoutGradients { model.encode(FramePreprocessor.normalized(frames, on: .cpu)) }
        let (dark, bright) = (features.narrowed(0, to: 0..<1), features.narrowed(0, to: 1..<2))
        let apart = bright - dark
        let weight = apart * (40 / (apart * apart).sum(over: 1).item)
        try #require(model.store.tensors["fc_readability.weight"]).copy(from: weight)
        try #require(model.store.tensors["fc_readability.bias"]).copy(
            from: Tensor([Float(-20 - (weight * dark).sum(over: 1).item)]))

        let plain = SequenceReader(model: model.frozen(), loader: loader, batchSize: 3, workers: 1)
        let shownWindows = try plain.readAll(sequence(shown)).0.filter { Looks($0.looks).readability > 0.5 }
        var calibration = ModelCalibration(
            temperature: 1, threshold: 0, precision: 1, coverage: 1, sequences: 1,
            looks: .init(variety: 900, readability: 1))
        // Half sure of one window.
        while TrackEvidence(shownWindows[0]).distribution(calibration).confidence < 0.5,
            calibration.temperature > 1e-9
        {
            calibration.temperature *= 0.98
        }
        let confidences = shownWindows.indices.map { last in
            TrackEvidence(shownWindows[...last].map(TrackEvidence.init)).distribution(calibration).confidence
        }
        try #require(windows == 1 || confidences[windows - 1] > confidences[windows - 2])
        calibration.threshold =
            windows == 1
            ? confidences[0] * 0.8 : (confidences[windows - 1] + confidences[windows - 2]) / 2
        calibration.cuts = [
            .init(target: 0.99, threshold: calibration.threshold, precision: 1, coverage: 1)
        ]
        return SequenceReader(
            model: model.frozen(), loader: loader, batchSize: 3, workers: 1, calibration: calibration,
            skims: skims)
    }

    /// - Parameter window: frames of different windows differ, or they would say the same again.
    private func frame(_ isBright: Bool, window: Int = 0) -> RGBImage {
        let level = isBright ? 140 + 7 * window : 10
        return RGBImage(width: 32, height: 32, pixels: Array(repeating: UInt8(level), count: 32 * 32 * 3))
    }

    /// A sequence with four frames per window.
    private func sequence(_ windows: [Bool], id: String = "a") -> [FrameSequence] {
        let frames = windows.flatMap { Array(repeating: $0, count: 4) }
        let sequence = FrameSequence(
            id: id, track: "t", number: nil, frames: frames.indices.map { "\(id)\($0)" },
            images: frames.indices.map { frame(frames[$0], window: $0 / 4) }, anchor: nil)
        return sequence.windows(size: 4, stride: 1)
    }

    /// The number of frames read of each window.
    private func frames(_ prediction: Prediction, windows: Int) -> [Int] {
        var counts = Array(repeating: 0, count: windows)
        for frame in prediction.frames { counts[Int(frame.path.dropFirst())! / 4] += 1 }
        return counts
    }

    private let shown = [false, true, false, true, true, true, true, true, true, false, true, true]

    @Test func `Blank windows of a long track are glanced at, others read until the track is decided`() throws
    {
        let predictions = try reader(sureOf: 3).predictions([sequence(shown)])
        #expect(frames(predictions[0], windows: 12) == [2, 4, 2, 4, 4, 4, 4, 4, 0, 0, 0, 0])
        #expect(predictions[0].number != nil && predictions[0].windows == 8)
        // The decisive frames have the weight.
        let blank = predictions[0].frames.filter { Int($0.path.dropFirst())! / 4 == 2 }
        #expect(
            blank.allSatisfy { $0.weight! < 1e-3 }
                && abs(predictions[0].frames.reduce(0) { $0 + $1.weight! } - 1) < 1e-6)
    }

    @Test func `A track that shows its number at once is read no further`() throws {
        let predictions = try reader(sureOf: 1).predictions([
            sequence(shown.reversed()), sequence(shown, id: "b"),
        ])
        #expect(frames(predictions[0], windows: 12) == [4] + Array(repeating: 0, count: 11))
        #expect(frames(predictions[1], windows: 12) == [2, 4] + Array(repeating: 0, count: 10))
        #expect(predictions.map(\.sequence) == ["a", "b"] && predictions[0].number == predictions[1].number)
    }

    @Test func `A track that shows no number is unreadable after its glances`() throws {
        let prediction = try reader(sureOf: 1).predictions([sequence(Array(repeating: false, count: 7))])[0]
        #expect(prediction.unreadable && frames(prediction, windows: 7) == Array(repeating: 2, count: 7))
    }

    @Test func `Short tracks are read in full, and long ones by a reader that does not skim`() throws {
        #expect(
            try frames(reader(sureOf: 1).predictions([sequence([true, false, true])])[0], windows: 3) == [
                4, 4, 4,
            ])
        #expect(
            try frames(reader(sureOf: 1, skims: false).predictions([sequence(shown)])[0], windows: 12)
                == Array(repeating: 4, count: 12))
    }

    @Test(arguments: [1, 2, 3])
    func `What is read of a track does not depend on which windows come in one call`(sureOf: Int) throws {
        let reader = try reader(sureOf: sureOf)
        let windows = sequence(shown).enumerated().map {
            WindowReader.Window(track: 0, place: $0, isOfLong: true, sequence: $1)
        }
        func read(_ calls: Int) throws -> [Int] {
            var (skimmer, counts) = (WindowReader(reader), [Int]())
            for start in Swift.stride(from: 0, to: windows.count, by: calls) {
                let call = Array(windows[start..<min(start + calls, windows.count)])
                var found = Array(repeating: -1, count: call.count)
                try skimmer.read(call) { index, result in found[index] = try result?.get().used.count ?? 0 }
                counts += found
            }
            #expect(skimmer.isDecided(0))
            return counts
        }
        let all = try read(windows.count)
        for calls in [1, 3, 5] { #expect(try read(calls) == all) }
    }

    @Test func `Sequences without a readable frame keep their place among the others`() throws {
        let broken = FrameSequence(
            id: "x", track: "t", number: nil, frames: ["x0"],
            images: [.failure(ImageError(name: "x0", reason: .empty))],
            anchor: nil)
        var found: [String] = []
        try reader(sureOf: 1).read(
            [broken] + sequence([true]) + [broken, broken] + sequence([true], id: "b")
        ) { result in
            found.append(Prediction(result).sequence)
        }
        #expect(found == ["x", "a", "x", "x", "b"])
    }
}
