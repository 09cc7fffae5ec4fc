import CTorch

/// A tensor that a model owns, under its PyTorch name.
package struct Entry {
    package let name: String
    package let tensor: Tensor
    /// The part of the model that it belongs to.
    package let group: String
    /// Learned by gradient; otherwise a buffer, such as a running mean.
    package let isTrainable: Bool
}

/// All parameters and buffers of a model, in the order of their birth.
package final class ParameterStore {
    package private(set) var entries: [Entry] = []
    /// Whether batch norm and dropout behave as in training.
    package var isTraining = false
    /// What convolutions compute in, once there is to be no more training; nil before. See `compile`.
    package private(set) var compilation: Compilation?
    /// Told of all that convolutions put out; nil where nobody looks.
    package var ranges: RangeObserver?
    /// Told of the work of every forward pass; nil where nobody counts.
    package var meter: OperationMeter?
    /// What the draws of dropout depend on; the trainer sets it for every step.
    package var drawSeed: UInt64 = 0
    private var draws: UInt64 = 0
    private var constants: [String: Tensor] = [:]

    package init() {}

    package var trainable: [Entry] { entries.filter(\.isTrainable) }
    /// Number of trainable values.
    package var parameterCount: Int { trainable.reduce(0) { $0 + $1.tensor.count } }

    func add(_ entry: Entry) {
        precondition(!entries.contains { $0.name == entry.name }, "two tensors named \(entry.name)")
        entries.append(entry)
    }

    /// From now on every `ConvNormActivation` reads with its weights folded and packed: for inference only, with the weights as they
    /// are now.
    ///
    /// - Returns: whether it can be done; nothing has changed where not.
    package func compile(_ compilation: Compilation) -> Bool {
        precondition(self.compilation == nil, "layers are compiled once")
        guard entries.allSatisfy({ $0.tensor.dtype != .float64 && compilation.isSupported(on: $0.tensor.device) }) else {
            return false
        }
        self.compilation = compilation
        return true
    }

    /// Whether layers do nothing but compute, so that several threads can use them at once, each for other frames: once they are
    /// compiled and have had their first input, which tells them how to lay out their weights.
    package var isPure: Bool { compilation != nil && ranges == nil && meter == nil }

    /// What depends on nothing but its name, made the first time.
    package func constant(_ name: String, _ make: () -> Tensor) -> Tensor {
        if let made = constants[name] { return made }
        let made = make()
        constants[name] = made
        return made
    }

    /// Does `body` as in reading, whatever was before and will be after.
    package func evaluating<Result>(_ body: () throws -> Result) rethrows -> Result {
        let wasTraining = isTraining
        isTraining = false
        defer { isTraining = wasTraining }
        return try body()
    }

    /// Begins a training step whose draws depend on `seed` only.
    package func beginStep(seed: UInt64) {
        drawSeed = seed
        draws = 0
    }

    /// The seed of the next draw of this step.
    func nextDraw() -> UInt64 {
        draws += 1
        return drawSeed &+ draws &* 0x9e37_79b9_7f4a_7c15
    }
}

