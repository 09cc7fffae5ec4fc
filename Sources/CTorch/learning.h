// The interface between learning.cpp, which makes our training kernels known to libtorch's
// autograd, and the files that implement them.
#pragma once

#include "support.h"

#pragma clang assume_nonnull begin

inline const float *floats(const at::Tensor &tensor) { return static_cast<const float *>(tensor.const_data_ptr()); }
inline float *floats(at::Tensor &tensor) { return static_cast<float *>(tensor.data_ptr()); }

/// Whether `winograd_*` supports a convolution with stride and padding of 1, and is faster than
/// oneDNN.
bool learns_by_winograd(const at::Tensor &x, const at::Tensor &weight);
/// Transforms weights (O, I, 3, 3) for `winograd_convolution`.
///
/// - Parameter turned: for the backward pass, from gradients of results to gradients of inputs.
at::Tensor winograd_weights(const at::Tensor &weight, bool turned);
/// - Parameters: as for `ct_winograd_convolution`.
at::Tensor winograd_convolution(
    const at::Tensor &x, const at::Tensor &packed, ct_tensor _Nullable bias = nullptr, ct_tensor _Nullable residual = nullptr,
    bool relu = false);
/// The gradient of the weights (O, I, 3, 3), from inputs (N, I, H, W) and the gradient of results
/// (N, O, H, W). It does not depend on the number of threads.
at::Tensor winograd_weight_gradient(const at::Tensor &x, const at::Tensor &dy);

struct NormSettings {
    at::Tensor weight, bias, running_mean, running_variance;
    double momentum, epsilon;
    /// Applied last.
    bool relu;
};

struct NormGradients {
    at::Tensor x, weight, bias, residual;
};

/// Whether `norm_*` supports this many channels and places.
bool learns_norm(const at::Tensor &x);
/// Writes to `y`, and updates the running statistics. No sum depends on the number of threads.
///
/// - Returns: what the backward pass needs.
at::Tensor norm_forward(const at::Tensor &x, const NormSettings &settings, const std::optional<at::Tensor> &residual, at::Tensor &y);
/// - Parameter y: the result, if there was a residual followed by ReLU.
NormGradients norm_backward(
    const at::Tensor &x, const at::Tensor &statistics, const at::Tensor &bias, bool relu, const std::optional<at::Tensor> &y,
    const at::Tensor &dy);

// The fast paths of `ct_conv2d` and `ct_batch_norm`; nothing if these must use libtorch.
std::optional<at::Tensor> learned_convolution(
    const at::Tensor &x, const at::Tensor &weight, bool has_bias, int64_t stride, int64_t padding, int64_t groups);
std::optional<at::Tensor> learned_norm(const at::Tensor &x, const NormSettings &settings, const std::optional<at::Tensor> &residual);

#pragma clang assume_nonnull end
