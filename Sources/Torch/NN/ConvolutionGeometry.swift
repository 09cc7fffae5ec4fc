/// How a convolution pads its input.
package enum Padding: Sendable, Equatable {
    case symmetric(Int)
    /// TensorFlow's "SAME": pads to an output size of ⌈n / stride⌉. An odd pixel goes to the right
    /// and bottom.
    case tensorFlowSame
}

/// The hyperparameters of a 2-D convolution, without its weights.
struct ConvolutionGeometry: Sendable {
    let inputs: Int
    let outputs: Int
    let kernel: Int
    let stride: Int
    let padding: Padding
    let groups: Int

    /// Multiply-accumulates per output value.
    var cost: Int { inputs / groups * kernel * kernel }

    /// (N, C, H, W) of the output for an input of this shape.
    func outputShape(of input: [Int]) -> [Int] {
        let sides = input[2...].map { side in
            let border = border(side)
            return (side + border.before + border.after - kernel) / stride + 1
        }
        return [input[0], outputs] + sides
    }

    /// Pads the input if its sides need different padding. Returns it with the padding that the
    /// convolution still has to add on all sides.
    func bordered(_ x: Tensor) -> (Tensor, padding: Int) {
        if case .symmetric(let padding) = padding { return (x, padding) }
        let shape = x.shape
        let (rows, columns) = (border(shape[2]), border(shape[3]))
        if rows == columns, rows.before == rows.after { return (x, rows.before) }
        return (x.padded(left: columns.before, right: columns.after, top: rows.before, bottom: rows.after), 0)
    }

    /// The same for a shape (N, C, H, W).
    func bordered(_ shape: [Int]) -> (shape: [Int], padding: Int) {
        let (rows, columns) = (border(shape[2]), border(shape[3]))
        if rows == columns, rows.before == rows.after { return (shape, rows.before) }
        let sides = [shape[2] + rows.before + rows.after, shape[3] + columns.before + columns.after]
        return (shape.prefix(2) + sides, 0)
    }

    /// The padding for a side of this many pixels.
    private func border(_ side: Int) -> (before: Int, after: Int) {
        switch padding {
        case .symmetric(let padding): return (padding, padding)
        case .tensorFlowSame:
            let total = max(((side + stride - 1) / stride - 1) * stride + kernel - side, 0)
            return (total / 2, total - total / 2)
        }
    }
}
