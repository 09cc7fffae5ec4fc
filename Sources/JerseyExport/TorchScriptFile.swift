import Foundation
import Jersey
import Torch

/// A network as TorchScript: its steps as source text, which libtorch compiles.
struct TorchScriptFile {
    let module: ScriptModule

    init(_ network: Network) throws {
        let used = network.usedConstants.map { network.constants[$0] }
        module = try ScriptModule(
            name: "Jersey", source: Self.source(of: network),
            buffers: used.map { (Self.identifier($0.name), $0.tensor.contiguous()) })
    }

    /// The source of the module's methods. It includes only those of our own operations that the
    /// network uses.
    static func source(of network: Network) -> String {
        let names = network.valueNames
        func text(_ argument: Network.Argument) -> String {
            switch argument {
            case .none: "None"
            case .value(let value): names[value]!
            case .constant(let index): "self." + identifier(network.constants[index].name)
            case .integer(let value): "\(value)"
            case .number(let value): value.isFinite ? "\(value)" : "float(\"\(value)\")"
            case .boolean(let value): value ? "True" : "False"
            case .list(let items): "[" + items.map(text).joined(separator: ", ") + "]"
            case .keyword(let name, let value): "\(name)=\(text(value))"
            }
        }
        let lines = network.steps.map { step in
            let results = step.results.map { names[$0]! }.joined(separator: ", ")
            let function = (step.operation.isPyTorchs ? "torch." : "self.") + step.operation.rawValue
            return "    \(results) = \(function)(\(step.arguments.map(text).joined(separator: ", ")))\n"
        }
        let helpers = Operation.allCases.filter { operation in
            network.steps.contains { $0.operation == operation }
        }
        .compactMap(helper)
        let inputs = network.inputs.map { ", " + names[$0.value]! }.joined()
        let outputs = network.outputs.map { "\"\($0.name)\": \(names[$0.value]!)" }.joined(separator: ", ")
        return helpers.joined() + "def forward(self\(inputs)) -> Dict[str, Tensor]:\n" + lines.joined()
            + "    return {\(outputs)}\n"
    }

    /// A tensor's name under `self`.
    private static func identifier(_ name: String) -> String { name.replacingOccurrences(of: ".", with: "_") }

    /// One of our own operations as a method; nil for PyTorch's.
    private static func helper(_ operation: Operation) -> String? {
        switch operation {
        case .frameMask:
            """
            def frame_mask(self, frames, lengths):
                places = torch.arange(frames.size(1), device=lengths.device)
                return torch.lt(torch.unsqueeze(places, 0), torch.unsqueeze(lengths, 1))

            """
        case .sequences:
            """
            def sequences(self, rows, mask):
                padded = torch.reshape(rows, [mask.size(0), mask.size(1), -1])
                return torch.where(torch.unsqueeze(mask, 2), padded, 0.0)

            """
        case .keepLargest:
            """
            def keep_largest(self, values, count: int):
                largest, places = torch.topk(values, min(count, values.size(1)), 1)
                shares = largest / torch.sum(largest, [1], True)
                return torch.scatter(torch.zeros_like(values), 1, places, shares)

            """
        case .recurrentTanh: recurrent(operation, "states, last = torch.rnn_tanh", start: "start")
        case .recurrentGRU: recurrent(operation, "states, last = torch.gru", start: "start")
        case .recurrentLSTM:
            recurrent(operation, "states, last, memory = torch.lstm", start: "[start, start]")
        default: nil
        }
    }

    private static func recurrent(_ operation: Operation, _ call: String, start: String) -> String {
        """
        def \(operation.rawValue)(self, features, lengths, weights: List[Tensor], units: int, both: bool) -> Tuple[Tensor, Tensor]:
            order = torch.argsort(lengths, 0, True)
            rows, sizes = torch._pack_padded_sequence(
                torch.index_select(features, 0, order), torch.index_select(lengths, 0, order).cpu(), True)
            start = torch.zeros([2 if both else 1, features.size(0), units], dtype=features.dtype, device=features.device)
            \(call)(rows, sizes, \(start), weights, True, 1, 0.0, False, both)
            padded, counts = torch._pad_packed_sequence(states, sizes, True, 0.0, features.size(1))
            back = torch.argsort(order)
            last = torch.flatten(torch.transpose(torch.index_select(last, 1, back), 0, 1), 1)
            return torch.index_select(padded, 0, back), last

        """
    }
}

extension Network {
    /// The names of inputs and outputs. Other values are named after the operation that computes
    /// them.
    var valueNames: [Int: String] {
        var names: [Int: String] = [:]
        for step in steps {
            for result in step.results { names[result] = "\(step.operation.rawValue)_\(result)" }
        }
        for port in inputs + outputs { names[port.value] = port.name }
        return names
    }
}
