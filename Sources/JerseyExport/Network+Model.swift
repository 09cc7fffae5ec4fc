import Jersey
import Torch

extension Network {
    /// The network of a model, for any number of sequences and frames.
    ///
    /// The operations on single frames, from their pixels on, are recorded from the model itself.
    /// The operations that join the frames of a sequence are written anew here, for each family of
    /// models. The model does part of them on the host, and they must not depend on the number of
    /// frames in the recording. They stand here, beside the operations of exported files, and not
    /// beside the model's own.
    ///
    /// Models that read one frame take `frames` (batch, H, W, 3), uint8. Other models take `frames`
    /// (batch, length, H, W, 3) and `lengths` (batch), int64, each from 1 to length. Frames after
    /// the end of a sequence may hold anything. A `published` model is exported as it reads a
    /// single sequence, because its attention beside padded sequences depends on the batch.
    init(_ model: JerseyModel, _ card: Checkpoint.Card) throws {
        self.init(constants: model.store.entries.map { ($0.name, $0.tensor) })
        switch model.spec.family {
        case .singleFrame:
            let frames = addInput("frames", .uint8, [.named("batch")] + Self.sizes(card))
            addLogits(try record(model, card, frames))
        case .recurrent(let layer, let pooling):
            let (frames, lengths, mask) = addSequences(card)
            let features = add(.sequences, try record(model, card, frames)[0], mask)
            let states = addRecurrence(features, layer, lengths: lengths)
            let (pooled, attention) = pool(states[0], final: states[1], pooling, lengths: lengths, mask: mask)
            let heads = ["fc_tens", "fc_ones"] + (model.spec.hasFullHead ? ["fc_full"] : [])
            addLogits(heads.map { linear(pooled, $0) })
            if let attention { addOutput("attention", attention, [.named("batch"), .named("length")]) }
        case .evidence:
            let (frames, _, mask) = addSequences(card)
            let values = try record(model, card, frames)
            addLooks(
                values.dropFirst(2).map { add(.sequences, $0, mask) },
                readability: add(.sequences, values[0], mask),
                features: add(.sequences, values[1], mask), card.calibration?.looks)
        }
    }

    private static func sizes(_ card: Checkpoint.Card) -> [Size] {
        [.fixed(card.height), .fixed(card.width), .fixed(3)]
    }

    /// Adds the inputs of a model that reads sequences.
    ///
    /// - Returns: a row for each frame, the lengths, and a mask (batch, length), true at frames.
    private mutating func addSequences(_ card: Checkpoint.Card) -> (
        frames: Argument, lengths: Argument, mask: Argument
    ) {
        let frames = addInput("frames", .uint8, [.named("batch"), .named("length")] + Self.sizes(card))
        let lengths = addInput("lengths", .int64, [.named("batch")])
        let mask = add(.frameMask, frames, lengths)
        return (add(.reshape, frames, .integers(-1, card.height, card.width, 3)), lengths, mask)
    }

    /// Records the model's operations on single frames.
    private mutating func record(_ model: JerseyModel, _ card: Checkpoint.Card, _ frames: Argument) throws
        -> [Argument]
    {
        try record(frames, like: .zeros([2, card.height, card.width, 3], dtype: .uint8)) { pixels in
            model.exported(FramePreprocessor.normalizedByOperations(pixels))
        }
    }

    /// - Parameter logits: of the tens, of the ones, and, if the model has that head, of the full
    ///   number.
    private mutating func addLogits(_ logits: [Argument]) {
        for ((name, width), value) in zip(
            [("tens", 11), ("ones", 10), ("full", JerseyNumber.all.count)], logits)
        {
            addOutput(name, value, [.named("batch"), .fixed(width)])
        }
    }

    // MARK: Evidence

