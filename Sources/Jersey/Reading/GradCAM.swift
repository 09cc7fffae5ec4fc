import Foundation
import Torch

/// The warmth of each place of a frame.
package struct HeatMap: Sendable, Equatable {
    package let height: Int
    package let width: Int
    /// (height, width), row by row: 0...1.
    package let values: [Float]

    package init(height: Int, width: Int, values: [Float]) {
        precondition(
            values.count == height * width,
            "\(width)x\(height) places need as many values, not \(values.count)")
        self.height = height
        self.width = width
        self.values = values
    }
}

/// The places of a sequence's frames that speak for a number (Grad-CAM; Selvaraju et al. 2017).
package struct GradCAM: Sendable {
    package let number: JerseyNumber
    /// Indices of the frames read.
    package let used: [Int]
    /// A map for each frame read, over the network's input with its margins. The warmest place of
    /// all frames is 1. All are 0 if nothing speaks for the number.
    package let maps: [HeatMap]

    /// Explains how `model` reads one sequence.
    ///
    /// The target is the log-probability of the number: of its tens plus of its ones.
    /// - Parameters:
    ///   - frames: (T, 3, H, W), normalised, on the model's device.
    ///   - used: the indices of these frames in their sequence.
    ///   - model: a frozen model. In a compiled one the layers after the maps may have no
    ///     gradients.
    ///   - number: the number to explain; nil takes the number read.
    package init(_ frames: Tensor, used: [Int], model: CompiledModel, for number: JerseyNumber? = nil) {
        let maps = withoutGradients { model.maps(frames) }  // (T, C, h, w)
        maps.requireGradient()
        self.number = withGradients {
            let output = model.output(maps: maps, lengths: [frames.shape[0]])
            // Sums over frames if the model reads each by itself. In float32 the gradient of a
            // confident model would be zero.
            func evidence(_ logits: Tensor) -> Tensor {
                logits.to(dtype: .float64).logSoftmax(over: 1).sum(over: 0)
            }
            let (tens, ones) = (evidence(output.tens), evidence(output.ones))
            let read = JerseyNumber(
                tens: Int(clamping: tens.argmax(over: 0).item), ones: Int(clamping: ones.argmax(over: 0).item)
            )
            let number = number ?? read
            (tens.selected(0, at: number.tens) + ones.selected(0, at: number.ones)).backward()
            return number
        }
        self.used = used
        self.maps = withoutGradients { Self.scaled(maps, maps.gradient) }
    }

    /// The maps, weighted with their mean gradients and summed. Negative values, which speak
    /// against the number, become 0.
    private static func scaled(_ maps: Tensor, _ gradient: Tensor?) -> [HeatMap] {
        let (count, height, width) = (maps.shape[0], maps.shape[2], maps.shape[3])
        // In float64, because the gradients of a confident model are tiny.
        let (maps, gradient) = (
            maps.to(dtype: .float64), gradient?.to(dtype: .float64) ?? .zeros(maps.shape, dtype: .float64)
        )
        let weights = gradient.mean(over: 2, 3, keep: true)  // (T, C, 1, 1)
        let warmth = (maps * weights).sum(over: 1).array(of: Double.self).map { max($0, 0) }
        let warmest = warmth.max() ?? 0
        let values = warmth.map { warmest > 0 ? Float($0 / warmest) : 0 }
        let places = height * width
        return (0..<count).map {
            HeatMap(height: height, width: width, values: Array(values[$0 * places..<($0 + 1) * places]))
        }
    }
}

extension SequenceReader {
    /// Reads one sequence and explains a number, or the number read.
    ///
    /// - Throws: `UnreadableSequence`, or what a strict loader throws.
    package func gradCAM(of sequence: FrameSequence, for number: JerseyNumber? = nil) throws -> GradCAM {
        let loaded = try loader.load(sequence)
        guard !loaded.used.isEmpty else {
            throw UnreadableSequence(sequence: sequence, problems: loaded.problems)
        }
        let size = loader.preprocessor
        let frames = Tensor(sharing: loaded.frames, shape: [loaded.used.count, size.height, size.width, 3])
        return GradCAM(
            FramePreprocessor.normalized(frames, on: model.device), used: loaded.used, model: model,
            for: number)
    }
}
