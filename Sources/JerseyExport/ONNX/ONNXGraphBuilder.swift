import Jersey
import Torch

/// Writes a network's steps as ONNX nodes.
struct ONNXGraphBuilder {
    private let network: Network
    private let names: [Int: String]
    private var graph = ONNXGraph()
    /// The names of the current step's results.
    private var results: [String] = []
    private var written: Set<String> = []

    /// - Throws: `UsageError` if a step has arguments that no ONNX node supports.
    static func graph(of network: Network) throws -> ONNXGraph {
        var builder = ONNXGraphBuilder(network: network, names: network.valueNames)
        builder.graph.name = "jersey"
        builder.graph.inputs = network.inputs.map(ONNXValueInfo.init)
        builder.graph.outputs = network.outputs.map(ONNXValueInfo.init)
        for step in network.steps { try builder.add(step) }
        return builder.graph
    }

    private init(network: Network, names: [Int: String]) {
        self.network = network
        self.names = names
    }

    // MARK: Nodes

    /// Appends a node.
    ///
    /// - Parameters:
    ///   - inputs: names; an empty one omits an optional input.
    ///   - outputs: names; nil for one output with the node's name.
    /// - Returns: the first output.
    @discardableResult
    private mutating func node(
        _ type: String, _ inputs: [String], _ attributes: [ONNXAttribute] = [], outputs: [String]? = nil
    ) -> String {
        var node = ONNXNode()
        node.name = "\(type)_\(graph.nodes.count)"
        node.operator = type
        node.inputs = inputs
        node.outputs = outputs ?? [node.name]
        node.attributes = attributes
        graph.nodes.append(node)
        return node.outputs[0]
    }

    /// Appends the node whose output is the step's result.
    private mutating func finish(_ type: String, _ inputs: [String], _ attributes: [ONNXAttribute] = []) {
        node(type, inputs, attributes, outputs: [results[0]])
    }

    /// Puts a tensor into the file, once for each name, and returns the name.
    private mutating func initializer(_ name: String, _ tensor: @autoclosure () -> Tensor) -> String {
        if written.insert(name).inserted { graph.initializers.append(ONNXTensor(name, tensor())) }
        return name
    }

    private mutating func vector(_ values: [Int]) -> String {
        initializer("ints_" + values.map(String.init).joined(separator: "_"), Tensor(values.map(Int64.init)))
    }

    private mutating func scalar(_ value: Double) -> String {
        initializer("float_\(value)", Tensor([Float(value)], shape: []))
    }

    // MARK: Arguments

    private struct Unsupported: Error {}

    /// A tensor's name; numbers become tensors.
    private mutating func tensor(_ argument: Network.Argument) throws -> String {
        switch argument {
        case .value(let value): return names[value]!
        case .constant(let index):
            let (name, tensor) = network.constants[index]
            return initializer(name, tensor)
        case .number(let value): return scalar(value)
        case .integer(let value): return scalar(Double(value))
        case .none: return ""
        case .boolean, .list, .keyword: throw Unsupported()
        }
    }

    private mutating func tensors(_ arguments: some Sequence<Network.Argument>) throws -> [String] {
        var names: [String] = []
        for argument in arguments { names.append(try tensor(argument)) }
        return names
    }

    private func integer(_ argument: Network.Argument) throws -> Int {
        switch argument {
        case .integer(let value): return value
        case .boolean(let value): return value ? 1 : 0
        default: throw Unsupported()
        }
    }

    private func number(_ argument: Network.Argument) throws -> Double {
        if case .number(let value) = argument { return value }
        return Double(try integer(argument))
    }

    private func items(_ argument: Network.Argument) throws -> [Network.Argument] {
        guard case .list(let items) = argument else { throw Unsupported() }
        return items
    }

    private func integers(_ argument: Network.Argument) throws -> [Int] { try items(argument).map(integer) }

    /// Height and width. One number stands for both.
    private func pair(_ argument: Network.Argument) throws -> [Int] {
        let values = try integers(argument)
        return values.count == 1 ? [values[0], values[0]] : values
    }

    // MARK: Steps

    private mutating func add(_ step: Network.Step) throws {
        results = step.results.map { names[$0]! }
        do {
            try write(step.operation, step.arguments)
        } catch is Unsupported {
            throw UsageError(
                "this model cannot be exported to ONNX: it uses \(step.operation.rawValue) with \(step.arguments)"
            )
        }
    }

