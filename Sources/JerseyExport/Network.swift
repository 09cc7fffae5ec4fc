import Jersey
import Torch

/// A network as a sequence of operations on tensors. TorchScript and ONNX files are written from
/// it.
struct Network {
    typealias Argument = Recording.Argument

    struct Step {
        let operation: Operation
        let arguments: [Argument]
        /// The numbers of its results.
        let results: [Int]
    }

    enum Size: Equatable {
        case fixed(Int)
        /// A free size, the same wherever this name occurs.
        case named(String)
    }

    /// An input or an output.
    struct Port {
        let name: String
        let value: Int
        let dtype: DType
        let shape: [Size]
    }

    private(set) var inputs: [Port] = []
    private(set) var outputs: [Port] = []
    private(set) var steps: [Step] = []
    /// The weights under their names, and other constant tensors.
    private(set) var constants: [(name: String, tensor: Tensor)]
    private var valueCount = 0

    init(constants: [(name: String, tensor: Tensor)]) {
        self.constants = constants
    }

    mutating func addInput(_ name: String, _ dtype: DType, _ shape: [Size]) -> Argument {
        inputs.append(Port(name: name, value: valueCount, dtype: dtype, shape: shape))
        valueCount += 1
        return .value(valueCount - 1)
    }

    mutating func addOutput(_ name: String, _ argument: Argument, _ shape: [Size]) {
        guard case .value(let value) = argument else { preconditionFailure("an output must be a value") }
        outputs.append(Port(name: name, value: value, dtype: .float32, shape: shape))
    }

    /// Appends a step, and returns its results.
    ///
    /// - Parameter resultCount: the number of results.
    mutating func add(_ operation: Operation, _ arguments: [Argument], resultCount: Int) -> [Argument] {
        let results = Array(valueCount..<valueCount + resultCount)
        valueCount += resultCount
        steps.append(Step(operation: operation, arguments: arguments, results: results))
        return results.map { .value($0) }
    }

    /// Appends a step with one result.
    mutating func add(_ operation: Operation, _ arguments: Argument...) -> Argument {
        add(operation, arguments, resultCount: 1)[0]
    }

    /// The constant of this name.
    func constant(_ name: String) -> Argument {
        guard let index = constants.firstIndex(where: { $0.name == name }) else {
            preconditionFailure("the model has no tensor \(name)")
        }
        return .constant(index)
    }

    /// Records `body` on an example, and appends its operations on `input`.
    ///
    /// - Parameters:
    ///   - input: a value of this network.
    ///   - example: a tensor of its type and shape.
    /// - Returns: the values that `body` returns.
    /// - Throws: `UsageError` if `body` uses an operation that exported networks do not have.
    mutating func record(_ input: Argument, like example: Tensor, _ body: (Tensor) -> [Tensor]) throws
        -> [Argument]
    {
        let recording = Recording(of: [example], constants: constants.map(\.tensor)) { body(example) }
        for tensor in recording.constants.dropFirst(constants.count) {
            constants.append((name: "constant_\(constants.count)", tensor: tensor))
        }
        var values = [0: input]
        func renumbered(_ argument: Argument) -> Argument {
            switch argument {
            case .value(let value): values[value]!
            case .list(let items): .list(items.map(renumbered))
            case .keyword(let name, let value): .keyword(name: name, value: renumbered(value))
            default: argument
            }
        }
        for step in recording.steps {
            // "aten::relu_" is "relu", in place.
            let name = step.operation.split(separator: ":").last.map {
                $0.hasSuffix("_") ? $0.dropLast() : $0
            }
            guard let name, let operation = Operation(rawValue: String(name)) else {
                throw UsageError("this model cannot be exported: it uses \(step.operation)")
            }
            let results = add(operation, step.arguments.map(renumbered), resultCount: step.results.count)
            for (value, result) in zip(step.results, results) { values[value] = result }
        }
        return recording.outputs.map(renumbered)
    }

    /// Indices of the constants that the steps use, in order.
    var usedConstants: [Int] {
        Set(steps.flatMap { $0.arguments.flatMap(\.constants) }).sorted()
    }
}

extension Recording.Argument {
    fileprivate var constants: [Int] {
        switch self {
        case .constant(let index): [index]
        case .list(let items): items.flatMap(\.constants)
        case .keyword(_, let value): value.constants
        default: []
        }
    }

    static func integers(_ values: Int...) -> Recording.Argument { .list(values.map { .integer($0) }) }
}

extension Recording.Argument: ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
    package init(integerLiteral value: Int) { self = .integer(value) }
    package init(booleanLiteral value: Bool) { self = .boolean(value) }
}
