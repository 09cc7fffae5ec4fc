import Foundation
import Jersey
import Synchronization
import Torch

/// The formula by which both sides fill weights and inputs. It computes a value from a tensor's
/// name and an index.
enum WeightRule {
    static func splitMix64(_ x: UInt64) -> UInt64 {
        var z = x &+ 0x9e37_79b9_7f4a_7c15
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// `offset + scale * u` for the first `count` elements of the tensor called `name`, -1 ≤ u < 1.
    static func values(_ name: String, count: Int, offset: Double = 0, scale: Double) -> [Float] {
        let hash = fnv1a(name)
        return [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
            initialized = count
            // Unoptimised builds run this for millions of weights, so it uses plain pointers and no
            // iterator.
            guard var place = buffer.baseAddress else { return }
            let end = place + count
            var x = hash
            while place < end {
                var z = x &+ 0x9e37_79b9_7f4a_7c15
                z = (z ^ (z &>> 30)) &* 0xbf58_476d_1ce4_e5b9
                z = (z ^ (z &>> 27)) &* 0x94d0_49bb_1331_11eb
                z = z ^ (z &>> 31)
                let u = 2 * (Double(z &>> 11) * 0x1p-53) - 1
                place.initialize(to: Float(offset + scale * u))
                place += 1
                x = x &+ 1
            }
        }
    }

    /// The values of a checkpoint entry, for a network whose backbone has this `gain`.
    static func weights(_ name: String, shape: [Int], gain: Double) -> [Float] {
        let count = shape.reduce(1, *)
        if shape.count >= 2 {
            let fanIn = Double(shape.dropFirst().reduce(1, *))
            return cached(name, count, scale: gain * (3 / fanIn).squareRoot())
        }
        if name.hasSuffix("num_batches_tracked") { return [Float](repeating: 0, count: count) }
        if name == "temperature" { return [Float](repeating: 0.1, count: count) }
        if name.hasSuffix("running_mean") { return cached(name, count, scale: 0.05) }
        if name.hasSuffix("running_var") { return cached(name, count, offset: 1, scale: 0.2) }
        if name.hasSuffix(".weight") && shape.count == 1 { return cached(name, count, offset: 1, scale: 0.1) }
        return cached(name, count, scale: 0.05)
    }

    /// An input like a normalised batch.
    static func input(_ name: String, shape: [Int]) -> Tensor {
        Tensor(cached(name, shape.reduce(1, *), scale: 1.5), shape: shape)
    }

    static func fill(_ store: ParameterStore, gain: Double) {
        var tensors: [String: Tensor] = [:]
        for entry in store.entries {
            tensors[entry.name] = Tensor(
                weights(entry.name, shape: entry.tensor.shape, gain: gain), shape: entry.tensor.shape)
        }
        store.load(tensors)
    }

    private struct Key: Hashable {
        let name: String
        let count: Int
        let scale: Double
    }

    private static let known = Mutex<[Key: [Float]]>([:])

    /// Models share the names of their encoder, so most tensors are needed many times.
    private static func cached(_ name: String, _ count: Int, offset: Double = 0, scale: Double) -> [Float] {
        let key = Key(name: name, count: count, scale: scale)
        if let found = known.withLock({ $0[key] }) { return found }
        let made = values(name, count: count, offset: offset, scale: scale)
        known.withLock { $0[key] = made }
        return made
    }
}

/// Frames in the form that `JerseyModel` takes.
struct FrameRows {
    let frames: Tensor
    let lengths: [Int]
    let isPadded: Bool

    /// - Parameters:
    ///   - shape: (B, 3, H, W), or (B, T, 3, H, W).
    ///   - padded: whether every sequence has as many rows as the longest, or only those of its own
    ///     length.
    init(_ input: String, shape: [Int], lengths: [Int]?, padded: Bool) {
        let all = WeightRule.input(input, shape: shape)
        let picture = Array(shape.suffix(3))
        guard shape.count == 5 else {
            frames = all
            self.lengths = [Int](repeating: 1, count: shape[0])
            isPadded = false
            return
        }
        let lengths = lengths ?? [Int](repeating: shape[1], count: shape[0])
        let longest = lengths.max() ?? 0
        let rows = lengths.indices.map { sequence in
            all.selected(0, at: sequence).narrowed(0, to: 0..<(padded ? longest : lengths[sequence]))
        }
        frames = Tensor.concatenated(rows, over: 0).reshaped(-1, picture[0], picture[1], picture[2])
        self.lengths = lengths
        isPadded = padded
    }
}

extension JerseyModel {
    /// A model of the fixtures, filled by the rule.
    static func fixture(_ name: String, published: Bool, dtype: DType = .float32) throws -> JerseyModel {
        let description = try Fixtures.models.models[name]
        let spec = try ModelSpec.named(
            name, encoder: description.flatMap { EncoderKind(rawValue: $0.backbone) },
            hidden: description?.hidden)
        let model = JerseyModel(spec, published: published, dtype: dtype)
        WeightRule.fill(model.store, gain: try Fixtures.gain(name))
        return model
    }
}

extension Fixtures {
    static func gain(_ model: String) throws -> Double {
        if let gain = try models.models[model]?.gain { return gain }
        let spec = try ModelSpec.named(model)
        guard let gain = try models.gains[spec.encoder.rawValue] else { throw MissingGain(model: model) }
        return gain
    }

    struct MissingGain: Error {
        let model: String
    }
}