    private mutating func write(_ operation: Operation, _ arguments: [Network.Argument]) throws {
        // Most operations take a tensor first. Those that take more tensors read them below.
        let x = try operation == .cat ? "" : tensor(arguments[0])
        switch operation {
        case .add, .mul, .div, .matmul, .pow:
            guard arguments.count == 2 else { throw Unsupported() }
            let type: [Operation: String] = [
                .add: "Add", .mul: "Mul", .div: "Div", .matmul: "MatMul", .pow: "Pow",
            ]
            finish(type[operation]!, [x, try tensor(arguments[1])])
        case .relu: finish("Relu", [x])
        case .sigmoid: finish("Sigmoid", [x])
        case .tanh: finish("Tanh", [x])
        case .hardswish: finish("HardSwish", [x])
        case .hardsigmoid: finish("HardSigmoid", [x], [.float("alpha", 1.0 / 6), .float("beta", 0.5)])
        case .silu: finish("Mul", [x, node("Sigmoid", [x])])
        case .clamp: finish("Clip", try tensors(arguments))
        case .softmax: finish("Softmax", [x], [.int("axis", try integer(arguments[1]))])
        case .logSoftmax: finish("LogSoftmax", [x], [.int("axis", try integer(arguments[1]))])
        case .where: finish("Where", try tensors(arguments))
        case .to:
            guard arguments.count > 1, case .keyword("dtype", .integer(let code)) = arguments[1],
                let dtype = DType(rawValue: Int32(code))
            else { throw Unsupported() }
            finish("Cast", [x], [.int("to", Int(dtype.onnxCode))])
        case .mean:
            finish(
                "ReduceMean", [x],
                [.ints("axes", try integers(arguments[1])), .int("keepdims", try integer(arguments[2]))])
        case .sum:
            finish(
                "ReduceSum", [x, vector(try integers(arguments[1]))],
                [.int("keepdims", try integer(arguments[2]))])

        case .permute: finish("Transpose", [x], [.ints("perm", try integers(arguments[1]))])
        case .reshape: finish("Reshape", [x, vector(try integers(arguments[1]))])
        case .unsqueeze: finish("Unsqueeze", [x, vector([try integer(arguments[1])])])
        case .squeeze: finish("Squeeze", [x, vector([try integer(arguments[1])])])
        case .cat:
            finish("Concat", try tensors(items(arguments[0])), [.int("axis", try integer(arguments[1]))])
        case .narrow:
            let axis = try integer(arguments[1])
            let start = try integer(arguments[2])
            let length = try integer(arguments[3])
            finish("Slice", [x, vector([start]), vector([start + length]), vector([axis])])
        case .select:
            let index = try integer(arguments[2])
            let position = initializer("int_\(index)", Tensor([Int64(index)], shape: []))
            finish("Gather", [x, position], [.int("axis", try integer(arguments[1]))])
        case .constantPad:
            let sides = try integers(arguments[1])  // left, right, top, bottom
            guard sides.count == 4, try number(arguments[2]) == 0 else { throw Unsupported() }
            finish("Pad", [x, vector([0, 0, sides[2], sides[0], 0, 0, sides[3], sides[1]])])
        case .channelShuffle:
            let groups = try integer(arguments[1])
            let parts = (0..<groups).map { "\(results[0])_\($0)" }
            node("Split", [x], [.int("axis", 1)], outputs: parts)
            let columns = parts.map { node("Unsqueeze", [$0, vector([2])]) }
            finish("Reshape", [node("Concat", columns, [.int("axis", 2)]), node("Shape", [x])])

        case .conv2d:
            let padding = try pair(arguments[4])
            finish(
                "Conv", try tensors(arguments[..<3]).filter { !$0.isEmpty },
                [
                    .ints("strides", try pair(arguments[3])), .ints("pads", padding + padding),
                    .ints("dilations", try pair(arguments[5])), .int("group", try integer(arguments[6])),
                ])
        case .batchNorm:
            finish(
                "BatchNormalization", try tensors(arguments[..<5]),
                [.float("epsilon", try number(arguments[7]))])
        case .maxPool2d:
            let padding = try pair(arguments[3])
            finish(
                "MaxPool", [x],
                [
                    .ints("kernel_shape", try pair(arguments[1])), .ints("strides", try pair(arguments[2])),
                    .ints("pads", padding + padding),
                ])
        case .linear:
            guard case .constant(let index) = arguments[1] else { throw Unsupported() }
            let (name, weight) = network.constants[index]
            let transposed = initializer(name + ".transposed", weight.permuted(1, 0))
            if arguments[2] == .none { return finish("MatMul", [x, transposed]) }
            finish("Add", [node("MatMul", [x, transposed]), try tensor(arguments[2])])

        case .frameMask:
            let length = node(
                "Gather", [node("Shape", [x]), initializer("int_1", Tensor([Int64(1)], shape: []))])
            let zero = initializer("int_0", Tensor([Int64(0)], shape: []))
            let one = "int_1"
            let places = node("Unsqueeze", [node("Range", [zero, length, one]), vector([0])])
            finish("Less", [places, node("Unsqueeze", [try tensor(arguments[1]), vector([1])])])
        case .sequences:
            let mask = try tensor(arguments[1])
            let shape = node("Concat", [node("Shape", [mask]), vector([-1])], [.int("axis", 0)])
            finish(
                "Where", [node("Unsqueeze", [mask, vector([2])]), node("Reshape", [x, shape]), scalar(0)])
        case .keepLargest:
            // TopK must not ask for more values than there are.
            let length = node("Slice", [node("Shape", [x]), vector([1]), vector([2])])
            let count = node("Min", [length, vector([try integer(arguments[1])])])
            let values = "\(results[0])_values"
            let places = "\(results[0])_places"
            node("TopK", [x, count], [.int("axis", 1)], outputs: [values, places])
            let shares = node(
                "Div", [values, node("ReduceSum", [values, vector([1])], [.int("keepdims", 1)])])
            finish("ScatterElements", [node("Mul", [x, scalar(0)]), places, shares], [.int("axis", 1)])
        case .recurrentTanh: try writeRecurrent("RNN", gates: [0], arguments)
        // PyTorch's order is reset, update, new; ONNX's is update, reset, new.
        case .recurrentGRU:
            try writeRecurrent("GRU", gates: [1, 0, 2], arguments, [.int("linear_before_reset", 1)])
        // PyTorch's order is input, forget, cell, output; ONNX's is input, output, forget, cell.
        case .recurrentLSTM: try writeRecurrent("LSTM", gates: [0, 3, 1, 2], arguments)
        }
    }

