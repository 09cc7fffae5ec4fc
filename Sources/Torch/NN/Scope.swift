import JerseySupport

/// Where a module creates its tensors: a name prefix, a model part, a device, and a seed.
/// `scope / "conv1"` is the scope of a child.
package struct Scope {
    package let store: ParameterStore
    package private(set) var path = ""
    package private(set) var group = ""
    package let device: Device
    package let seed: UInt64
    /// The element type of parameters, and the default for buffers.
    package let dtype: DType
    /// The tensors that a frozen copy starts from, by name; nil if new ones are drawn.
    private let frozen: [String: Tensor]?

    package init(
        _ store: ParameterStore, group: String = "", device: Device = .cpu, seed: UInt64 = 0,
        dtype: DType = .float32
    ) {
        self.store = store
        self.group = group
        self.device = device
        self.seed = seed
        self.dtype = dtype
        frozen = nil
    }

    /// A scope in which modules are created as frozen copies.
    ///
    /// - Parameter store: holds a tensor for each name that modules ask for, all on `device`.
    package init(freezing store: ParameterStore, device: Device, dtype: DType) {
        self.store = ParameterStore()
        self.device = device
        self.dtype = dtype
        seed = 0
        frozen = store.tensors
    }

    package static func / (scope: Scope, name: String) -> Scope {
        var child = scope
        child.path = scope.path.isEmpty ? name : scope.path + "." + name
        return child
    }

    package static func / (scope: Scope, index: Int) -> Scope { scope / String(index) }

    /// The same scope, for tensors of another part.
    package func part(_ group: String) -> Scope {
        var scope = self
        scope.group = group
        return scope
    }

    /// A new trainable tensor, drawn by `initial`. The draw depends on the scope's seed and the
    /// tensor's full name.
    package func parameter(_ name: String, _ shape: [Int], _ initial: Initial) -> Tensor {
        add(name, trainable: true) {
            initial.draw(shape, seed: seed ^ fnv1a(path + "." + name)).to(dtype: dtype)
        }
    }

    package func buffer(_ name: String, _ shape: [Int], _ value: Double, dtype: DType? = nil) -> Tensor {
        add(name, trainable: false) { .full(shape, value, dtype: dtype ?? self.dtype) }
    }

    private func add(_ name: String, trainable: Bool, _ draw: () -> Tensor) -> Tensor {
        let name = (self / name).path
        var tensor: Tensor
        if let frozen {
            guard let original = frozen[name] else { preconditionFailure("no tensor named \(name) to copy") }
            tensor = original.copied()
        } else {
            tensor = draw().to(device: device)
            // Convolutions get channels-last input, and run faster if their weights have the same
            // layout.
            if tensor.shape.count == 4 { tensor = tensor.contiguous(channelsLast: true) }
            if trainable { tensor.requireGradient() }
        }
        store.add(Entry(name: name, tensor: tensor, group: group, isTrainable: trainable))
        return tensor
    }
}

/// How a parameter is initialized.
package enum Initial: Sendable {
    case constant(Double)
    case normal(deviation: Double)
    case uniform(bound: Double)
    /// He et al. 2015: fan-out mode, gain of ReLU.
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

    /// PyTorch's default for a layer with `fanIn` inputs: uniform within ±1/√fanIn.
    static func pytorch(fanIn: Int) -> Initial { .uniform(bound: 1 / Double(max(fanIn, 1)).squareRoot()) }
}
