// Convolutions of 3x3 with stride 1 by Winograd's minimal filtering, F(4x4, 3x3) of Lavin & Gray 2016: tiles of 4x4 outputs come of
// windows of 6x6 inputs by 36 products of matrices, a quarter of the multiplications. oneDNN has it no more, and residual networks
// spend most of their time there.
#include <ATen/Parallel.h>
#include <ATen/ceil_div.h>

#include <array>

#include "support.h"

#if defined(__x86_64__)

// One function for processors that have it: what is compiled for all would know registers of 16 bytes only.
#define AVX512 __attribute__((target("avx512f")))

namespace {
constexpr int64_t tile = 4, window = 6, planes = window * window, lanes = 16;

/// Sixteen channels.
typedef float Vector __attribute__((vector_size(64)));
typedef float Unaligned __attribute__((vector_size(64), aligned(4), may_alias));

AVX512 inline Vector load(const float *from) { return *reinterpret_cast<const Unaligned *>(from); }
AVX512 inline void store(float *to, Vector value) { *reinterpret_cast<Unaligned *>(to) = value; }

// A bfloat16 is the upper half of a float. Only what is kept is: between load and store all is as exact as for floats.
struct BFloat {
    uint16_t bits;
};
typedef uint32_t Bits __attribute__((vector_size(64)));
typedef uint16_t BFloats __attribute__((vector_size(32), aligned(2), may_alias));

AVX512 inline Vector load(const BFloat *from) {
    return (Vector)(__builtin_convertvector(*reinterpret_cast<const BFloats *>(from), Bits) << 16);
}
AVX512 inline void store(BFloat *to, Vector value) {
    const Bits bits = (Bits)value, rounded = bits + 0x7FFF + (bits >> 16 & 1);
    *reinterpret_cast<BFloats *>(to) = __builtin_convertvector((value == value ? rounded : bits) >> 16, BFloats);
}

/// Bᵀ d, for six values that lie `stride` apart.
AVX512 inline void transform_input(Vector *d, int stride) {
    Vector d0 = d[0], d1 = d[stride], d2 = d[2 * stride], d3 = d[3 * stride], d4 = d[4 * stride], d5 = d[5 * stride];
    Vector p = d4 - 4.f * d2, q = d3 - 4.f * d1, r = d4 - d2, s = 2.f * (d3 - d1);
    d[0] = 4.f * d0 - 5.f * d2 + d4;
    d[stride] = p + q;
    d[2 * stride] = p - q;
    d[3 * stride] = r + s;
    d[4 * stride] = r - s;
    d[5 * stride] = 4.f * d1 - 5.f * d3 + d5;
}

/// Aᵀ m: four values of six.
AVX512 inline void transform_output(const Vector *m, int stride, Vector *o, int step) {
    Vector a = m[stride] + m[2 * stride], b = m[stride] - m[2 * stride], c = m[3 * stride] + m[4 * stride],
           d = m[3 * stride] - m[4 * stride];
    o[0] = m[0] + a + c;
    o[step] = b + 2.f * d;
    o[2 * step] = a + 4.f * c;
    o[3 * step] = b + 8.f * d + m[5 * stride];
}

/// Rows of a product that the registers hold at once.
constexpr int64_t block_rows = 12;

/// `Rows` rows of a times `Panels` panels of sixteen columns of b.
template <int Rows, int Panels>
AVX512 void multiply(const float *a, const float *b, int64_t depth, float *c, int64_t width) {
    Vector sums[Rows][Panels] = {};
    for (int64_t k = 0; k < depth; k++) {
        Vector columns[Panels];
        for (int panel = 0; panel < Panels; panel++) columns[panel] = load(b + (panel * depth + k) * lanes);
#pragma unroll
        for (int row = 0; row < Rows; row++)
#pragma unroll
            for (int panel = 0; panel < Panels; panel++) sums[row][panel] += a[row * depth + k] * columns[panel];
    }
#pragma unroll
    for (int row = 0; row < Rows; row++)
#pragma unroll
        for (int panel = 0; panel < Panels; panel++) store(c + row * width + panel * lanes, sums[row][panel]);
}

template <int Panels>
void multiply(int64_t rows, const float *a, const float *b, int64_t depth, float *c, int64_t width) {
    using Kernel = void (*)(const float *, const float *, int64_t, float *, int64_t);
    static constexpr auto kernels = []<size_t... Index>(std::index_sequence<Index...>) {
        return std::array<Kernel, sizeof...(Index)>{multiply<Index + 1, Panels>...};
    }(std::make_index_sequence<block_rows>());
    for (int64_t row = 0; row < rows; row += block_rows)
        kernels[std::min(block_rows, rows - row) - 1](a + row * depth, b, depth, c + row * width, width);
}

/// `Element` is float or `BFloat`.
template <typename Element>
struct Layer {
    const Element *x, *residual;
    Element *y;
    const float *weights, *bias;
    int64_t height, width, inputs, outputs, down, across;
    bool relu;
};

const float *floats(const at::Tensor &tensor) { return static_cast<const float *>(tensor.const_data_ptr()); }

/// Some tiles and outputs of a layer: `count` tiles from `first` on, outputs from `from` to `to`.
template <typename Element>
AVX512 void convolve(const Layer<Element> &layer, int64_t first, int64_t count, int64_t from, int64_t to) {
    const int64_t inputs = layer.inputs;
    static thread_local std::vector<float> memory;
    // Planes a multiple of 4096 bytes apart would fight for the same places of the cache.
    const int64_t plane = count * inputs + lanes, product = count * 2 * lanes + lanes;
    memory.resize(std::max<size_t>(memory.size(), inputs + planes * (plane + product)));
    float *transformed = memory.data() + inputs, *products = transformed + planes * plane;
    // What lies outside of a picture.
    std::fill_n(memory.data(), inputs, 0.f);
    const auto *nothing = reinterpret_cast<const Element *>(memory.data());

    for (int64_t index = 0; index < count; index++) {
        const int64_t place = first + index, image = place / (layer.down * layer.across);
        const int64_t top = place / layer.across % layer.down * tile - 1, left = place % layer.across * tile - 1;
        const Element *sources[planes];
        for (int64_t i = 0; i < planes; i++) {
            const int64_t row = top + i / window, column = left + i % window;
            const bool inside = row >= 0 && row < layer.height && column >= 0 && column < layer.width;
            sources[i] = inside ? layer.x + ((image * layer.height + row) * layer.width + column) * inputs : nothing;
        }
        for (int64_t channel = 0; channel < inputs; channel += lanes) {
            Vector d[planes];
#pragma unroll
            for (int64_t i = 0; i < planes; i++) d[i] = load(sources[i] + channel);
#pragma unroll
            for (int64_t i = 0; i < window; i++) transform_input(d + i, window);
#pragma unroll
            for (int64_t i = 0; i < window; i++) transform_input(d + i * window, 1);
#pragma unroll
            for (int64_t i = 0; i < planes; i++) store(transformed + i * plane + index * inputs + channel, d[i]);
        }
    }
    // So many outputs at a time that their products stay in the cache.
    for (int64_t column = from; column < to; column += 2 * lanes) {
        const bool isPair = column + lanes < to;
        for (int64_t i = 0; i < planes; i++) {
            const float *a = transformed + i * plane, *b = layer.weights + (i * layer.outputs + column) * inputs;
            (isPair ? multiply<2> : multiply<1>)(count, a, b, inputs, products + i * product, 2 * lanes);
        }
        for (int64_t index = 0; index < count; index++) {
            const int64_t place = first + index, image = place / (layer.down * layer.across);
            const int64_t top = place / layer.across % layer.down * tile, left = place % layer.across * tile;
            const int64_t rows = std::min(tile, layer.height - top), width = std::min(tile, layer.width - left);
            for (int64_t channel = 0; channel < (isPair ? 2 : 1) * lanes; channel += lanes) {
                Vector m[planes], half[tile * window], o[tile * tile];
#pragma unroll
                for (int64_t i = 0; i < planes; i++) m[i] = load(products + i * product + index * 2 * lanes + channel);
#pragma unroll
                for (int64_t i = 0; i < window; i++) transform_output(m + i, window, half + i, window);
#pragma unroll
                for (int64_t i = 0; i < tile; i++) transform_output(half + i * window, 1, o + i * tile, 1);
                const Vector bias = layer.bias ? load(layer.bias + column + channel) : Vector{};
                for (int64_t row = 0; row < rows; row++)
                    for (int64_t x = 0; x < width; x++) {
                        const int64_t y = (image * layer.height + top + row) * layer.width + left + x;
                        const int64_t at = y * layer.outputs + column + channel;
                        Vector value = o[row * tile + x] + bias;
                        if (layer.residual) value += load(layer.residual + at);
                        if (layer.relu) value = value < 0.f ? Vector{} : value;
                        store(layer.y + at, value);
                    }
            }
        }
    }
}
}  // namespace

