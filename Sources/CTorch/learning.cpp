// Our own CPU training kernels as functions of libtorch's autograd.
#ifndef NDEBUG
// libtorch's own build defines this, and objects must have the same layout here.
#define NDEBUG
#endif
#include <ATen/autocast_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include "learning.h"

#if defined(__x86_64__)

namespace {
using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

constexpr auto channels_last = at::MemoryFormat::ChannelsLast;

/// Whether our kernels support this tensor.
bool is_ours(const at::Tensor &x) {
    return x.is_cpu() && x.scalar_type() == at::kFloat && x.dim() == 4 && x.numel() > 0 && x.is_contiguous(channels_last);
}

/// Whether gradients are recorded for these tensors, in their own type.
bool learns(const at::Tensor &x, const at::Tensor &weight) {
    return c10::GradMode::is_enabled() && (weight.requires_grad() || x.requires_grad()) && is_ours(x) &&
        weight.scalar_type() == at::kFloat && !at::autocast::is_autocast_enabled(at::kCPU);
}

struct Convolution : Function<Convolution> {
    static at::Tensor forward(AutogradContext *context, const at::Tensor &x, const at::Tensor &weight) {
        context->save_for_backward({x, weight});
        return winograd_convolution(x, winograd_weights(weight, false));
    }

    static variable_list backward(AutogradContext *context, const variable_list &gradients) {
        const auto saved = context->get_saved_variables();
        const auto &x = saved[0], &weight = saved[1], dy = gradients[0].contiguous(channels_last);
        variable_list result(2);
        if (context->needs_input_grad(0)) result[0] = winograd_convolution(dy, winograd_weights(weight, true));
        if (context->needs_input_grad(1)) result[1] = winograd_weight_gradient(x, dy);
        return result;
    }
};

struct NormActivation : Function<NormActivation> {
    static at::Tensor forward(
        AutogradContext *context, const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias,
        const std::optional<at::Tensor> &residual, const NormSettings &settings) {
        auto y = at::empty_like(x);
        variable_list saved{x, norm_forward(x, settings, residual, y), bias};
        if (residual && settings.relu) saved.push_back(y);
        context->save_for_backward(std::move(saved));
        context->saved_data["relu"] = settings.relu;
        context->saved_data["adds"] = residual.has_value();
        return y;
    }

    static variable_list backward(AutogradContext *context, const variable_list &gradients) {
        const auto saved = context->get_saved_variables();
        const bool relu = context->saved_data["relu"].toBool(), adds = context->saved_data["adds"].toBool();
        const auto y = relu && adds ? std::optional(saved[3]) : std::nullopt;
        const auto result = norm_backward(saved[0], saved[1], saved[2], relu, y, gradients[0].contiguous(channels_last));
        return {result.x, result.weight, result.bias, adds ? result.residual : at::Tensor(), at::Tensor()};
    }
};
}  // namespace

std::optional<at::Tensor> learned_convolution(
    const at::Tensor &x, const at::Tensor &weight, bool has_bias, int64_t stride, int64_t padding, int64_t groups) {
    if (has_bias || stride != 1 || padding != 1 || groups != 1 || !learns(x, weight) || !learns_by_winograd(x, weight))
        return std::nullopt;
    return Convolution::apply(x, weight);
}

std::optional<at::Tensor> learned_norm(const at::Tensor &x, const NormSettings &settings, const std::optional<at::Tensor> &residual) {
    if (!learns(x, settings.weight) || !learns_norm(x)) return std::nullopt;
    if (residual && (!is_ours(*residual) || residual->sizes() != x.sizes())) return std::nullopt;
    return NormActivation::apply(x, settings.weight, settings.bias, residual, settings);
}

#else

std::optional<at::Tensor> learned_convolution(const at::Tensor &, const at::Tensor &, bool, int64_t, int64_t, int64_t) {
    return std::nullopt;
}

std::optional<at::Tensor> learned_norm(const at::Tensor &, const NormSettings &, const std::optional<at::Tensor> &) {
    return std::nullopt;
}

#endif
