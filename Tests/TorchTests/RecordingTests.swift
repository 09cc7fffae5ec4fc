import Testing

@testable import Torch

@Suite("Recordings")
struct RecordingTests {
    private let x = Tensor([Float(1), -2, 3, -4], shape: [2, 2])

    @Test
    func
        `Operations come in order, with the arguments of their schemas, and only those that depend on the inputs`()
    {
        let weight = Tensor([Float(1), 2], shape: [2, 1])
        let recording = Recording(of: [x], constants: [weight]) {
            let half = Tensor.full([2, 2], 1) * 0.5  // Does not depend on x.
            let y = Activation.relu((x + half).narrowed(1, to: 0..<2))
            return [(y.matmul(weight) * 2).sum(over: 0, keep: true)]
        }
        let names = ["aten::add", "aten::narrow", "aten::relu_", "aten::matmul", "aten::mul", "aten::sum"]
        #expect(recording.steps.map(\.operation) == names)
        let arguments = recording.steps.map(\.arguments)
        #expect(arguments[0] == [.value(0), .constant(1)])
        #expect(arguments[1] == [.value(1), .integer(1), .integer(0), .integer(2)])
        #expect(arguments[2] == [.value(2)] && arguments[3] == [.value(3), .constant(0)])
        #expect(arguments[4] == [.value(4), .number(2)])
        #expect(arguments[5] == [.value(5), .list([.integer(0)]), .boolean(true)])
        #expect(
            recording.steps.map(\.results) == [[1], [2], [3], [4], [5], [6]]
                && recording.outputs == [.value(6)])
        #expect(recording.constants.map(\.floats) == [[1, 2], [0.5, 0.5, 0.5, 0.5]])
    }

    @Test func `Keywords are recorded where they are not as usual, and lists of tensors with their values`() {
        let recording = Recording(of: [x], constants: []) {
            [.concatenated([x - x, x.to(dtype: .float64).to(dtype: .float32)], over: 1)]
        }
        let arguments = recording.steps.map(\.arguments)
        #expect(arguments[0] == [.value(0), .value(0), .keyword(name: "alpha", value: .number(-1))])
        #expect(arguments[1].contains(.keyword(name: "dtype", value: .integer(7))))
        #expect(arguments[3] == [.list([.value(1), .value(3)]), .integer(1)])
    }

    @Test func `Operations that change nothing are not recorded, and a recording ends with its closure`() {
        let recording = Recording(of: [x], constants: []) { [x.to(dtype: .float32).contiguous().tanh()] }
        #expect(recording.steps.map(\.operation) == ["aten::tanh"])
        _ = x.tanh()
        #expect(
            Recording(of: [x], constants: []) { [x.sigmoid()] }.steps.map(\.operation) == ["aten::sigmoid"])
    }
}
