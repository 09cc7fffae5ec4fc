// 3x3 convolutions with stride 1 by Winograd's minimal filtering, F(4x4, 3x3) of Lavin & Gray 2016.
// It computes tiles of 4x4 outputs from windows of 6x6 inputs by 36 matrix products, with a quarter
// of the multiplications. oneDNN no longer has it, and residual networks spend most of their time
// in these convolutions.
#include <ATen/ceil_div.h>

#include <array>

#include "learning.h"

#if defined(__x86_64__)

namespace {
constexpr int64_t tile = 4, window = 6, planes = window * window, pack_inputs = 32;

// A bfloat16 is the upper half of a float. Only stored values are bfloat16: between load and store,
// everything is as exact as for floats.
struct BFloat {
    uint16_t bits;
};

/// `Element` is float or `BFloat`.
template <typename Element>
struct Layer {
    const Element *x, *residual;
    Element *y;
    const float *weights, *bias;
    int64_t height, width, inputs, outputs, down, across;
    bool relu;
};

// Functions for processors that have these registers. Code compiled for all processors could only
// use registers of 16 bytes.
namespace avx512 {
constexpr int64_t lanes = 16, block_rows = 12, turned_rows = 8;
#pragma clang attribute push(__attribute__((target("avx512f"))), apply_to = function)
#include "winograd_kernel.h"
#pragma clang attribute pop
}  // namespace avx512

namespace avx2 {
constexpr int64_t lanes = 8, block_rows = 6, turned_rows = 4;
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#include "winograd_kernel.h"
#pragma clang attribute pop
}  // namespace avx2
}  // namespace

namespace {
/// G w of Lavin & Gray: six values, `step` apart, from three that lie `stride` apart.
template <int lanes>
void transform_weights(const double (*w)[lanes], int stride, double (*u)[lanes], int step) {
    for (int i = 0; i < lanes; i++) {
        const double a = w[0][i], b = w[stride][i], c = w[2 * stride][i];
        const double even = a + c, far = a / 24 + c / 6;
        u[0][i] = a / 4;
        u[step][i] = -(even + b) / 6;
        u[2 * step][i] = -(even - b) / 6;
        u[3 * step][i] = far + b / 12;
        u[4 * step][i] = far - b / 12;
        u[5 * step][i] = c;
    }
}

/// Packs a register of outputs from `first` on: weights (O, 3, 3, I) times the outputs' factors, to
/// planes (I, lanes) that lie `plane` floats apart.
template <int lanes>
void pack(const float *weights, const double *factors, float *to, int64_t first, int64_t inputs, int64_t plane) {
    for (int64_t input = 0; input < inputs; input++, to += lanes) {
        double w[9][lanes], half[3 * window][lanes], u[planes][lanes];
        for (int i = 0; i < lanes; i++)
            for (int k = 0; k < 9; k++) w[k][i] = weights[((first + i) * 9 + k) * inputs + input] * factors[first + i];
        // Columns, then rows.
        for (int x = 0; x < 3; x++) transform_weights<lanes>(w + x, 3, half + x, 3);
        for (int y = 0; y < window; y++) transform_weights<lanes>(half + 3 * y, 1, u + window * y, 1);
        for (int64_t k = 0; k < planes; k++)
            for (int i = 0; i < lanes; i++) to[k * plane + i] = static_cast<float>(u[k][i]);
    }
}
}  // namespace

int64_t ct_winograd_lanes(void) {
    return has_avx512() ? avx512::lanes : has_avx2() ? avx2::lanes : 0;
}

ct_tensor ct_pack_winograd(ct_tensor weight, ct_tensor factors, int64_t lanes, ct_error *error) {
    return guarded(error, [&] {
        TORCH_CHECK(lanes == avx512::lanes || lanes == avx2::lanes, "Winograd convolutions need a processor with AVX2 or AVX-512");
        const auto w = at_(weight).contiguous(at::MemoryFormat::ChannelsLast);
        const int64_t outputs = w.size(0), inputs = w.size(1);
        TORCH_CHECK(
            w.scalar_type() == at::kFloat && w.size(2) == 3 && w.size(3) == 3 && outputs % lanes == 0,
            "weights must be float32 and 3x3, with whole registers of outputs");
        const auto by = of_outputs(factors, outputs, 1);
        auto packed = at::empty({planes, outputs / lanes, inputs, lanes}, at::kFloat);
        const auto *factor = by.const_data_ptr<double>();
        auto *to = packed.mutable_data_ptr<float>();
        in_parallel(outputs / lanes, [&](int64_t panel) {
            (lanes == avx512::lanes ? pack<avx512::lanes> : pack<avx2::lanes>)(
                floats(w), factor, to + panel * inputs * lanes, panel * lanes, inputs, inputs * outputs);
        });
        return own(packed);
    });
}

