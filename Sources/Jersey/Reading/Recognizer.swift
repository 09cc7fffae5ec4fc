import Foundation
// A program that imports Jersey can then catch `FileError` and `UsageError`.
@_exported import JerseySupport
import Torch

/// Reads shirt numbers: a model, ready to read.
///
/// ```swift
/// let recognizer = try Recognizer()
/// for prediction in try recognizer.predict("crops/track_17") {
///     print(prediction.sequence, prediction.answer)
/// }
/// ```
///
/// A recognizer computes with as many threads as `Runtime.threads` says, and your own threads can
/// share it.
public final class Recognizer: Sendable {
    /// How to read.
    public struct Options: Sendable {
        /// The device to compute on. Nil takes a GPU where there is one.
        public var device: Device?
        /// The precision of the encoder.
        public var precision = Precision.Choice.automatic
        /// Whether layers run one by one, as in training, instead of folded, fused and packed. That
        /// is slower.
        public var isEager = false
        /// Whether to stop reading a sequence once its number is certain enough. It needs a
        /// calibrated model.
        public var earlyExit = false
        /// Whether to stop reading the windows of a long track once its number is certain enough.
        /// It needs a calibrated model.
        public var skims = false
        /// Reads every `stride`-th frame of a long sequence; at least 1.
        public var stride = TrackWindows.usualStride
        /// Which boxes of a track in a video are read.
        public var boxSelection = BoxSelection.bestMoments
        /// Whether a track in a video has one answer even if its player changes.
        public var keepsTracks = false
        /// The share of answers that should be right, 0...1: where answers would be right less often,
        /// by the calibration in the model's file, there are none. A larger share means fewer
        /// answers. Nil takes the share that the file was calibrated for, usually 0.98. It needs a
        /// calibrated model.
        public var target: Double?
        /// How many sequences are read at once; at least 1.
        public var batchSize = 16
        /// How many threads decode frames; at least 1.
        public var workers = 2
        /// Whether a frame that cannot be read is an error. Otherwise it is left out, and
        /// `Prediction.leftOut` names it.
        public var isStrict = false
        /// Which frames a single-frame model reads.
        package var singleFrame = SequenceLoader.SingleFrame.anchorOrAll
        /// Whether to calibrate confidences, and to abstain below the threshold.
        package var isCalibrated = true

        /// The defaults.
        public init() {}
    }

    /// What is known about the model apart from its weights.
    package let card: Checkpoint.Card
    /// How it reads.
    public let options: Options
    package let reader: SequenceReader

    /// Loads a model and compiles it.
    ///
    /// - Parameters:
    ///   - weights: the path of a weight file; nil takes the bundled model.
    ///   - options: how to read.
    /// - Throws: `FileError` for a file that is missing, broken or holds another model;
    ///   `UsageError` where the device or the precision is not available, for `earlyExit`, `skims` or
    ///   `target` with a model that is not calibrated or was calibrated by an older version, and for
    ///   a `target` that it never reached.
    public convenience init(weights: String? = nil, options: Options = Options()) throws {
        let name = weights ?? Checkpoint.bundledWord
        try self.init(Checkpoint(named: name), path: weights ?? Checkpoint.bundledName, options: options)
    }

    /// - Parameters:
    ///   - path: what errors call the checkpoint.
    ///   - loader: how frames are read; nil reads them as the card says.
    package convenience init(
        _ checkpoint: Checkpoint, path: String, options: Options = Options(), loader: SequenceLoader? = nil
    ) throws {
        let card = checkpoint.card
        let network = try checkpoint.model(on: options.device ?? .automatic, path: path)
        let model = try network.compiled(as: options, card)
        let loader =
            try loader ?? SequenceLoader(checkpoint, singleFrame: options.singleFrame, path: path)
        try self.init(model, card, loader, options)
    }

    /// - Parameters:
    ///   - model: compiled with these options (`JerseyModel.compiled(as:_:)`).
    ///   - card: of this model.
    package init(
        _ model: CompiledModel, _ card: Checkpoint.Card, _ loader: SequenceLoader, _ options: Options
    ) throws {
        var calibration = options.isCalibrated ? card.calibration : nil
        guard calibration == nil || calibration?.looks != nil || !card.spec.judgesFrames else {
            throw UsageError(
                "this model's calibration is of an older version and does not suit its confidences; calibrate it again",
                remedy: .calibration)
        }
        if let target = options.target {
            guard let known = calibration else {
                throw UsageError(
                    "how often answers are right is known of calibrated models only; calibrate this one first",
                    remedy: .calibration)
            }
            calibration = try known.aiming(at: target)
        }
        guard !options.skims || calibration != nil else {
            throw UsageError(
                "skimming needs a calibrated model; calibrate this one first", remedy: .calibration)
        }
        var loader = loader
        loader.strict = loader.strict || options.isStrict
        self.card = card
        self.options = options
        reader = SequenceReader(
            model: model, loader: loader, batchSize: options.batchSize, workers: options.workers,
            calibration: calibration,
            earlyExit: options.earlyExit ? try card.measuredEarlyExit() : nil, skims: options.skims)
    }

    /// Reads folders of frames, trees of such folders, archives of them, or image files.
    ///
    /// - Parameter paths: image files of one folder are one sequence.
    /// - Returns: a prediction for each sequence, in order.
    /// - Throws: `FileError` for a path that is missing or holds no frames; `ImageError` for an
    ///   unreadable frame if `Options.isStrict` is set.
    public func predict(_ paths: String...) throws -> [Prediction] {
        try predictions(of: UnlabelledSequences(paths).sequences)
    }

    /// Reads sequences of any length. A long one is read in windows, whose evidence is combined.
    ///
    /// - Parameters:
    ///   - sequences: what to read.
    ///   - progress: called after each window; what it throws ends the reading.
    /// - Returns: a prediction for each sequence, in order.
    /// - Throws: `ImageError` for an unreadable frame if `Options.isStrict` is set; `FileError`
    ///   where a folder of frames is gone.
    public func predictions(of sequences: [FrameSequence], progress: () throws -> Void = {}) throws
        -> [Prediction]
    {
        try reader.predictions(sequences.map(windows), progress: progress)
    }

    /// The number of windows in these sequences.
    package func windowCount(of sequences: [FrameSequence]) -> Int {
        sequences.reduce(0) { $0 + windows(of: $1).count }
    }

    private func windows(of sequence: FrameSequence) -> [FrameSequence] {
        reader.loader.windows(of: sequence, stride: options.stride)
    }

    /// A reader for one player whose frames come one by one.
    public func stream() -> FrameStream { FrameStream(reader) }

    /// A reader for the players whom a tracker followed through a video. It reads with
    /// `Options.boxSelection` and `Options.keepsTracks`.
    public func trackReader() -> TrackReader {
        var tracks = TrackReader(reader)
        tracks.selection = options.boxSelection
        tracks.keepsTracks = options.keepsTracks
        return tracks
    }
}

extension JerseyModel {
    /// The model that a recognizer with these options reads with.
    ///
    /// - Throws: `UsageError` if the precision is not available.
    package func compiled(as options: Recognizer.Options, _ card: Checkpoint.Card) throws -> CompiledModel {
        try options.isEager ? frozen() : compiled(asked: options.precision, card)
    }
}
