import CTorch
import Foundation

/// The operations that libtorch ran on some tensors in a forward pass, for writing the network in
/// another format.
///
/// Anything that does not depend on the inputs, such as a size that Swift code read, is recorded
/// with its value at the time.
package struct Recording {
    package indirect enum Argument: Decodable, Sendable, Equatable {
        case none
        /// A value's number. The inputs are numbered from 0, followed by the results of each step.
        case value(Int)
        /// An index into `constants`.
        case constant(Int)
        case integer(Int)
        case number(Double)
        case boolean(Bool)
        case list([Argument])
        case keyword(name: String, value: Argument)

        /// The values within it.
        fileprivate var values: [Int] {
            switch self {
            case .value(let value): [value]
            case .list(let items): items.flatMap(\.values)
            case .keyword(_, let value): value.values
            case .none, .constant, .integer, .number, .boolean: []
            }
        }
    }

    /// One call of an operation.
    package struct Step: Decodable, Sendable {
        /// PyTorch's name, such as "aten::relu_".
        package let operation: String
        /// In the order of the operation's schema.
        package let arguments: [Argument]
        /// The numbers of its results.
        package let results: [Int]
    }

    /// The steps that the outputs need.
    package let steps: [Step]
    /// The constants passed to `init`, then those found on the way.
    package let constants: [Tensor]
    /// What the recorded pass returned.
    package let outputs: [Argument]

    /// - Parameters:
    ///   - constants: tensors to put first in `constants`, such as a network's parameters.
    ///   - body: a forward pass over `inputs`, on this thread.
    package init(of inputs: [Tensor], constants: [Tensor], _ body: () -> [Tensor]) {
        let recording = inputs.withList { inputs in
            constants.withList { constants in checked { ct_recording_begin(inputs, constants, $0) } }
        }
        guard let recording else { fatalError("libtorch returned no recording and no error") }
        defer { ct_recording_free(recording) }
        let results = withoutGradients(body)
        guard let text = checked({ ct_recording_end(recording, $0) }) else {
            fatalError("libtorch returned no steps")
        }
        defer { ct_free(text) }
        self.constants = (0..<ct_recording_constant_count(recording)).map { index in
            tensor { ct_recording_constant(recording, index, $0) }
        }
        outputs = results.map { result in
            let value = ct_recording_value(recording, result.handle)
            precondition(value >= 0, "a result of the recorded pass does not depend on its inputs")
            return .value(Int(value))
        }
        do {
            let all = try JSONDecoder().decode([Step].self, from: Data(String(cString: text).utf8))
            var needed = Set(outputs.flatMap(\.values))
            steps = all.reversed().filter { step in
                guard !needed.isDisjoint(with: step.results) else { return false }
                needed.formUnion(step.arguments.flatMap(\.values))
                return true
            }.reversed()
        } catch {
            fatalError("the shim's list of steps cannot be decoded: \(error)")
        }
    }
}
