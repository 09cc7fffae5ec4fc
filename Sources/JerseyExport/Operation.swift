/// The operations of exported networks. The writer of each format supports all of them.
enum Operation: String, CaseIterable {
    // PyTorch's operations, with the arguments of its schemas.
    case add
    case batchNorm = "batch_norm"
    case cat
    case channelShuffle = "channel_shuffle"
    case clamp
    case constantPad = "constant_pad_nd"
    case conv2d
    case div
    case hardsigmoid
    case hardswish
    case linear
    case logSoftmax = "log_softmax"
    case matmul
    case maxPool2d = "max_pool2d"
    case mean
    case mul
    case narrow
    case permute
    case pow
    case relu
    case reshape
    case select
    case sigmoid
    case silu
    case softmax
    case squeeze
    case sum
    case tanh
    case to
    case unsqueeze
    case `where`

    // Our own, for what depends on the number of sequences and on their lengths.

    /// (frames (B, T, …), lengths (B)) to (B, T): true at frames, false at padding.
    case frameMask = "frame_mask"
    /// (rows (B·T, F), mask (B, T)) to (B, T, F), zeros at padding.
    case sequences
    /// (values (B, T), count) to (B, T): the `count` largest values of each row, divided by their
    /// sum; zeros elsewhere.
    case keepLargest = "keep_largest"
    /// (features (B, T, F), lengths (B), weights, units per direction, whether bidirectional) to
    /// states (B, T, D·H) and last states (B, D·H). At padding, features are zeros, and states are
    /// any finite numbers. Weights are PyTorch's four for each direction.
    case recurrentTanh = "recurrent_tanh"
    case recurrentGRU = "recurrent_gru"
    case recurrentLSTM = "recurrent_lstm"

    /// Whether PyTorch has the operation under this name.
    var isPyTorchs: Bool {
        switch self {
        case .frameMask, .sequences, .keepLargest, .recurrentTanh, .recurrentGRU, .recurrentLSTM: false
        default: true
        }
    }
}
