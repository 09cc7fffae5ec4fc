// The inner part of winograd.cpp, which includes it once for each kind of processor. `lanes` is the
// number of floats in a register, `block_rows` the number of rows of a product that fit in the
// registers beside two columns.

#include "lanes.h"

typedef uint32_t Bits __attribute__((vector_size(4 * lanes)));
typedef uint16_t BFloats __attribute__((vector_size(2 * lanes), aligned(2), may_alias));

inline Vector load(const BFloat *from) {
    return (Vector)(__builtin_convertvector(*reinterpret_cast<const BFloats *>(from), Bits) << 16);
}
inline void store(BFloat *to, Vector value) {
    const Bits bits = (Bits)value, rounded = bits + 0x7FFF + (bits >> 16 & 1);
    *reinterpret_cast<BFloats *>(to) = __builtin_convertvector((value == value ? rounded : bits) >> 16, BFloats);
}

/// Bᵀ d, for six values that lie `stride` apart.
inline void transform_input(Vector *d, int stride) {
    Vector d0 = d[0], d1 = d[stride], d2 = d[2 * stride], d3 = d[3 * stride], d4 = d[4 * stride], d5 = d[5 * stride];
    Vector p = d4 - 4.f * d2, q = d3 - 4.f * d1, r = d4 - d2, s = 2.f * (d3 - d1);
    d[0] = 4.f * d0 - 5.f * d2 + d4;
    d[stride] = p + q;
    d[2 * stride] = p - q;
    d[3 * stride] = r + s;
    d[4 * stride] = r - s;
    d[5 * stride] = 4.f * d1 - 5.f * d3 + d5;
}

/// A y: six values from four.
inline void transform_output_gradient(const Vector *y, int stride, Vector *m, int step) {
    Vector a = y[0] + y[2 * stride], b = y[stride] + y[3 * stride], c = y[0] + 4.f * y[2 * stride],
           d = 2.f * (y[stride] + 4.f * y[3 * stride]);
    m[0] = y[0];
    m[step] = a + b;
    m[2 * step] = a - b;
    m[3 * step] = c + d;
    m[4 * step] = c - d;
    m[5 * step] = y[3 * stride];
}

/// G w: six values from three.
inline void transform_weight(const Vector *w, int stride, Vector *u, int step) {
    Vector a = (w[0] + w[2 * stride]) * (-1.f / 6), b = w[stride] * (1.f / 6), c = (w[0] + 4.f * w[2 * stride]) * (1.f / 24),
           d = w[stride] * (1.f / 12);
    u[0] = w[0] * .25f;
    u[step] = a - b;
    u[2 * step] = a + b;
    u[3 * step] = c + d;
    u[4 * step] = c - d;
    u[5 * step] = w[2 * stride];
}

/// Gᵀ u: three values from six.
inline void transform_weight_gradient(const Vector *u, int stride, Vector *w, int step) {
    Vector a = u[stride] + u[2 * stride], b = u[2 * stride] - u[stride], c = u[3 * stride] + u[4 * stride],
           d = u[3 * stride] - u[4 * stride];
    w[0] = .25f * u[0] - a * (1.f / 6) + c * (1.f / 24);
    w[step] = b * (1.f / 6) + d * (1.f / 12);
    w[2 * step] = (c - a) * (1.f / 6) + u[5 * stride];
}

/// Aᵀ m: four values from six.
inline void transform_output(const Vector *m, int stride, Vector *o, int step) {
    Vector a = m[stride] + m[2 * stride], b = m[stride] - m[2 * stride], c = m[3 * stride] + m[4 * stride],
           d = m[3 * stride] - m[4 * stride];
    o[0] = m[0] + a + c;
    o[step] = b + 2.f * d;
    o[2 * step] = a + 4.f * c;
    o[3 * step] = b + 8.f * d + m[5 * stride];
}

