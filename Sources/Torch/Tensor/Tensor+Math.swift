import CTorch

extension Tensor {
    package static func + (a: Tensor, b: Tensor) -> Tensor { tensor { ct_add(a.handle, b.handle, 1, $0) } }
    package static func - (a: Tensor, b: Tensor) -> Tensor { tensor { ct_add(a.handle, b.handle, -1, $0) } }
    package static func * (a: Tensor, b: Tensor) -> Tensor { tensor { ct_mul(a.handle, b.handle, $0) } }
    package static func / (a: Tensor, b: Tensor) -> Tensor { tensor { ct_div(a.handle, b.handle, $0) } }
    package static func + (a: Tensor, b: Double) -> Tensor { tensor { ct_add_scalar(a.handle, b, $0) } }
    package static func * (a: Tensor, b: Double) -> Tensor { tensor { ct_mul_scalar(a.handle, b, $0) } }

    package func tanh() -> Tensor { tensor { ct_tanh(handle, $0) } }
    package func squareRoot() -> Tensor { tensor { ct_sqrt(handle, $0) } }
    package func sigmoid() -> Tensor { tensor { ct_sigmoid(handle, $0) } }
    package func clamped(to range: ClosedRange<Double>) -> Tensor {
        tensor { ct_clamp(handle, range.lowerBound, range.upperBound, $0) }
    }

    /// `value` wherever the boolean `mask` is true.
    package func filled(where mask: Tensor, with value: Double) -> Tensor {
        tensor { ct_masked_fill(handle, mask.handle, value, $0) }
    }
    package func isLess(than other: Tensor) -> Tensor { tensor { ct_less_than(handle, other.handle, $0) } }
    package func isEqual(to other: Tensor) -> Tensor { tensor { ct_equal(handle, other.handle, $0) } }
    /// True if no element is infinite or NaN.
    package var isFinite: Bool { checked { ct_all_finite(handle, $0) } }

    /// From the smallest element to the largest. The tensor must have an element. Nil if one is
    /// infinite or NaN.
    package var range: ClosedRange<Double>? {
        var (low, high) = (0.0, 0.0)
        checked { ct_range(handle, &low, &high, $0) }
        return low.isFinite && high.isFinite ? low...max(low, high) : nil
    }

    package func sum(over dimensions: Int..., keep: Bool = false) -> Tensor {
        tensor { ct_sum(handle, dimensions.map(Int64.init), dimensions.count, keep, $0) }
    }

    package func mean(over dimensions: Int..., keep: Bool = false) -> Tensor {
        tensor { ct_mean(handle, dimensions.map(Int64.init), dimensions.count, keep, $0) }
    }

    package func argmax(over dimension: Int) -> Tensor { tensor { ct_argmax(handle, Int64(dimension), $0) } }
    package func softmax(over dimension: Int) -> Tensor {
        tensor { ct_softmax(handle, Int64(dimension), $0) }
    }
    package func logSoftmax(over dimension: Int) -> Tensor {
        tensor { ct_log_softmax(handle, Int64(dimension), $0) }
    }

    /// The `k` largest elements along `dimension`, largest first, and their positions.
    package func top(_ k: Int, over dimension: Int) -> (values: Tensor, indices: Tensor) {
        var positions: ct_tensor?
        let values = tensor { ct_top_k(handle, Int64(k), Int64(dimension), &positions, $0) }
        return (values, Tensor(owning: positions!))
    }

    package func matmul(_ other: Tensor) -> Tensor { tensor { ct_matmul(handle, other.handle, $0) } }
}

// MARK: - In place

/// These change the tensor itself. They are for images, and gradients do not pass through them.
extension Tensor {
    @discardableResult package func floorInPlace() -> Tensor { tensor { ct_floor_in_place(handle, $0) } }
    @discardableResult package func addInPlace(_ other: Tensor, times factor: Double = 1) -> Tensor {
        tensor { ct_add_in_place(handle, other.handle, factor, $0) }
    }
    @discardableResult package func addInPlace(_ value: Double) -> Tensor {
        tensor { ct_add_scalar_in_place(handle, value, $0) }
    }
    @discardableResult package func multiplyInPlace(_ other: Tensor) -> Tensor {
        tensor { ct_mul_in_place(handle, other.handle, $0) }
    }
    @discardableResult package func multiplyInPlace(_ value: Double) -> Tensor {
        tensor { ct_mul_scalar_in_place(handle, value, $0) }
    }
    @discardableResult package func clampInPlace(to range: ClosedRange<Double>) -> Tensor {
        tensor { ct_clamp_in_place(handle, range.lowerBound, range.upperBound, $0) }
    }
}
