// Batch norm over the rows of all processes that train together. libtorch has it for GPUs only.
#ifndef NDEBUG
// libtorch's own build defines this, and objects must have the same layout here.
#define NDEBUG
#endif
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <vector>

#include "support.h"

namespace {
using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

/// One value per channel, in float64 on the CPU.
at::Tensor exact(const at::Tensor &values) { return values.to(at::kCPU, at::kDouble).contiguous(); }

double *doubles(at::Tensor &values) { return static_cast<double *>(values.data_ptr()); }

/// (C) as (1, C, 1, 1) in the type and on the device of `x`.
at::Tensor along_channels(const at::Tensor &values, const at::Tensor &x) { return values.to(x.options()).view({1, -1, 1, 1}); }

struct SyncedNorm : Function<SyncedNorm> {
    static at::Tensor forward(
        AutogradContext *context, const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias, at::Tensor running_mean,
        at::Tensor running_variance, double momentum, double epsilon, const ct_sums &sums) {
        const int64_t channels = x.size(1);
        const double rows = sums.counts ? x.numel() / channels : 0;
        const bool is_short = x.scalar_type() == at::kHalf || x.scalar_type() == at::kBFloat16;
        const auto [own_variance, own_mean] = at::var_mean(is_short ? x.to(at::kFloat) : x, {0, 2, 3}, /*correction=*/0);
        // Sums of differences from the running mean, which is the same everywhere. Squares of large
        // means would swallow small variances.
        const auto origin = exact(running_mean), from_origin = exact(own_mean) - origin;
        auto totals = at::cat({from_origin * rows, (exact(own_variance) + from_origin * from_origin) * rows, at::full({1}, rows, at::kDouble)});
        sums.sum(sums.context, doubles(totals), totals.numel());
        const double count = totals[2 * channels].item<double>();
        const auto shift = totals.narrow(0, 0, channels) / count;
        const auto variance = (totals.narrow(0, channels, channels) / count - shift * shift).clamp_min(0);
        const auto mean_ = (origin + shift).to(weight.options()), variance_ = variance.to(weight.options());
        running_mean.mul_(1 - momentum).add_(mean_, momentum);
        running_variance.mul_(1 - momentum).add_(variance_, momentum * count / std::max(count - 1, 1.));
        context->save_for_backward({x, weight, mean_, variance_});
        context->saved_data["epsilon"] = epsilon;
        context->saved_data["count"] = count;
        context->saved_data["context"] = reinterpret_cast<int64_t>(sums.context);
        context->saved_data["sum"] = reinterpret_cast<int64_t>(sums.sum);
        context->saved_data["counts"] = sums.counts;
        return std::get<0>(at::native_batch_norm(x, weight, bias, mean_, variance_, /*training=*/false, momentum, epsilon));
    }

    static variable_list backward(AutogradContext *context, const variable_list &gradients) {
        const auto saved = context->get_saved_variables();
        const auto &x = saved[0], &weight = saved[1], &mean = saved[2], &variance = saved[3];
        const double epsilon = context->saved_data["epsilon"].toDouble(), count = context->saved_data["count"].toDouble();
        // As if the statistics were constants, which gives the gradients of weight and bias.
        auto [dx, weight_gradient, bias_gradient] = at::native_batch_norm_backward(
            gradients[0].contiguous(x.suggest_memory_format()), x, weight, mean, variance, {}, {}, /*train=*/false, epsilon, {true, true, true});
        auto totals = at::cat({exact(weight_gradient), exact(bias_gradient)});
        const auto sum = reinterpret_cast<void (*)(void *, double *, size_t)>(context->saved_data["sum"].toInt());
        sum(reinterpret_cast<void *>(context->saved_data["context"].toInt()), doubles(totals), totals.numel());
        // What the statistics add: every row moves them.
        const int64_t channels = x.size(1);
        const auto inverse = (exact(variance) + epsilon).rsqrt(), scale = exact(weight) * inverse / count;
        const auto slope = scale * inverse * totals.narrow(0, 0, channels);
        const auto offset = scale * totals.narrow(0, channels, channels) - slope * exact(mean);
        dx.addcmul_(x, along_channels(slope, dx), -1).sub_(along_channels(offset, dx));
        if (!context->saved_data["counts"].toBool()) dx.zero_();
        variable_list result(8);
        result[0] = dx;
        result[1] = weight_gradient;
        result[2] = bias_gradient;
        return result;
    }
};
}  // namespace

ct_tensor ct_synced_batch_norm(
    ct_tensor input, ct_tensor weight, ct_tensor bias, ct_tensor running_mean, ct_tensor running_var, double momentum, double epsilon,
    ct_tensor residual, bool relu, ct_sums sums, ct_error *error) {
    return guarded(error, [&] {
        auto y = SyncedNorm::apply(at_(input), at_(weight), at_(bias), at_(running_mean), at_(running_var), momentum, epsilon, sums);
        if (residual) y = y + at_(residual);
        return own(relu ? y.relu_() : y);
    });
}