namespace {
bool pays(at::IntArrayRef input, at::ScalarType type, int64_t outputs) {
    const int64_t images = input[0], inputs = input[1], rows = input[2], columns = input[3], places = images * rows * columns;
    const int64_t tiles = images * at::ceil_div(rows, tile) * at::ceil_div(columns, tile);
    // Measured. It does not pay if tiles reach too far beyond the image, which matters more for
    // bfloat16, where oneDNN is twice as fast. Nor does it pay if the weights, four times as many
    // as the convolution's, are fetched from memory for few tiles.
    return tiles > 0 && places >= (type == at::kFloat ? 6 : 12) * tiles && (tiles >= 12 || inputs * outputs < 1 << 16);
}

template <typename Element>
void convolve_all(
    const at::Tensor &x, const at::Tensor &weights, const float *bias, at::Tensor &y, bool adds, bool relu) {
    const auto *from = static_cast<const Element *>(x.const_data_ptr());
    auto *to = static_cast<Element *>(y.data_ptr());
    const int64_t lanes = weights.size(3), outputs = y.size(1), down = at::ceil_div(x.size(2), tile), across = at::ceil_div(x.size(3), tile);
    const Layer<Element> layer{
        from, adds ? to : nullptr, to, floats(weights), bias, x.size(2), x.size(3), x.size(1), outputs, down, across, relu};
    // Enough tiles at a time that fetching the weights pays off, and equally many for each thread.
    // If there are few, each thread takes all of them and a share of the outputs, so that weights
    // are fetched once.
    const int64_t tiles = x.size(0) * down * across, threads = usable_threads(), most_tiles = x.size(1) > 256 ? 64 : 24;
    const int64_t groups = tiles >= threads * most_tiles / 2 ? 1 : std::min(threads, outputs / lanes);
    const int64_t per_group = at::ceil_div(outputs / lanes, groups) * lanes, shares = threads / groups;
    const int64_t rounds = at::ceil_div(tiles, shares * most_tiles);
    const int64_t per_block = at::ceil_div(tiles, rounds * shares), blocks = at::ceil_div(tiles, per_block);
    const auto convolve = lanes == avx512::lanes ? avx512::convolve<Element> : avx2::convolve<Element>;
    in_parallel(blocks * groups, [&](int64_t task) {
        const int64_t first = task % blocks * per_block, from = task / blocks * per_group;
        if (from >= outputs) return;
        convolve(layer, first, std::min(per_block, tiles - first), from, std::min(from + per_group, outputs));
    });
}
}  // namespace

bool ct_winograd_pays(const int64_t *input, int32_t dtype, int64_t outputs) {
    return pays(ints_(input, 4), static_cast<at::ScalarType>(dtype), outputs);
}

at::Tensor winograd_convolution(const at::Tensor &x, const at::Tensor &weights, ct_tensor bias, ct_tensor residual, bool relu) {
    const auto type = x.scalar_type();
    TORCH_CHECK(type == at::kFloat || type == at::kBFloat16, "input must be float32 or bfloat16");
    TORCH_CHECK(x.is_contiguous(at::MemoryFormat::ChannelsLast), "input must be channels-last");
    TORCH_CHECK(x.size(1) == weights.size(2), "the input's channels do not match the weights");
    auto y = destination(residual, {x.size(0), weights.size(1) * weights.size(3), x.size(2), x.size(3)}, type);
    if (!x.numel()) return y;
    const float *offsets = bias ? floats(at_(bias)) : nullptr;
    (type == at::kFloat ? convolve_all<float> : convolve_all<BFloat>)(x, weights, offsets, y, residual != nullptr, relu);
    return y;
}

ct_tensor ct_winograd_convolution(
    ct_tensor input, ct_tensor packed, ct_tensor bias, ct_tensor residual, bool relu, ct_error *error) {
    return guarded(error, [&] { return own(winograd_convolution(at_(input), at_(packed), bias, residual, relu)); });
}

bool learns_by_winograd(const at::Tensor &x, const at::Tensor &weight) {
    const bool fits = weight.size(2) == 3 && weight.size(3) == 3 && weight.size(0) % 16 == 0 && weight.size(1) % 16 == 0 &&
        weight.is_contiguous(at::MemoryFormat::ChannelsLast);
    return fits && ct_winograd_lanes() > 0 && pays(x.sizes(), x.scalar_type(), weight.size(0));
}

