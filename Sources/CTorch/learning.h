// Between learning.cpp, which tells libtorch's autograd what can be learned faster than by its own operations, and the files that can.
#pragma once

#include "support.h"

#pragma clang assume_nonnull begin

inline const float *floats(const at::Tensor &tensor) { return static_cast<const float *>(tensor.const_data_ptr()); }
inline float *floats(at::Tensor &tensor) { return static_cast<float *>(tensor.data_ptr()); }

/// Whether `winograd_*` can do a convolution, with stride and padding of 1, and faster than oneDNN.
bool learns_by_winograd(const at::Tensor &x, const at::Tensor &weight);
/// Weights (O, I, 3, 3), transformed for `winograd_convolution`.
///
/// - Parameter turned: those of the way back, from gradients of results to gradients of inputs.
at::Tensor winograd_weights(const at::Tensor &weight, bool turned);
/// - Parameters: as of `ct_winograd_convolution`.
at::Tensor winograd_convolution(
    const at::Tensor &x, const at::Tensor &packed, ct_tensor _Nullable bias = nullptr, ct_tensor _Nullable residual = nullptr,
    bool relu = false);
/// The gradient of the weights (O, I, 3, 3), of inputs (N, I, H, W) and the gradient of results (N, O, H, W). The same whatever the
/// number of threads.
at::Tensor winograd_weight_gradient(const at::Tensor &x, const at::Tensor &dy);

struct NormSettings {
    at::Tensor weight, bias, running_mean, running_variance;
    double momentum, epsilon;
    /// Behind all.
    bool relu;
};

struct NormGradients {
    at::Tensor x, weight, bias, residual;
};

/// Whether `norm_*` can do with so many channels and places.
bool learns_norm(const at::Tensor &x);
/// Writes to `y`; the running statistics learn. All sums are the same whatever the number of threads.
///
/// - Returns: what the way back needs.
at::Tensor norm_forward(const at::Tensor &x, const NormSettings &settings, const std::optional<at::Tensor> &residual, at::Tensor &y);
/// - Parameter y: where there was a residual, and ReLU behind it.
NormGradients norm_backward(
    const at::Tensor &x, const at::Tensor &statistics, const at::Tensor &bias, bool relu, const std::optional<at::Tensor> &y,
    const at::Tensor &dy);

// What `ct_conv2d` and `ct_batch_norm` do by these; nothing where they are to ask libtorch.
std::optional<at::Tensor> learned_convolution(
    const at::Tensor &x, const at::Tensor &weight, bool has_bias, int64_t stride, int64_t padding, int64_t groups);
std::optional<at::Tensor> learned_norm(const at::Tensor &x, const NormSettings &settings, const std::optional<at::Tensor> &residual);

#pragma clang assume_nonnull end