    /// Writes a node for each direction. The operator's own lengths are not used, because OpenVINO
    /// ignores them if batch and length are free. Both nodes run forward through all frames; the
    /// backward one reads each sequence reversed.
    ///
    /// - Parameter gates: the indices of PyTorch's gates in ONNX's order.
    private mutating func writeRecurrent(
        _ type: String, gates: [Int], _ arguments: [Network.Argument], _ attributes: [ONNXAttribute] = []
    ) throws {
        let units = try integer(arguments[3])
        let isBidirectional = try integer(arguments[4]) == 1
        let directions = isBidirectional ? ["forward", "backward"] : ["forward"]
        let weights = try items(arguments[2]).map { argument in
            guard case .constant(let index) = argument else { throw Unsupported() }
            return network.constants[index].tensor
        }
        guard weights.count == 4 * directions.count else { throw Unsupported() }
        func ordered(_ tensor: Tensor) -> Tensor {
            .concatenated(gates.map { tensor.narrowed(0, to: $0 * units..<($0 + 1) * units) }, over: 0)
                .unsqueezed(0)
        }
        let lengths = try tensor(arguments[1])
        /// (T, B, …), each sequence reversed.
        func turned(_ sequences: String) -> String {
            node("ReverseSequence", [sequences, lengths], [.int("time_axis", 0), .int("batch_axis", 1)])
        }
        let features = node("Transpose", [try tensor(arguments[0])], [.ints("perm", [1, 0, 2])])  // (T, B, F)
        var states: [String] = []
        var last: [String] = []
        for (place, direction) in directions.enumerated() {
            let own = weights[(4 * place)...].prefix(4).map(ordered)
            let input = initializer("\(direction).W", own[0])
            let hidden = initializer("\(direction).R", own[1])
            let bias = initializer("\(direction).B", Tensor.concatenated([own[2], own[3]], over: 1))
            let isBackward = place == 1
            let run = node(
                type, [isBackward ? turned(features) : features, input, hidden, bias],
                [.int("hidden_size", units), .string("direction", "forward")] + attributes)
            let rows = node("Squeeze", [run, vector([1])])  // (T, 1, B, H) to (T, B, H)
            let back = turned(rows)
            states.append(isBackward ? back : rows)
            // The last state of either direction comes first when its sequence is reversed.
            last.append(
                node(
                    "Gather", [back, initializer("int_0", Tensor([Int64(0)], shape: []))], [.int("axis", 0)]))
        }
        // (B, T, D·H)
        finish("Transpose", [node("Concat", states, [.int("axis", 2)])], [.ints("perm", [1, 0, 2])])
        node("Concat", last, [.int("axis", 1)], outputs: [results[1]])
    }
}