bool ct_has_winograd(void) { return __builtin_cpu_supports("avx512f"); }

ct_tensor ct_pack_winograd(ct_tensor weight, ct_error *error) {
    return guarded(error, [&] {
        // G of Lavin & Gray.
        const double g[] = {1. / 4, 0, 0, -1. / 6, -1. / 6, -1. / 6, -1. / 6, 1. / 6, -1. / 6,
                            1. / 24, 1. / 12, 1. / 6, 1. / 24, -1. / 12, 1. / 6, 0, 0, 1};
        auto G = at::from_blob(const_cast<double *>(g), {window, 3}, at::kDouble);
        const auto w = at_(weight).to(at::kDouble);
        const auto transformed = G.matmul(w).matmul(G.t());  // O, I, 6, 6
        // 36, O / 16, I, 16
        return own(transformed.permute({2, 3, 0, 1})
                       .reshape({planes, w.size(0) / lanes, lanes, w.size(1)})
                       .transpose(2, 3)
                       .to(at::kFloat)
                       .contiguous());
    });
}

bool ct_winograd_pays(ct_tensor input, ct_tensor packed) {
    const at::Tensor &x = at_(input);
    const int64_t rows = x.size(2), columns = x.size(3), places = x.size(0) * rows * columns;
    const int64_t tiles = x.size(0) * at::ceil_div(rows, tile) * at::ceil_div(columns, tile);
    // As measured: not where tiles stick out too far, which matters more where the other way is twice as fast; nor where weights, four
    // times as many as the convolution's, are fetched from memory for few.
    return tiles > 0 && places >= (x.scalar_type() == at::kFloat ? 6 : 12) * tiles && (tiles >= 12 || at_(packed).numel() < planes << 16);
}

