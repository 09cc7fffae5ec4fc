import CTorch

extension Tensor {
    package func reshaped(_ shape: Int...) -> Tensor { reshaped(shape) }

    package func reshaped(_ shape: [Int]) -> Tensor {
        tensor { ct_reshape(handle, shape.map(Int64.init), shape.count, $0) }
    }
    package func permuted(_ order: Int...) -> Tensor {
        tensor { ct_permute(handle, order.map(Int64.init), order.count, $0) }
    }
    package func unsqueezed(_ dimension: Int) -> Tensor {
        tensor { ct_unsqueeze(handle, Int64(dimension), $0) }
    }
    package func squeezed(_ dimension: Int) -> Tensor { tensor { ct_squeeze(handle, Int64(dimension), $0) } }

    /// The part `range` of one dimension; shares memory.
    package func narrowed(_ dimension: Int, to range: Range<Int>) -> Tensor {
        tensor { ct_narrow(handle, Int64(dimension), Int64(range.lowerBound), Int64(range.count), $0) }
    }

    /// One index of one dimension, which is dropped; shares memory.
    package func selected(_ dimension: Int, at index: Int) -> Tensor {
        tensor { ct_select(handle, Int64(dimension), Int64(index), $0) }
    }

    /// The rows `indices` (int64 vector) of one dimension, copied.
    package func indexSelected(_ dimension: Int, at indices: Tensor) -> Tensor {
        tensor { ct_index_select(handle, Int64(dimension), indices.handle, $0) }
    }

    /// This tensor with `values` put at positions `indices` along `dimension`.
    package func scattered(_ dimension: Int, at indices: Tensor, values: Tensor) -> Tensor {
        tensor { ct_scatter(handle, Int64(dimension), indices.handle, values.handle, $0) }
    }

    package static func concatenated(_ tensors: [Tensor], over dimension: Int) -> Tensor {
        tensors.withList { list in tensor { ct_concatenate(list, Int64(dimension), $0) } }
    }

    /// Zeros around the last two dimensions.
    package func padded(left: Int, right: Int, top: Int, bottom: Int) -> Tensor {
        tensor { ct_pad(handle, [left, right, top, bottom].map(Int64.init), 4, $0) }
    }

    /// (N, C, H, W) convolved with weights (C', C / groups, k, k), without padding.
    /// Returns (N, C', H - k + 1, W - k + 1).
    package func convolved(with weights: Tensor, groups: Int = 1) -> Tensor {
        tensor { ct_conv2d(handle, weights.handle, nil, 1, 0, Int64(groups), $0) }
    }

    /// Mixes the channels of `groups` groups (ShuffleNet).
    package func channelShuffled(groups: Int) -> Tensor {
        tensor { ct_channel_shuffle(handle, Int64(groups), $0) }
    }

    /// Row-major memory, or channels-last memory of a (N, C, H, W) tensor. Does not copy if the
    /// layout is right.
    package func contiguous(channelsLast: Bool = false) -> Tensor {
        tensor { ct_contiguous(handle, channelsLast, $0) }
    }

    /// Converts and moves the tensor; returns it unchanged if nothing differs.
    package func to(dtype: DType? = nil, device: Device? = nil) -> Tensor {
        let dtype = dtype?.rawValue ?? ct_dtype(handle)
        let device = device?.rawValue ?? ct_device(handle)
        return tensor { ct_to(handle, dtype, device, $0) }
    }

    /// Overwrites the elements with those of `source`, converted if types or devices differ.
    package func copy(from source: Tensor) {
        withoutGradients { checked { ct_copy_into(handle, source.handle, $0) } }
    }
}

extension Tensor {
    /// (R, H, W, 3) bytes on the CPU, each colour times its `scale` plus its `shift`: (R, 3, H, W)
    /// float32, channels-last.
    package func scaledFrames(_ scale: [Float], _ shift: [Float]) -> Tensor {
        precondition(scale.count == 3 && shift.count == 3, "frames have three colours")
        return tensor { ct_scaled_frames(handle, scale, shift, $0) }
    }

    /// (1, C, H, W) warped by an affine map. The output at point p, in coordinates -1...1 from edge
    /// to edge, is the input at `theta` (2 × 3, row-major) times p. Bilinear with edge clamping;
    /// zero if the input point lies outside.
    package func warped(by theta: [Double]) -> Tensor {
        precondition(theta.count == 6, "an affine map has six numbers")
        return tensor { ct_warp(handle, theta, $0) }
    }
}
