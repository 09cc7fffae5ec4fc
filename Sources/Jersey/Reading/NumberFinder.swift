import Torch

extension SequenceLoader {
    /// A loader for reading with a model.
    ///
    /// - Parameters:
    ///   - singleFrame: which frames a single-frame model reads.
    ///   - path: what errors call the checkpoint.
    ///   - model: these weights compiled in float32 on the CPU, if the caller has such a model. It
    ///     locates the numbers.
    /// - Throws: `FileError` if the weights are not those of the model.
    package init(
        _ checkpoint: Checkpoint, singleFrame: SingleFrame, path: String, sharing model: CompiledModel? = nil
    ) throws {
        self.init(checkpoint.card, singleFrame: singleFrame)
        guard wholePlayers == .number else { return }
        let model =
            try model
            ?? checkpoint.model(on: .cpu, path: path).compiled(asked: .fixed(.float32), checkpoint.card)
        finder = NumberFinder(model, preprocessor)
    }
}

/// Finds numbers on whole players. A model with tied digits reads the torso, and the number is at
/// the place that its queries attend to. The crop around it is then read again, enlarged.
struct NumberFinder: NumberFinding {
    private let places: @Sendable (Tensor) -> Tensor
    private let preprocessor: FramePreprocessor

    /// Nil if the model does not locate digits.
    ///
    /// - Parameters:
    ///   - model: on the CPU.
    ///   - preprocessor: the model's.
    init?(_ model: CompiledModel, _ preprocessor: FramePreprocessor) {
        guard let places = model.numberPlaces else { return nil }
        self.places = places
        self.preprocessor = preprocessor
    }

    /// Crops each frame to the surroundings of its number.
    ///
    /// - Throws: `UsageError` for an image so thin that nothing is left of it at the input size.
    func numbers(of frames: [RGBImage]) throws -> [RGBImage] {
        let torsos = frames.map(WholePlayers.torso)
        let inputs = Tensor.concatenated(try torsos.map(preprocessor.frame), over: 0)
        let places = withoutGradients {
            self.places(FramePreprocessor.normalized(inputs, on: .cpu)).array(of: Double.self)
        }
        return frames.indices.map { index in
            let torso = torsos[index]
            func share(_ place: Double, _ side: Int, margin: Int, of whole: Int) -> Double {
                // Finite weights can still produce maps that are not finite.
                place.isNaN ? 0.5 : min(max((place * Double(whole) - Double(margin)) / Double(side), 0), 1)
            }
            let (width, height) = preprocessor.fit(width: torso.width, height: torso.height) ?? (1, 1)
            let (top, left) = preprocessor.margins(width: width, height: height)
            return WholePlayers.number(
                of: frames[index], x: share(places[2 * index], width, margin: left, of: preprocessor.width),
                y: share(places[2 * index + 1], height, margin: top, of: preprocessor.height))
        }
    }
}
