import CBundledModel
import Foundation
import Torch

/// A model in one file: its weights, and a card that describes them.
package struct Checkpoint {
    /// What is known about a model apart from its weights. The file's metadata holds it.
    @dynamicMemberLookup
    package struct Card: Sendable, Equatable {
        package var spec: ModelSpec
        package var published = false
        /// Its properties can be read from the card: `card.height`.
        package var input = InputSpec()
        /// The numbers that occurred in training; empty if that is not known.
        package var numbers: [JerseyNumber] = []
        package var training: Training?
        /// Nil if it was not measured.
        package var calibration: ModelCalibration?
        /// When to stop reading; nil if that was not measured.
        package var earlyExit: EarlyExit?
        /// Output ranges of the encoder's convolutions by name, which int8 needs; nil if they were
        /// not measured.
        package var activations: [String: ClosedRange<Float>]?
        /// How answers change in lower precisions; nil if that was not measured.
        package var agreements: [Precision: PrecisionAgreement]?

        package struct Training: Codable, Sendable, Equatable {
            package var seed: UInt64
            /// Epochs done when the weights were best, from 1.
            package var epoch: Int
            package var validationAccuracy: Double
            package var sequences: Int

            package init(seed: UInt64, epoch: Int, validationAccuracy: Double, sequences: Int) {
                self.seed = seed
                self.epoch = epoch
                self.validationAccuracy = validationAccuracy
                self.sequences = sequences
            }
        }

        package init(spec: ModelSpec) {
            self.spec = spec
        }

        package subscript<Value>(dynamicMember path: WritableKeyPath<InputSpec, Value>) -> Value {
            get { input[keyPath: path] }
            set { input[keyPath: path] = newValue }
        }

        /// The model by its current name. Older cards name a model after the one with the default
        /// encoder, whatever encoder it has.
        fileprivate var known: ModelSpec? {
            var known = try? ModelSpec.named(spec.name, encoder: spec.encoder, hidden: spec.temporal?.hidden)
            known?.hasFullHead = spec.hasFullHead
            return known
        }

        /// What is invalid in the card, which a stranger or a bad disk may have written: sizes that
        /// do not fit into memory, or impossible networks.
        fileprivate var validationError: String? {
            if let hidden = spec.temporal?.hidden, !ModelSpec.Temporal.hiddenLimits.contains(hidden) {
                return "a recurrent layer of \(hidden) units"
            }
            if !(known?.isMade(as: spec) ?? false) {
                return "a \(spec.name) whose parts are not those of a known model"
            }
            if let problem = input.validationError { return problem }
            if let temperature = calibration?.temperature, !(0.01...1000).contains(temperature) {
                return "a temperature of \(temperature)"
            }
            // Every comparison with NaN is false, so all answers would pass the threshold.
            let cuts = (calibration?.cuts ?? []).flatMap {
                [$0.target, $0.threshold, $0.precision, $0.coverage]
            }
            let shares = [
                calibration?.threshold, calibration?.precision, calibration?.coverage, earlyExit?.confidence,
                earlyExit?.frames,
            ]
            if let looks = calibration?.looks,
                let weight = [looks.variety, looks.readability].first(where: { !(0...1000 ~= $0) })
            {
                return "looks with a weight of \(weight)"
            }
            if let share = (shares + cuts).compactMap({ $0 }).first(where: { !(0...1 ~= $0) }) {
                return "a share of \(share)"
            }
            if let range = activations?.values.first(where: {
                !$0.lowerBound.isFinite || !$0.upperBound.isFinite
            }) {
                return "activations of \(range)"
            }
            return nil
        }
    }

    /// The metadata key of the card, which is JSON.
    package static let cardKey = "jersey"

    package private(set) var card: Card
    /// Whether the file has a card. Otherwise `card` holds the defaults for such weights.
    package let hasCard: Bool
    /// Whether the file says at which size the model reads frames. Otherwise the card has the size
    /// of the study.
    package let tellsSize: Bool
    /// The model's weights.
    package let tensors: [String: Tensor]
    /// The weights of the finder that the model was trained with; empty if the file has none.
    package let finder: [String: Tensor]

    /// Reads one of our files, safetensors or `.pth`, or a state dictionary of the study.
    ///
    /// - Parameters:
    ///   - spec: the model that the weights are for; nil finds it from the file's card or the
    ///     tensors' names.
    ///   - published: whether to read frames as the study did, for files without a card.
    /// - Throws: `FileError` if the file is broken, holds another model, or has a card that
    ///   contradicts `published`.
    package init(contentsOf url: URL, spec: ModelSpec? = nil, published: Bool = false) throws {
        let (tensors, metadata) = try Self.read(url)
        try self.init(tensors, metadata, spec: spec, published: published, path: url.path)
    }

    /// The bundled model, which reads number crops without any training (docs/model-card.md).
    package static func bundled() throws -> Checkpoint {
        var size = 0
        let bytes = bundled_model(&size)
        let contents = try Safetensors(data: Data(bytes: bytes, count: size), named: bundledName)
        return try Checkpoint(contents.tensors, contents.metadata, spec: nil, path: bundledName)
    }

    /// The bundled model for the word `bundled`, otherwise a file.
    ///
    /// - Parameters:
    ///   - spec: the expected model; nil accepts any.
    ///   - published: as for a file.
    /// - Throws: `FileError` if the file is broken or holds another model than `spec`; `UsageError`
    ///   if the bundled model is another than `spec`.
    package init(named word: String, spec: ModelSpec? = nil, published: Bool = false) throws {
        guard word == Self.bundledWord else {
            self = try Checkpoint(contentsOf: URL(fileURLWithPath: word), spec: spec, published: published)
            return
        }
        guard !published else { throw Self.isNotPublished(Self.bundledName) }
        self = try .bundled()
        guard let spec else { return }
        guard card.spec == spec else {
            throw UsageError(
                "the bundled model is \(card.spec.summary), not \(spec.summary); "
                    + "use the model \(card.spec.name) with its own encoder and without training.fullWeight",
                remedy: .model)
        }
    }

    /// What errors call the bundled model.
    package static let bundledName = "the bundled model"
    /// The word that selects the bundled model in place of a weight file.
    package static let bundledWord = "bundled"

    private static func isNotPublished(_ path: String) -> FileError {
        FileError(
            path, "has a card that does not allow reading as published", advice: "read it as its card says",
            remedy: .published)
    }

    private init(
        _ tensors: [String: Tensor], _ metadata: [String: String], spec: ModelSpec?, published: Bool = false,
        path: String
    ) throws {
        let tensors = Self.withoutCommonPrefix(tensors)
        hasCard = metadata[Self.cardKey] != nil
        tellsSize = hasCard || (metadata["config.img_height"] != nil && metadata["config.img_width"] != nil)
        finder = hasCard ? tensors.part(Self.finderPrefix) : [:]
        self.tensors = hasCard ? tensors.filter { !$0.key.hasPrefix(Self.finderPrefix) } : tensors
        if let text = metadata[Self.cardKey] {
            do {
                var card = try JSONDecoder().decode(Card.self, from: Data(text.utf8))
                if let problem = card.validationError {
                    throw FileError(path, "has a model card with \(problem)")
                }
                card.spec = card.known ?? card.spec
                var wanted = spec ?? card.spec
                // A model's name does not determine these.
                wanted.hasFullHead = card.spec.hasFullHead
                if let hidden = card.spec.temporal?.hidden { wanted = wanted.with(hidden: hidden) }
                if wanted != card.spec {
                    throw FileError(
                        path,
                        "holds \(card.spec.summary), not \(wanted.summary)")
                }
                if published && !card.published { throw Self.isNotPublished(path) }
                self.card = card
            } catch let error as DecodingError {
                throw FileError(
                    path, "has a model card that cannot be read (\(error.summary))",
                    advice: "was it written by a newer version?")
            }
        } else {
            let shapes = tensors.mapValues(\.shape)
            guard var spec = spec ?? .recognised(by: shapes) else {
                throw FileError(
                    path, "holds weights of an unknown model", advice: "name the model to see what differs",
                    remedy: .model)
            }
            spec.takeOver(from: shapes)
            var card = Card(spec: spec)
            card.published = published
            // The study's checkpoints hold its settings beside the weights.
            func setting(_ name: String) -> Int? { metadata["config.\(name)"].flatMap { Int($0) } }
            card.height = setting("img_height") ?? card.height
            card.width = setting("img_width") ?? card.width
            card.maximumFrames = setting("max_seq_len") ?? card.maximumFrames
            if let problem = card.validationError {
                throw FileError(path, "is for \(problem), which no model can have")
            }
            if published, let reason = spec.notPublished {
                throw FileError(path, "cannot be read as published: \(reason)", remedy: .published)
            }
            self.card = card
        }
    }

    /// The tensors without what other programs put before all names: "module." of parallel
    /// training, "_orig_mod." of compiled models, "model." of Lightning.
    private static func withoutCommonPrefix(_ tensors: [String: Tensor]) -> [String: Tensor] {
        var tensors = tensors
        while ModelSpec.recognised(by: tensors.mapValues(\.shape)) == nil,
            let first = tensors.keys.first?.prefix(while: { $0 != "." }),
            !first.isEmpty, tensors.keys.allSatisfy({ $0.hasPrefix("\(first).") })
        {
            tensors = tensors.part("\(first).")
        }
        return tensors
    }

    /// All tensors of a weight file of any kind, and its metadata.
    static func read(_ url: URL) throws -> ([String: Tensor], [String: String]) {
        guard !FileNames.isFolder(url) else { throw FileError(url.path, "is a folder, not a weight file") }
        // The kind is decided by content, because names can lie. Zip and pickle files begin with
        // marks of their own. A safetensors file begins with the length of its header, which may
        // look like such a mark; but it is below 16 MiB, so its fourth byte is zero, unlike theirs.
        guard FileNames.exists(url.path) else { throw FileError(url.path, "does not exist") }
        let file = url.path.withFileSystemPath { open($0, O_RDONLY | O_CLOEXEC) }
        guard file >= 0 else { throw FileError(url.path, "cannot be read: \(SystemError().reason)") }
        let start = (try? FileHandle(fileDescriptor: file, closeOnDealloc: true).read(upToCount: 4)) ?? Data()
        if start.count == 4, start.last != 0, start.first == 0x80 || start.starts(with: Data("PK".utf8)) {
            let checkpoint = try PthFile(contentsOf: url)
            return (checkpoint.tensors, checkpoint.texts)
        }
        let weights = try Safetensors(contentsOf: url)
        return (weights.tensors, weights.metadata)
    }

    /// The same weights with another card.
    package func with(_ card: Card) -> Checkpoint {
        var checkpoint = self
        checkpoint.card = card
        return checkpoint
    }

    /// Builds the model.
    ///
    /// - Throws: `FileError` if names or shapes differ, or values are not finite.
    package func model(on device: Device, path: String) throws -> JerseyModel {
        let model = JerseyModel(card.spec, published: card.published, device: device)
        try load(into: model, path: path)
        return model
    }

    /// Copies the weights into a model.
    ///
    /// - Throws: `FileError` if names or shapes differ, or values are not finite.
    package func load(into model: JerseyModel, path: String) throws {
        let problems = model.store.mismatches(with: tensors)
        guard problems.isEmpty else {
            let more = problems.count > 3 ? " and \(problems.count - 3) more" : ""
            throw FileError(
                path,
                "does not hold the weights of \(card.spec.name): "
                    + problems.prefix(3).joined(separator: "; ") + more,
                advice: "name the right model", remedy: .model)
        }
        try Self.checkFinite(tensors, path: path)
        model.store.load(tensors)
    }

    static func checkFinite(_ tensors: [String: Tensor], path: String) throws {
        if let broken = tensors.filter({ !$0.value.isFinite }).keys.min() {
            throw FileError(path, "has NaN or infinity in \(broken)", advice: "write the weights again")
        }
    }

    /// Writes a model and its card as safetensors.
    ///
    /// - Parameters:
    ///   - finder: the weights of the finder that belongs to the model, if any.
    ///   - half: stores the weights as float16, in half the space.
    /// - Throws: `UsageError` if a weight is too large for float16.
    package static func write(
        _ model: JerseyModel, _ card: Card, finder: [String: Tensor] = [:], half: Bool = false, to url: URL
    ) throws {
        var tensors = model.store.tensors.merging(finder.prefixed(by: finderPrefix)) { own, _ in own }
        for (name, tensor) in tensors where half && tensor.dtype == .float32 {
            let rounded = tensor.to(dtype: .float16)
            guard rounded.isFinite else {
                throw UsageError("\(name) has values that float16 cannot hold; write float32")
            }
            tensors[name] = rounded
        }
        try write(tensors, card, to: url)
    }

    /// Writes the same weights with another card.
    package func write(_ card: Card, to url: URL) throws {
        try Self.write(
            tensors.merging(finder.prefixed(by: Self.finderPrefix)) { own, _ in own }, card, to: url)
    }

    private static func write(_ tensors: [String: Tensor], _ card: Card, to url: URL) throws {
        let text = JSON.text(try JSON.line(card))
        try Safetensors(metadata: [cardKey: text, "format": "pt"], tensors: tensors).write(to: url)
    }
}
