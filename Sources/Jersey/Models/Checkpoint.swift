import CBundledModel
import Foundation
import Torch

/// A model in one file: weights, and a card that says what they are.
public struct Checkpoint {
    /// What is known of a model beside its weights; kept in the file's metadata.
    public struct Card: Codable, Sendable, Equatable {
        public var spec: ModelSpec
        public var published = false
        /// Input size, pixels.
        public var height = 192
        public var width = 96
        public var maximumFrames = 16
        /// Numbers that training has seen; empty where that is not known.
        public var numbers: [JerseyNumber] = []
        public var training: Training?
        /// Nil where it was not measured.
        public var calibration: ModelCalibration?
        /// When to stop looking; nil where it was not measured.
        public var anytime: AnytimeReading?
        /// Ranges of what the encoder's convolutions put out, by their names, as int8 needs them; nil where they were not measured.
        public var activations: [String: ClosedRange<Float>]?
        /// What lower precisions change; nil where it was not measured.
        public var agreements: [Precision: PrecisionAgreement]?
        /// What is shown of whole players; nil stands for all.
        public var wholePlayers: WholePlayers?

        public struct Training: Codable, Sendable, Equatable {
            public var seed: UInt64
            /// Epochs done when the weights were best, from 1.
            public var epoch: Int
            public var validationAccuracy: Double
            public var sequences: Int

            public init(seed: UInt64, epoch: Int, validationAccuracy: Double, sequences: Int) {
                self.seed = seed
                self.epoch = epoch
                self.validationAccuracy = validationAccuracy
                self.sequences = sequences
            }
        }

        public init(spec: ModelSpec) {
            self.spec = spec
        }

        /// The model as it is called today: older cards call every model with another encoder by the name of that with its own.
        fileprivate var known: ModelSpec? {
            var known = try? ModelSpec.named(spec.name, encoder: spec.encoder)
            known?.hasFullHead = spec.hasFullHead
            return known
        }

        /// What none of our cards can have, where a stranger or a bad disk wrote it: sizes that no memory holds, networks that cannot be.
        fileprivate var flaw: String? {
            if !(known?.isMade(as: spec) ?? false) { return "a \(spec.name) that is not made as models of that name are" }
            if !FramePreprocessor.sides.contains(height) || !FramePreprocessor.sides.contains(width) {
                return "frames of \(height)x\(width) pixels"
            }
            if !FrameSampling.limits.contains(maximumFrames) { return "sequences of \(maximumFrames) frames" }
            if wholePlayers == .number && spec.digits != .tied { return "numbers to find, and digits that are not tied" }
            if let temperature = calibration?.temperature, !(0.01...1000).contains(temperature) {
                return "a temperature of \(temperature)"
            }
            return nil
        }
    }

    /// Under which a file has the card, as JSON.
    public static let cardKey = "jersey"

    public let card: Card
    public let tensors: [String: Tensor]

    /// Reads a file of ours, safetensors or `.pth`, or a state dictionary of the study's.
    ///
    /// - Parameter spec: what to take the weights for; found from the file's card or the tensors' names where nil.
    /// - Throws: `FileError` when the file is broken or holds another model.
    public init(contentsOf url: URL, spec: ModelSpec? = nil) throws {
        let (tensors, metadata) = try Self.read(url)
        try self.init(tensors, metadata, spec: spec, path: url.path)
    }

    /// The model that comes with jersey: number crops are read without training anything (docs/model-card.md).
    public static func bundled() throws -> Checkpoint {
        var size = 0
        let bytes = bundled_model(&size)
        let contents = try Safetensors(data: Data(bytes: bytes, count: size), named: bundledName)
        return try Checkpoint(contents.tensors, contents.metadata, spec: nil, path: bundledName)
    }

    /// `bundled`, or a file.
    ///
    /// - Parameter spec: the model; nil takes the file's word.
    /// - Throws: `FileError` when the file is broken, or holds another model than `spec`.
    public init(named word: String, spec: ModelSpec? = nil) throws {
        guard word == Self.bundledWord else {
            self = try Checkpoint(contentsOf: URL(fileURLWithPath: word), spec: spec)
            return
        }
        self = try .bundled()
        guard let spec else { return }
        guard card.spec == spec else {
            throw UsageError(
                "the bundled model is \(card.spec.summary), and the one to train \(spec.summary); take --model \(card.spec.name), no other encoder and no training.fullWeight"
            )
        }
    }

    /// What errors call the bundled model.
    public static let bundledName = "the bundled model"
    /// What it is asked for by, where a file of weights could be named.
    public static let bundledWord = "bundled"

