import CTorch

/// The packed layout of sequences of different lengths for a recurrent layer: which row goes where.
///
/// All index arithmetic happens on the host, so a training step never waits for the device. The
/// results are sent to the device once.
package final class PackedLayout {
    /// Valid frames of each sequence, at least one.
    package let lengths: [Int]
    /// Row of the frame list for each packed position: time-major, longest sequence first.
    let packedRows: [Int64]
    /// Number of sequences that are still running at each time step.
    let batchSizes: [Int64]
    /// Place of each sequence in the packed order.
    let rank: [Int64]
    /// Packed position of (sequence, time), or one past the end if there is no such frame.
    let paddedPositions: [Int64]
    private var sent: [String: Tensor] = [:]

    /// - Parameters:
    ///   - lengths: valid frames per sequence.
    ///   - stride: rows per sequence in the frame list if every sequence is padded to the same
    ///     length; nil if the list holds only valid frames, sequence after sequence.
    package init(lengths: [Int], stride: Int? = nil) {
        precondition(!lengths.isEmpty && lengths.allSatisfy { $0 > 0 }, "every sequence needs a frame")
        self.lengths = lengths
        let longest = lengths.max() ?? 0
        var starts = [0]
        for length in lengths { starts.append(starts.last! + (stride ?? length)) }
        let order = lengths.indices.sorted {
            lengths[$0] > lengths[$1] || (lengths[$0] == lengths[$1] && $0 < $1)
        }
        var rank = [Int64](repeating: 0, count: lengths.count)
        for (place, sequence) in order.enumerated() { rank[sequence] = Int64(place) }

        let total = lengths.reduce(0, +)
        var rows: [Int64] = []
        var sizes: [Int64] = []
        var positions = [Int64](repeating: Int64(total), count: lengths.count * longest)
        for time in 0..<longest {
            let running = order.prefix { lengths[$0] > time }
            for sequence in running {
                positions[sequence * longest + time] = Int64(rows.count)
                rows.append(Int64(starts[sequence] + time))
            }
            sizes.append(Int64(running.count))
        }
        self.rank = rank
        packedRows = rows
        batchSizes = sizes
        paddedPositions = positions
    }

    package var longest: Int { batchSizes.count }
    package var isPadded: Bool { lengths.contains { $0 != longest } }

    /// (B, T) booleans: true at padding.
    package func paddingMask(on device: Device) -> Tensor {
        constant("padding", on: device) {
            let values = lengths.flatMap { length in (0..<longest).map { UInt8($0 < length ? 0 : 1) } }
            return Tensor(values, shape: [lengths.count, longest]).to(dtype: .bool)
        }
    }

    /// A tensor that depends only on the lengths. It is made and sent to the device on first use.
    package func constant(_ name: String, on device: Device, _ make: () -> Tensor) -> Tensor {
        let key = "\(name) on \(device)"
        if let tensor = sent[key] { return tensor }
        let tensor = make().to(device: device)
        sent[key] = tensor
        return tensor
    }

    /// (R, F) rows of frames, padded or not as given to `init`, to (N, F) in packed order.
    func pack(_ frames: Tensor) -> Tensor {
        frames.indexSelected(0, at: constant("rows", on: frames.device) { Tensor(packedRows) })
    }

    /// (N, D) in packed order to (B, T, D), zeros at padding.
    func unpack(_ packed: Tensor) -> Tensor {
        let width = packed.shape[1]
        let withZeros = Tensor.concatenated(
            [packed, .zeros([1, width], dtype: packed.dtype, device: packed.device)], over: 0)
        return withZeros.indexSelected(
            0, at: constant("positions", on: packed.device) { Tensor(paddedPositions) }
        )
        .reshaped(lengths.count, longest, width)
    }

    /// (R, F) rows of frames to (B, T, F), zeros at padding.
    package func padded(_ frames: Tensor) -> Tensor { unpack(pack(frames)) }
}

/// One recurrent layer over sequences of different lengths. It never sees padding.
package struct Recurrent {
    package enum Cell: Int32, Sendable, Codable, CaseIterable {
        case rnn = 0
        case gru = 1
        case lstm = 2

        /// Rows of weights per unit.
        package var gates: Int {
            switch self {
            case .rnn: 1
            case .gru: 3
            case .lstm: 4
            }
        }
    }

    package struct Output {
        /// (B, T, D·H), zeros at padding.
        package let states: Tensor
        /// (B, D·H): the forward state at the last frame, and the backward state at the first.
        package let final: Tensor
    }

    let cell: Cell
    let hidden: Int
    let bidirectional: Bool
    let parameters: [Tensor]

    package init(_ scope: Scope, cell: Cell, inputs: Int, hidden: Int, bidirectional: Bool) {
        self.cell = cell
        self.hidden = hidden
        self.bidirectional = bidirectional
        let initial = Initial.pytorch(fanIn: hidden)
        let rows = cell.gates * hidden
        parameters = (bidirectional ? ["", "_reverse"] : [""]).flatMap { direction in
            [
                scope.parameter("weight_ih_l0" + direction, [rows, inputs], initial),
                scope.parameter("weight_hh_l0" + direction, [rows, hidden], initial),
                scope.parameter("bias_ih_l0" + direction, [rows], initial),
                scope.parameter("bias_hh_l0" + direction, [rows], initial),
            ]
        }
    }

    /// - Parameter frames: (R, F) rows in the order that `layout` describes.
    package func callAsFunction(_ frames: Tensor, _ layout: PackedLayout, _ pass: Pass = .evaluation)
        -> Output
    {
        let data = layout.pack(frames)
        // Named, because Swift may free a temporary before the call.
        let batchSizes = Tensor(layout.batchSizes)
        var last: ct_tensor?
        let packed = parameters.withList { list in
            tensor {
                ct_recurrent(
                    cell.rawValue, data.handle, batchSizes.handle, list, Int64(hidden), bidirectional, &last,
                    $0)
            }
        }
        pass.meter?.count(packed, cost: cell.gates * (data.shape[1] + hidden))
        let rank = layout.constant("rank", on: frames.device) { Tensor(layout.rank) }
        let final = Tensor(owning: last!).indexSelected(1, at: rank)  // (D, B, H)
        return Output(
            states: layout.unpack(packed),
            final: final.permuted(1, 0, 2).reshaped(layout.lengths.count, (bidirectional ? 2 : 1) * hidden))
    }
}