namespace {
template <typename Element>
void convolve_all(
    const at::Tensor &x, const at::Tensor &weights, const float *bias, at::Tensor &y, bool adds, bool relu) {
    const auto *from = static_cast<const Element *>(x.const_data_ptr());
    auto *to = static_cast<Element *>(y.data_ptr());
    const int64_t outputs = y.size(1), down = at::ceil_div(x.size(2), tile), across = at::ceil_div(x.size(3), tile);
    const Layer<Element> layer{
        from, adds ? to : nullptr, to, floats(weights), bias, x.size(2), x.size(3), x.size(1), outputs, down, across, relu};
    // So many tiles at a time that weights are worth fetching, and as many for each thread. Where there are few, each thread has all of
    // them and a share of the outputs, so that weights are fetched once.
    const int64_t tiles = x.size(0) * down * across, threads = at::get_num_threads(), most_tiles = x.size(1) > 256 ? 64 : 24;
    const int64_t groups = tiles >= threads * most_tiles / 2 ? 1 : std::min(threads, outputs / lanes);
    const int64_t per_group = at::ceil_div(outputs / lanes, groups) * lanes, shares = threads / groups;
    const int64_t rounds = at::ceil_div(tiles, shares * most_tiles);
    const int64_t per_block = at::ceil_div(tiles, rounds * shares), blocks = at::ceil_div(tiles, per_block);
    in_parallel(blocks * groups, [&](int64_t task) {
        const int64_t first = task % blocks * per_block, from = task / blocks * per_group;
        if (from >= outputs) return;
        convolve(layer, first, std::min(per_block, tiles - first), from, std::min(from + per_group, outputs));
    });
}
}  // namespace

ct_tensor ct_winograd_convolution(
    ct_tensor input, ct_tensor packed, ct_tensor bias, ct_tensor residual, bool relu, ct_error *error) {
    return guarded(error, [&] {
        const at::Tensor &x = at_(input), &weights = at_(packed);
        const auto type = x.scalar_type();
        TORCH_CHECK(type == at::kFloat || type == at::kBFloat16, "only floats and bfloat16");
        TORCH_CHECK(x.is_contiguous(at::MemoryFormat::ChannelsLast), "only channels last");
        TORCH_CHECK(x.size(1) == weights.size(2), "input of another size");
        auto y = destination(residual, {x.size(0), weights.size(1) * lanes, x.size(2), x.size(3)}, type);
        if (!x.numel()) return own(y);
        const float *offsets = bias ? floats(at_(bias)) : nullptr;
        (type == at::kFloat ? convolve_all<float> : convolve_all<BFloat>)(x, weights, offsets, y, residual != nullptr, relu);
        return own(y);
    });
}

#else

bool ct_has_winograd(void) { return false; }

bool ct_winograd_pays(ct_tensor, ct_tensor) { return false; }

ct_tensor ct_pack_winograd(ct_tensor, ct_error *error) {
    return guarded(error, []() -> ct_tensor { TORCH_CHECK(false, "this is for processors with AVX-512"); });
}

ct_tensor ct_winograd_convolution(ct_tensor, ct_tensor, ct_tensor, ct_tensor, bool, ct_error *error) {
    return ct_pack_winograd(nullptr, error);
}

#endif