at::Tensor winograd_weights(const at::Tensor &weight, bool turned) {
    const int64_t outputs = weight.size(0), inputs = weight.size(1), lanes = ct_winograd_lanes();
    // The size of the packed matrix.
    const int64_t columns = turned ? inputs : outputs, rows = turned ? outputs : inputs;
    const int64_t block = pack_inputs, blocks = at::ceil_div(rows, block);
    auto packed = at::empty({planes, columns / lanes, rows, lanes}, weight.options());
    const float *from = floats(weight);
    float *to = floats(packed);
    const bool is_wide = lanes == avx512::lanes;
    in_parallel(columns / lanes * blocks, [&](int64_t task) {
        const int64_t panel = task / blocks * lanes, row = task % blocks * block, count = std::min(block, rows - row);
        float *place = to + panel * rows + row * lanes;
        if (turned)
            (is_wide ? avx512::pack_back : avx2::pack_back)(from + row * 9 * inputs + panel, inputs, count, place, columns * rows);
        else
            (is_wide ? avx512::pack_forward : avx2::pack_forward)(from + panel * 9 * inputs + row, inputs, count, place, columns * rows);
    });
    return packed;
}

at::Tensor winograd_weight_gradient(const at::Tensor &x, const at::Tensor &dy) {
    const int64_t inputs = x.size(1), outputs = dy.size(1), down = at::ceil_div(x.size(2), tile), across = at::ceil_div(x.size(3), tile);
    const Layer<float> layer{
        .x = floats(x), .height = x.size(2), .width = x.size(3), .inputs = inputs, .outputs = outputs, .down = down, .across = across};
    const float *gradient = floats(dy);
    const int64_t lanes = ct_winograd_lanes(), tiles = x.size(0) * down * across;
    const bool is_wide = lanes == avx512::lanes;
    // A fixed number of tiles at a time, so that sums do not depend on the number of threads.
    const int64_t capacity = std::min<int64_t>(tiles, 128), panel = capacity * lanes;
    // Planes a multiple of 4096 bytes apart would compete for the same cache sets.
    const int64_t window_plane = inputs * capacity + lanes, tile_plane = outputs * capacity + lanes, sum_plane = outputs * inputs + lanes;
    auto memory = at::empty({planes * (window_plane + tile_plane)}, x.options()), sums = at::zeros({planes * sum_plane}, x.options());
    const auto nothing = at::zeros({inputs}, x.options());
    float *windows = floats(memory), *transformed = windows + planes * window_plane;
    float *sum = floats(sums);
    const int64_t share = 8, rows = std::min<int64_t>(outputs, 64), parts = at::ceil_div(outputs, rows);
    for (int64_t first = 0; first < tiles; first += capacity) {
        const int64_t count = std::min(capacity, tiles - first);
        in_parallel(at::ceil_div(count, share), [&](int64_t task) {
            const int64_t from = task * share, number = std::min(share, count - from);
            (is_wide ? avx512::transform_windows<float> : avx2::transform_windows<float>)(
                layer, first + from, number, windows + from * lanes, window_plane, lanes, panel, floats(nothing));
            (is_wide ? avx512::transform_tiles : avx2::transform_tiles)(
                layer, gradient, first + from, number, transformed + from * lanes, tile_plane, panel);
        });
        in_parallel(planes * parts, [&](int64_t task) {
            const int64_t plane = task / parts, from = task % parts * rows;
            (is_wide ? avx512::add_products : avx2::add_products)(
                transformed + plane * tile_plane, windows + plane * window_plane, count, panel, sum + plane * sum_plane, inputs, from,
                std::min(from + rows, outputs));
        });
    }
    auto dw = at::empty({outputs, inputs, 3, 3}, x.options(), at::MemoryFormat::ChannelsLast);
    float *result = floats(dw);
    in_parallel(at::ceil_div<int64_t>(outputs, 16), [&](int64_t task) {
        for (int64_t output = task * 16; output < std::min(task * 16 + 16, outputs); output++)
            (is_wide ? avx512::restore_weights : avx2::restore_weights)(
                sum + output * inputs, sum_plane, inputs, result + output * inputs * 9);
    });
    return dw;
}

#else

int64_t ct_winograd_lanes(void) { return 0; }

bool ct_winograd_pays(const int64_t *, int32_t, int64_t) { return false; }

ct_tensor ct_pack_winograd(ct_tensor, ct_tensor, int64_t, ct_error *error) {
    return guarded(error, []() -> ct_tensor { TORCH_CHECK(false, "Winograd convolutions need a processor with AVX2 or AVX-512"); });
}

ct_tensor ct_winograd_convolution(ct_tensor, ct_tensor, ct_tensor, ct_tensor, bool, ct_error *error) {
    return ct_pack_winograd(nullptr, nullptr, 0, error);
}

#endif
