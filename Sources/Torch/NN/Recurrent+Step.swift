/// Recurrent layers that read one frame at a time, as it arrives.
extension Recurrent {
    /// The state after the frames so far. Its size is fixed.
    package struct State {
        /// (1, H)
        package let hidden: Tensor
        /// (1, H): the cell state of an LSTM; nil for other cells.
        let memory: Tensor?
    }

    /// The state after one more frame, equal to the state after reading all frames at once. Only
    /// for unidirectional layers.
    ///
    /// - Parameters:
    ///   - frame: (1, F).
    ///   - state: nil before the first frame.
    package func step(_ frame: Tensor, after state: State?) -> State {
        precondition(!bidirectional, "a bidirectional layer cannot continue from a state")
        let before = state?.hidden ?? .zeros([1, hidden], dtype: frame.dtype, device: frame.device)
        let new = frame.matmul(parameters[0].permuted(1, 0)) + parameters[2]  // (1, gates · H)
        let old = before.matmul(parameters[1].permuted(1, 0)) + parameters[3]
        func gate(_ tensor: Tensor, _ index: Int) -> Tensor {
            tensor.narrowed(1, to: index * hidden..<(index + 1) * hidden)
        }
        func sum(_ index: Int) -> Tensor { gate(new, index) + gate(old, index) }
        switch cell {
        case .rnn:
            return State(hidden: sum(0).tanh(), memory: nil)
        case .gru:
            let (reset, update) = (sum(0).sigmoid(), sum(1).sigmoid())
            let candidate = (gate(new, 2) + reset * gate(old, 2)).tanh()
            return State(hidden: candidate + update * (before - candidate), memory: nil)
        case .lstm:
            let (input, forget, output) = (sum(0).sigmoid(), sum(1).sigmoid(), sum(3).sigmoid())
            let added = input * sum(2).tanh()
            let memory = state?.memory.map { forget * $0 + added } ?? added
            return State(hidden: output * memory.tanh(), memory: memory)
        }
    }
}