/// Where a module's tensors are born: a name, a part, a device, and a seed. `scope / "conv1"` is the scope of a child.
package struct Scope {
    package let store: ParameterStore
    package let path: String
    package let group: String
    package let device: Device
    package let seed: UInt64
    /// The type of parameters, and of buffers that do not say otherwise.
    package let dtype: DType

    package init(
        _ store: ParameterStore, path: String = "", group: String = "", device: Device = .cpu, seed: UInt64 = 0,
        dtype: DType = .float32
    ) {
        self.store = store
        self.path = path
        self.group = group
        self.device = device
        self.seed = seed
        self.dtype = dtype
    }

    package static func / (scope: Scope, name: String) -> Scope {
        let path = scope.path.isEmpty ? name : scope.path + "." + name
        return Scope(scope.store, path: path, group: scope.group, device: scope.device, seed: scope.seed, dtype: scope.dtype)
    }

    package static func / (scope: Scope, index: Int) -> Scope { scope / String(index) }

    /// The same place, for tensors of another part.
    package func part(_ group: String) -> Scope {
        Scope(store, path: path, group: group, device: device, seed: seed, dtype: dtype)
    }

    /// A new learned tensor, drawn by `initial` from this scope's seed and the tensor's name.
    package func parameter(_ name: String, _ shape: [Int], _ initial: Initial) -> Tensor {
        add(name, initial.draw(shape, seed: seed ^ fnv1a(path + "." + name)).to(dtype: dtype), trainable: true)
    }

    package func buffer(_ name: String, _ shape: [Int], _ value: Double, dtype: DType? = nil) -> Tensor {
        add(name, .full(shape, value, dtype: dtype ?? self.dtype), trainable: false)
    }

    private func add(_ name: String, _ values: Tensor, trainable: Bool) -> Tensor {
        var tensor = values.to(device: device)
        // Convolutions take channels-last input, and are faster when their weights are laid out alike.
        if tensor.shape.count == 4 { tensor = tensor.contiguous(channelsLast: true) }
        if trainable { tensor.requireGradient() }
        store.add(Entry(name: (self / name).path, tensor: tensor, group: group, isTrainable: trainable))
        return tensor
    }
}

/// How a parameter starts.
package enum Initial: Sendable {
    case constant(Double)
    case normal(deviation: Double)
    case uniform(bound: Double)
    /// He et al. 2015, fan out, gain of ReLU.
    case kaimingFanOut(groups: Int = 1)

    func draw(_ shape: [Int], seed: UInt64) -> Tensor {
        switch self {
        case .constant(let value): return .full(shape, value)
        case .normal(let deviation): return .normal(shape, deviation: deviation, seed: seed)
        case .uniform(let bound): return .uniform(shape, -bound...bound, seed: seed)
        case .kaimingFanOut(let groups):
            let fan = shape[0] * shape.dropFirst(2).reduce(1, *) / groups
            return .normal(shape, deviation: (2 / Double(max(fan, 1))).squareRoot(), seed: seed)
        }
    }

    /// PyTorch's own for a layer with `fanIn` inputs: uniform within ±1/√fanIn.
    static func pytorch(fanIn: Int) -> Initial { .uniform(bound: 1 / Double(max(fanIn, 1)).squareRoot()) }
}

/// The 64-bit FNV-1a hash of the text's UTF-8 bytes.
package func fnv1a(_ text: String) -> UInt64 {
    text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
}

// MARK: - Weights from outside

extension ParameterStore {
    /// All tensors by name.
    package var tensors: [String: Tensor] {
        Dictionary(uniqueKeysWithValues: entries.map { ($0.name, $0.tensor) })
    }

    /// What keeps `tensors` from being this model's weights: missing names, wrong shapes, names too many. Empty if nothing.
    ///
    /// PyTorch's batch counters may be missing, as they are of no use here.
    package func mismatches(with tensors: [String: Tensor]) -> [String] {
        var problems: [String] = []
        for entry in entries {
            if let tensor = tensors[entry.name] {
                if tensor.shape != entry.tensor.shape {
                    problems.append("\(entry.name) is \(tensor.shape) and should be \(entry.tensor.shape)")
                }
            } else if !entry.name.hasSuffix("num_batches_tracked") {
                problems.append("\(entry.name) is missing")
            }
        }
        let known = Set(entries.map(\.name))
        return problems + tensors.keys.filter { !known.contains($0) }.sorted().map { "\($0) is not part of the model" }
    }

    /// Takes over the values of all entries that `tensors` names.
    package func load(_ tensors: [String: Tensor]) {
        precondition(compilation == nil, "a compiled model keeps the weights that it was compiled with")
        for entry in entries {
            if let tensor = tensors[entry.name] { entry.tensor.copy(from: tensor) }
        }
    }
}