/// `Rows` rows of a times `Panels` panels of columns of b.
template <int Rows, int Panels>
void multiply(const float *a, const float *b, int64_t depth, float *c, int64_t width) {
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

/// `Rows` of the `lanes` columns of a, transposed, times `Panels` panels of b, added to c.
template <int Rows, int Panels>
void multiply_turned(const float *a, const float *b, int64_t depth, int64_t panel_step, float *c, int64_t width) {
    Vector sums[Rows][Panels] = {};
    for (int64_t k = 0; k < depth; k++) {
        Vector columns[Panels];
#pragma unroll
        for (int panel = 0; panel < Panels; panel++) columns[panel] = load(b + panel * panel_step + k * lanes);
#pragma unroll
        for (int row = 0; row < Rows; row++)
#pragma unroll
            for (int panel = 0; panel < Panels; panel++) sums[row][panel] += a[k * lanes + row] * columns[panel];
    }
#pragma unroll
    for (int row = 0; row < Rows; row++)
#pragma unroll
        for (int panel = 0; panel < Panels; panel++) {
            float *sum = c + row * width + panel * lanes;
            store(sum, load(sum) + sums[row][panel]);
        }
}

/// Transforms windows of an image, Bᵀ d B: `count` of them from `first` on.
///
/// - Parameters:
///   - plane, tile_step, panel: the distances in `to` between the 36 planes, between tiles, and
///     between panels of channels.
///   - nothing: stands for pixels outside the image: as many zeros as there are channels.
template <typename Element>
void transform_windows(
    const Layer<Element> &layer, int64_t first, int64_t count, float *to, int64_t plane, int64_t tile_step, int64_t panel,
    const Element *nothing) {
    const int64_t inputs = layer.inputs;
    for (int64_t index = 0; index < count; index++) {
        const int64_t place = first + index, image = place / (layer.down * layer.across);
        const int64_t top = place / layer.across % layer.down * tile - 1, left = place % layer.across * tile - 1;
        const Element *sources[planes];
        for (int64_t i = 0; i < planes; i++) {
            const int64_t row = top + i / window, column = left + i % window;
            const bool inside = row >= 0 && row < layer.height && column >= 0 && column < layer.width;
            sources[i] = inside ? layer.x + ((image * layer.height + row) * layer.width + column) * inputs : nothing;
        }
        for (int64_t channel = 0; channel < inputs; channel += lanes, to += panel) {
            Vector d[planes];
#pragma unroll
            for (int64_t i = 0; i < planes; i++) d[i] = load(sources[i] + channel);
#pragma unroll
            for (int64_t i = 0; i < window; i++) transform_input(d + i, window);
#pragma unroll
            for (int64_t i = 0; i < window; i++) transform_input(d + i * window, 1);
#pragma unroll
            for (int64_t i = 0; i < planes; i++) store(to + i * plane, d[i]);
        }
        to += tile_step - inputs / lanes * panel;
    }
}

/// Computes some tiles and outputs of a layer: `count` tiles from `first` on, outputs from `from`
/// to `to`.
template <typename Element>
void convolve(const Layer<Element> &layer, int64_t first, int64_t count, int64_t from, int64_t to) {
    const int64_t inputs = layer.inputs;
    static thread_local std::vector<float> memory;
    // Planes a multiple of 4096 bytes apart would compete for the same cache sets.
    const int64_t plane = count * inputs + lanes, product = count * 2 * lanes + lanes;
    memory.resize(std::max<size_t>(memory.size(), inputs + planes * (plane + product)));
    float *transformed = memory.data() + inputs, *products = transformed + planes * plane;
    std::fill_n(memory.data(), inputs, 0.f);
    transform_windows(
        layer, first, count, transformed, plane, inputs, lanes, reinterpret_cast<const Element *>(memory.data()));
    // Few enough outputs at a time that their products stay in the cache.
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

/// Transforms the weights of a window, which lie `step` apart: G w Gᵀ, for `lanes` channels at
/// once. It works in float32, for speed, because weights change at every training step. `pack`
/// works in float64, because it packs weights once, for inference.
///
/// - Parameter turned: rotates the window by half a turn.
inline void pack_window(const float *w, int64_t step, bool turned, float *to, int64_t plane) {
    Vector g[9], half[3 * window], u[planes];
#pragma unroll
    for (int64_t i = 0; i < 9; i++) g[i] = load(w + (turned ? 8 - i : i) * step);
#pragma unroll
    for (int64_t i = 0; i < 3; i++) transform_weight(g + i, 3, half + i, 3);
#pragma unroll
    for (int64_t i = 0; i < window; i++) transform_weight(half + 3 * i, 1, u + window * i, 1);
#pragma unroll
    for (int64_t i = 0; i < planes; i++) store(to + i * plane, u[i]);
}

/// Packs weights (O, 3, 3, I) of a panel of outputs and of `count` inputs, at most `pack_inputs`.
inline void pack_forward(const float *w, int64_t inputs, int64_t count, float *to, int64_t plane) {
    float block[9][pack_inputs][lanes];
    for (int64_t output = 0; output < lanes; output++)
        for (int64_t i = 0; i < 9; i++)
            for (int64_t input = 0; input < count; input++)
                block[i][input][output] = w[(output * 9 + i) * inputs + input];
    for (int64_t input = 0; input < count; input++) pack_window(block[0][input], pack_inputs * lanes, false, to + input * lanes, plane);
}

/// Packs weights of a panel of inputs and of `count` outputs, which swap places in the backward
/// pass.
inline void pack_back(const float *w, int64_t inputs, int64_t count, float *to, int64_t plane) {
    for (int64_t output = 0; output < count; output++)
        pack_window(w + output * 9 * inputs, inputs, true, to + output * lanes, plane);
}

/// Transforms tiles of the result's gradient, A y Aᵀ: `count` of them from `first` on, in panels of
/// channels.
inline void transform_tiles(
    const Layer<float> &layer, const float *dy, int64_t first, int64_t count, float *to, int64_t plane, int64_t panel) {
    for (int64_t index = 0; index < count; index++, to += lanes) {
        const int64_t place = first + index, image = place / (layer.down * layer.across);
        const int64_t top = place / layer.across % layer.down * tile, left = place % layer.across * tile;
        const float *corner = dy + ((image * layer.height + top) * layer.width + left) * layer.outputs;
        for (int64_t channel = 0; channel < layer.outputs; channel += lanes) {
            Vector y[tile * tile], half[window * tile], m[planes];
#pragma unroll
            for (int64_t i = 0; i < tile * tile; i++) {
                const int64_t row = i / tile, column = i % tile;
                const bool inside = top + row < layer.height && left + column < layer.width;
                y[i] = inside ? load(corner + (row * layer.width + column) * layer.outputs + channel) : Vector{};
            }
#pragma unroll
            for (int64_t i = 0; i < tile; i++) transform_output_gradient(y + i, tile, half + i, tile);
#pragma unroll
            for (int64_t i = 0; i < window; i++) transform_output_gradient(half + i * tile, 1, m + i * window, 1);
#pragma unroll
            for (int64_t i = 0; i < planes; i++) store(to + channel / lanes * panel + i * plane, m[i]);
        }
    }
}

/// Adds the products of `count` tiles to the `sums` (outputs, inputs) of a plane: the tiles'
/// gradients, transposed, times their windows. Both are in panels of channels, which lie `panel`
/// apart. Covers the outputs from `from` to `to`.
inline void add_products(
    const float *tiles, const float *windows, int64_t count, int64_t panel, float *sums, int64_t inputs, int64_t from, int64_t to) {
    for (int64_t output = from; output < to; output += turned_rows)
        for (int64_t input = 0; input < inputs; input += 2 * lanes)
            (input + lanes < inputs ? multiply_turned<turned_rows, 2> : multiply_turned<turned_rows, 1>)(
                tiles + output / lanes * panel + output % lanes, windows + input / lanes * panel, count, panel,
                sums + output * inputs + input, inputs);
}

/// The gradient of one output's weights (3, 3, inputs), Gᵀ u G.
inline void restore_weights(const float *sums, int64_t plane, int64_t inputs, float *dw) {
    for (int64_t input = 0; input < inputs; input += lanes) {
        Vector u[planes], half[3 * window], w[9];
#pragma unroll
        for (int64_t i = 0; i < planes; i++) u[i] = load(sums + input + i * plane);
#pragma unroll
        for (int64_t i = 0; i < window; i++) transform_weight_gradient(u + i, window, half + i, window);
#pragma unroll
        for (int64_t i = 0; i < 3; i++) transform_weight_gradient(half + i * window, 1, w + 3 * i, 1);
#pragma unroll
        for (int64_t i = 0; i < 9; i++) store(dw + i * inputs + input, w[i]);
    }
}