    /// Adds what the frames of each sequence say together, and their weights: mirrors `Looks` and
    /// `ModelCalibration.LookWeights`, up to the temperature.
    ///
    /// - Parameters:
    ///   - terms: log-probabilities (B, T, C).
    ///   - readability: (B, T, 1).
    ///   - features: (B, T, F).
    ///   - weighing: nil takes the mean.
    private mutating func addLooks(
        _ terms: [Argument], readability: Argument, features: Argument,
        _ weighing: ModelCalibration.LookWeights?
    ) {
        let weights = add(.mul, readability, readability)
        let shares = add(.div, weights, atLeast(1e-30, sum(weights, 1)))
        var means = terms.map { sum(add(.mul, $0, shares), 1) }  // (B, 1, C)
        if let weighing {
            let length = add(.pow, atLeast(1e-30, sum(add(.mul, features, features), 2)), .number(0.5))
            let direction = sum(add(.mul, add(.div, features, length), shares), 1)
            let likeness = sum(add(.mul, direction, direction), 2)
            // 1 + variety · (1 − likeness)
            let variety = add(
                .clamp,
                add(.add, add(.mul, likeness, .number(-weighing.variety)), .number(1 + weighing.variety)),
                .number(1), .number(1e12))
            let clarity = add(
                .pow, atLeast(1e-30, sum(add(.mul, readability, shares), 1)), .number(weighing.readability))
            let count = add(.mul, variety, clarity)  // (B, 1, 1)
            means = means.map { add(.mul, $0, count) }
        }
        addLogits(means.map { add(.squeeze, $0, 1) })
        addOutput("attention", add(.squeeze, shares, 2), [.named("batch"), .named("length")])
        addOutput("readability", add(.squeeze, readability, 2), [.named("batch"), .named("length")])
    }

    private mutating func sum(_ x: Argument, _ dimension: Int) -> Argument {
        add(.sum, x, .integers(dimension), true)
    }

    private mutating func atLeast(_ least: Double, _ x: Argument) -> Argument {
        add(.clamp, x, .number(least), .number(1e30))
    }

    // MARK: Recurrent layer, pooling

    /// - Returns: the states of all frames, and the final ones.
    private mutating func addRecurrence(_ features: Argument, _ layer: ModelSpec.Temporal, lengths: Argument)
        -> [Argument]
    {
        let weights = constants.indices.filter { index in
            ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"].contains {
                constants[index].name.contains(".\($0)")
            }
        }
        let operation: Operation =
            switch layer.cell {
            case .rnn: .recurrentTanh
            case .gru: .recurrentGRU
            case .lstm: .recurrentLSTM
            }
        let arguments: [Argument] = [
            features, lengths, .list(weights.map { .constant($0) }), .integer(layer.hidden),
            .boolean(layer.bidirectional),
        ]
        return add(operation, arguments, resultCount: 2)
    }

    /// Mirrors the types of `TemporalPooling`.
    private mutating func pool(
        _ states: Argument, final: Argument, _ pooling: ModelSpec.Pooling, lengths: Argument, mask: Argument
    ) -> (Argument, attention: Argument?) {
        let scores: Argument
        var kept: Int?
        switch pooling {
        case .final:
            return (final, nil)
        case .mean:
            let counts = add(
                .to, lengths, .keyword(name: "dtype", value: .integer(Int(DType.float32.rawValue))))
            let present = add(.where, add(.unsqueeze, mask, 2), states, .number(0))
            return (add(.div, add(.sum, present, .integers(1), false), add(.unsqueeze, counts, 1)), nil)
        case .additive:
            let query = add(.unsqueeze, linear(final, "attn_query"), 1)
            let sums = add(.tanh, add(.add, query, linear(states, "attn_key")))
            scores = add(.squeeze, linear(sums, "attn_score", hasBias: false), 2)
        case .dotProduct(let width):
            let query = add(.unsqueeze, linear(final, "attn_query"), 2)
            let products = add(.squeeze, add(.matmul, linear(states, "attn_key"), query), 2)
            scores = add(.mul, products, .number(1 / Double(width).squareRoot()))
        case .gate:
            scores = frameScores(states, "gate_mlp")
        case .topK(let count, _):
            let temperature = add(.clamp, constant("temperature"), .number(1e-3), .number(10))
            scores = add(.div, frameScores(states, "score_mlp"), temperature)
            kept = count
        }
        var weights = add(.softmax, add(.where, mask, scores, .number(-.infinity)), 1, .none)
        if let kept { weights = add(.keepLargest, weights, .integer(kept)) }
        let pooled = add(.matmul, add(.unsqueeze, weights, 1), states)  // (B, 1, D)
        return (add(.squeeze, pooled, 1), weights)
    }

    private mutating func frameScores(_ states: Argument, _ name: String) -> Argument {
        add(.squeeze, linear(add(.relu, linear(states, name + ".0")), name + ".2"), 2)
    }

    private mutating func linear(_ x: Argument, _ name: String, hasBias: Bool = true) -> Argument {
        add(.linear, x, constant(name + ".weight"), hasBias ? constant(name + ".bias") : .none)
    }
}