    private init(_ tensors: [String: Tensor], _ metadata: [String: String], spec: ModelSpec?, path: String) throws {
        self.tensors = tensors
        if let text = metadata[Self.cardKey] {
            do {
                var card = try JSONDecoder().decode(Card.self, from: Data(text.utf8))
                if let flaw = card.flaw { throw FileError(path, "has a model card with \(flaw)") }
                card.spec = card.known ?? card.spec
                var wanted = spec ?? card.spec
                // A model's name does not tell of it.
                wanted.hasFullHead = card.spec.hasFullHead
                if wanted != card.spec {
                    throw FileError(
                        path,
                        "holds \(card.spec.summary), not \(wanted.summary)")
                }
                self.card = card
            } catch let error as DecodingError {
                throw FileError(
                    path, "has a model card that cannot be read (\(error.briefly))",
                    advice: "was it written by a newer version?")
            }
        } else {
            var spec = try spec ?? Self.recognised(tensors, path: path)
            spec.hasFullHead = Self.hasFullHead(tensors)
            card = Card(spec: spec)
        }
    }

    /// All tensors of a weight file, whatever its kind, and the metadata it has.
    static func read(_ url: URL) throws -> ([String: Tensor], [String: String]) {
        guard !isFolder(url) else { throw FileError(url.path, "is a folder, not a weight file") }
        // By content, as names can lie. Zip and pickle have marks of their own, with which the length of a safetensors header may
        // begin too; but that is below 16 MiB, so that its fourth byte is zero, and theirs is not.
        guard let file = FileHandle(forReadingAtPath: url.path) else {
            throw FileError(
                url.path,
                FileManager.default.fileExists(atPath: url.path) ? "cannot be read: permission denied" : "does not exist")
        }
        let start = (try? file.read(upToCount: 4)) ?? Data()
        try? file.close()
        if start.count == 4, start.last != 0, start.first == 0x80 || start.starts(with: Data("PK".utf8)) {
            let checkpoint = try PthFile(contentsOf: url)
            return (checkpoint.tensors, checkpoint.texts)
        }
        let weights = try Safetensors(contentsOf: url)
        return (weights.tensors, weights.metadata)
    }

    private static func hasFullHead(_ tensors: [String: Tensor]) -> Bool { tensors["fc_full.weight"] != nil }

    /// The model whose tensors have these names and shapes.
    private static func recognised(_ tensors: [String: Tensor], path: String) throws -> ModelSpec {
        for var spec in ModelSpec.all {
            spec.hasFullHead = hasFullHead(tensors)
            if JerseyModel(spec).store.mismatches(with: tensors).isEmpty { return spec }
        }
        throw FileError(path, "holds weights of no known model", advice: "name the model with --model to see what differs")
    }

    /// Builds the model.
    ///
    /// - Throws: `FileError` when names or shapes differ, or values are not finite.
    public func model(on device: Device, path: String) throws -> JerseyModel {
        let model = JerseyModel(card.spec, published: card.published, device: device)
        try load(into: model, path: path)
        return model
    }

    /// Copies the weights into a model.
    ///
    /// - Throws: `FileError` when names or shapes differ, or values are not finite.
    public func load(into model: JerseyModel, path: String) throws {
        let problems = model.store.mismatches(with: tensors)
        guard problems.isEmpty else {
            let more = problems.count > 3 ? " and \(problems.count - 3) more" : ""
            throw FileError(
                path, "does not hold the weights of \(card.spec.name): " + problems.prefix(3).joined(separator: "; ") + more,
                advice: "name the right model with --model")
        }
        if let broken = tensors.filter({ !$0.value.isFinite }).keys.min() {
            throw FileError(path, "has values in \(broken) that are no finite numbers", advice: "write the weights anew")
        }
        model.store.load(tensors)
    }

    /// Writes a model and its card as safetensors.
    ///
    /// - Parameter half: weights in float16, which takes half the space.
    /// - Throws: `UsageError` where a weight is too large for float16.
    public static func write(_ model: JerseyModel, _ card: Card, half: Bool = false, to url: URL) throws {
        var tensors = model.store.tensors
        for (name, tensor) in tensors where half && tensor.dtype == .float32 {
            let rounded = tensor.to(dtype: .float16)
            guard rounded.isFinite else { throw UsageError("\(name) has values that float16 cannot hold; write float32") }
            tensors[name] = rounded
        }
        try write(tensors, card, to: url)
    }

    /// Writes the same weights with another card.
    public func write(_ card: Card, to url: URL) throws {
        try Self.write(tensors, card, to: url)
    }

    private static func write(_ tensors: [String: Tensor], _ card: Card, to url: URL) throws {
        let text = JSON.text(try JSON.line(card))
        try Safetensors(metadata: [cardKey: text, "format": "pt"], tensors: tensors).write(to: url)
    }
}
