// Batch norm of (N, C, H, W) in training, channels-last, with the sum with a shortcut and ReLU in
// the same passes over memory: two forward and two backward. libtorch needs twice as many.
#include <ATen/ceil_div.h>

#include <cmath>

#include "learning.h"

#if defined(__x86_64__)

namespace {
/// The normalisation of each channel: (x − mean) · scale + bias, then ReLU if `relu`.
struct Norm {
    const float *mean, *scale, *bias;
    int64_t channels;
    bool relu;
};

namespace avx512 {
constexpr int64_t lanes = 16;
#pragma clang attribute push(__attribute__((target("avx512f"))), apply_to = function)
#include "norm_kernel.h"
#pragma clang attribute pop
}  // namespace avx512

namespace avx2 {
constexpr int64_t lanes = 8;
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#include "norm_kernel.h"
#pragma clang attribute pop
}  // namespace avx2

bool is_wide(int64_t channels) { return has_avx512() && channels % avx512::lanes == 0; }

/// The rows of a tensor in blocks. The blocks do not depend on the number of threads, so that sums
/// do not either.
struct Blocks {
    const int64_t channels, rows, size = std::max<int64_t>((1 << 15) / channels, 1), count = at::ceil_div(rows, size);

    explicit Blocks(const at::Tensor &x) : channels(x.size(1)), rows(x.numel() / x.size(1)) {}

    /// - Parameter body: gets the index of a block, its offset in memory, and its number of rows.
    template <typename Body>
    void in_parallel(Body body) const {
        ::in_parallel(count, [&](int64_t block) { body(block, block * size * channels, length(block)); });
    }

    int64_t length(int64_t block) const { return std::min(size, rows - block * size); }
};
}  // namespace

bool learns_norm(const at::Tensor &x) { return has_avx2() && x.size(1) % avx2::lanes == 0 && x.numel() > x.size(1); }

at::Tensor norm_forward(const at::Tensor &x, const NormSettings &settings, const std::optional<at::Tensor> &residual, at::Tensor &y) {
    const Blocks blocks(x);
    const int64_t channels = blocks.channels;
    const bool wide = is_wide(channels);
    auto partial = at::empty({blocks.count, 2, channels}, x.options()), statistics = at::empty({3, channels}, x.options());
    const float *from = floats(x), *added = residual ? floats(*residual) : nullptr, *weight = floats(settings.weight);
    float *sums = floats(partial), *to = floats(y);
    blocks.in_parallel([&](int64_t block, int64_t at, int64_t rows) {
        float *mean = sums + block * 2 * channels;
        (wide ? avx512::sum_up : avx2::sum_up)(from + at, rows, channels, mean, mean + channels);
    });
    auto running_mean = settings.running_mean, running_variance = settings.running_variance;
    float *mean = floats(statistics), *scale = mean + channels, *inverse = scale + channels;
    float *kept_mean = floats(running_mean), *kept_variance = floats(running_variance);
    const double count = blocks.rows, momentum = settings.momentum;
    for (int64_t c = 0; c < channels; c++) {
        double sum = 0, squares = 0;
        for (int64_t block = 0; block < blocks.count; block++) sum += blocks.length(block) * double(sums[block * 2 * channels + c]);
        const double average = sum / count;
        for (int64_t block = 0; block < blocks.count; block++) {
            const double difference = sums[block * 2 * channels + c] - average;
            squares += sums[(block * 2 + 1) * channels + c] + blocks.length(block) * difference * difference;
        }
        mean[c] = average;
        inverse[c] = 1 / std::sqrt(squares / count + settings.epsilon);
        scale[c] = inverse[c] * weight[c];
        kept_mean[c] = momentum * average + (1 - momentum) * kept_mean[c];
        kept_variance[c] = momentum * squares / (count - 1) + (1 - momentum) * kept_variance[c];
    }
    const Norm norm{mean, scale, floats(settings.bias), channels, settings.relu};
    blocks.in_parallel([&](int64_t, int64_t at, int64_t rows) {
        (wide ? avx512::normalize : avx2::normalize)(norm, from + at, added ? added + at : nullptr, rows, to + at);
    });
    return statistics;
}

NormGradients norm_backward(
    const at::Tensor &x, const at::Tensor &statistics, const at::Tensor &bias, bool relu, const std::optional<at::Tensor> &y,
    const at::Tensor &dy) {
    const Blocks blocks(x);
    const int64_t channels = blocks.channels;
    const bool wide = is_wide(channels);
    const float *mean = floats(statistics), *scale = mean + channels, *inverse = scale + channels;
    const float *from = floats(x), *output = y ? floats(*y) : nullptr, *gradient = floats(dy);
    Norm norm{mean, scale, floats(bias), channels, relu};
    NormGradients result{
        at::empty_like(x), at::empty({channels}, x.options()), at::empty({channels}, x.options()), y ? at::empty_like(x) : dy};
    auto partial = at::empty({blocks.count, 2, channels}, x.options()), means = at::empty({2, channels}, x.options());
    float *sums = floats(partial), *kept = y ? floats(result.residual) : nullptr;
    blocks.in_parallel([&](int64_t block, int64_t at, int64_t rows) {
        float *sum = sums + block * 2 * channels;
        (wide ? avx512::sum_gradients : avx2::sum_gradients)(
            norm, from + at, output ? output + at : nullptr, gradient + at, rows, kept ? kept + at : nullptr, sum, sum + channels);
    });
    float *weight_gradient = floats(result.weight), *bias_gradient = floats(result.bias);
    float *mean_gradient = floats(means), *mean_product = mean_gradient + channels;
    for (int64_t c = 0; c < channels; c++) {
        double sum = 0, products = 0;
        for (int64_t block = 0; block < blocks.count; block++) {
            sum += sums[block * 2 * channels + c];
            products += sums[(block * 2 + 1) * channels + c];
        }
        bias_gradient[c] = sum;
        weight_gradient[c] = products * inverse[c];
        mean_gradient[c] = sum / blocks.rows;
        mean_product[c] = products * inverse[c] * inverse[c] / blocks.rows;
    }
    if (kept) {
        gradient = kept;
        norm.relu = false;
    }
    float *to = floats(result.x);
    blocks.in_parallel([&](int64_t, int64_t at, int64_t rows) {
        (wide ? avx512::propagate : avx2::propagate)(norm, from + at, gradient + at, rows, mean_gradient, mean_product, to + at);
    });
    return result;
}

#endif
