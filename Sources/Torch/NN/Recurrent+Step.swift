/// One frame at a time, for what is read as it comes.
extension Recurrent {
    /// What the frames so far have left; of fixed size.
    package struct State {
        /// (1, H)
        package let hidden: Tensor
        /// (1, H), of an LSTM only.
        let memory: Tensor?
    }

    /// The state after one frame more, equal to that of all frames at once. For layers of one direction.
    ///
    /// - Parameters:
    ///   - frame: (1, F).
    ///   - state: nil before the first frame.
    package func step(_ frame: Tensor, after state: State?) -> State {
        precondition(!bidirectional, "a layer that reads backwards, too, cannot go on from a state")
        let before = state?.hidden ?? .zeros([1, hidden], dtype: frame.dtype, device: frame.device)
        let new = frame.matmul(parameters[0].permuted(1, 0)) + parameters[2]  // (1, gates · H)
        let old = before.matmul(parameters[1].permuted(1, 0)) + parameters[3]
        func gate(_ tensor: Tensor, _ index: Int) -> Tensor { tensor.narrowed(1, to: index * hidden..<(index + 1) * hidden) }
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
