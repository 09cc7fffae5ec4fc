import CTorch

extension Tensor {
    /// Marks a leaf that needs a gradient.
    package func requireGradient(_ value: Bool = true) {
        checked { ct_set_requires_grad(handle, value, $0) }
    }

    /// Adds the gradients of this scalar to every leaf that it depends on.
    package func backward() {
        checked { ct_backward(handle, $0) }
    }

    /// The gradient that `backward` computed, if any.
    package var gradient: Tensor? { ct_gradient(handle).map { Tensor(owning: $0) } }

    /// Sets the gradient, for example when a run is resumed.
    package func setGradient(_ gradient: Tensor) {
        checked { ct_set_gradient(handle, gradient.handle, $0) }
    }

    package func clearGradient() {
        ct_clear_gradient(handle)
    }

    /// A copy in memory of its own, outside the graph.
    package func copied() -> Tensor { tensor { ct_clone(handle, $0) } }

    /// The same values outside the graph; shares memory.
    package func detached() -> Tensor { tensor { ct_detach(handle, $0) } }
}

/// Runs `body` without recording a graph. Synchronous, because libtorch's switch is per thread.
package func withoutGradients<Result>(_ body: () throws -> Result) rethrows -> Result {
    let former = ct_set_gradients_enabled(false)
    defer { _ = ct_set_gradients_enabled(former) }
    return try body()
}

/// Runs `body` with a graph recorded, even if the caller switched recording off.
package func withGradients<Result>(_ body: () throws -> Result) rethrows -> Result {
    let former = ct_set_gradients_enabled(true)
    defer { _ = ct_set_gradients_enabled(former) }
    return try body()
}

/// Runs `body` with mixed precision: operations that gain from `dtype` use it. If `dtype` is nil,
/// runs `body` as usual.
package func withAutocast<Result>(_ dtype: DType?, on device: Device, _ body: () throws -> Result) rethrows
    -> Result
{
    guard let dtype else { return try body() }
    let former = checked { ct_set_autocast(device.rawValue, dtype.rawValue, $0) }
    defer { _ = checked { ct_set_autocast(device.rawValue, former, $0) } }
    return try body()
}
