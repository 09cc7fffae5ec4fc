// Convolutions in 8-bit integers, by the instruction that adds four products of bytes at once
// (VNNI). oneDNN multiplies as fast, but takes about 30 µs to start, as long as a whole small
// layer.
#include <ATen/ceil_div.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "support.h"

#if defined(__x86_64__)

#include <immintrin.h>

namespace {
/// Inputs that are added up at once.
constexpr int64_t quad = 4;

/// The most runs of a window.
constexpr int64_t most_runs = 64;

struct Layer {
    /// (N, height, width, channels); channels are a multiple of `quad`.
    const uint8_t *x;
    /// (N, down, across, outputs)
    uint8_t *y;
    const uint8_t *_Nullable residual;
    /// (outputs / lanes, runs, length / 4, lanes, 4)
    const int8_t *weights;
    /// An output's byte is sum · factor + offset.
    const float *factors, *offsets;
    /// A byte of the residual adds (byte − zero) · factor to that.
    float residual_zero, residual_factor, least;
    int64_t images, height, width, channels, down, across, outputs, stride, padding;
    /// A window consists of `runs` of `length` bytes that lie side by side: its rows without
    /// padding, its pixels with padding.
    int64_t runs, length;
    /// The offset of each run from the start of its window.
    int64_t steps[most_runs];
    /// For each row and each column of outputs, a bit for each run of a window that does not lie
    /// outside the image.
    std::vector<uint64_t> inside_rows, inside_columns;
    /// A pixel of the padding, and whether it is all zeros, which add nothing and are skipped.
    const uint8_t *outside;
    bool skips;
};

// Functions for processors that have these instructions. The rest is compiled for all processors.
namespace avx512_vnni {
constexpr int64_t lanes = 16, block_pixels = 7, most_panels = 4;
#pragma clang attribute push(__attribute__((target("avx512f,avx512vnni"))), apply_to = function)
using Floats = __m512;
using Ints = __m512i;

inline Floats all(float value) { return _mm512_set1_ps(value); }
inline Ints all(int32_t value) { return _mm512_set1_epi32(value); }
inline Floats load(const float *from) { return _mm512_loadu_ps(from); }
inline Ints load(const int8_t *from) { return _mm512_loadu_si512(from); }
inline Floats floats(Ints values) { return _mm512_cvtepi32_ps(values); }
inline Floats floats(const uint8_t *bytes) {
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i *>(bytes))));
}
/// Rounds the values, which must not be negative.
inline void store(uint8_t *to, Floats values) {
    _mm_storeu_si128(reinterpret_cast<__m128i *>(to), _mm512_cvtusepi32_epi8(_mm512_cvtps_epi32(values)));
}
/// Pixels of three colours, with a zero after each.
inline Floats spread(Floats pixels) {
    const __m512i places = _mm512_setr_epi32(0, 1, 2, 0, 3, 4, 5, 0, 6, 7, 8, 0, 9, 10, 11, 0);
    return _mm512_maskz_permutexvar_ps(0x7777, places, pixels);
}
/// Sums, plus four products each of bytes in a row and weights in a column.
inline Ints dot(Ints sums, Ints row, Ints column) { return _mm512_dpbusd_epi32(sums, row, column); }

#include "int8_kernel.h"
#pragma clang attribute pop
}  // namespace avx512_vnni

namespace avx2_vnni {
constexpr int64_t lanes = 8, block_pixels = 6, most_panels = 2;
#pragma clang attribute push(__attribute__((target("avx2,fma,avxvnni"))), apply_to = function)
using Floats = __m256;
using Ints = __m256i;

inline Floats all(float value) { return _mm256_set1_ps(value); }
inline Ints all(int32_t value) { return _mm256_set1_epi32(value); }
inline Floats load(const float *from) { return _mm256_loadu_ps(from); }
inline Ints load(const int8_t *from) { return _mm256_loadu_si256(reinterpret_cast<const __m256i *>(from)); }
inline Floats floats(Ints values) { return _mm256_cvtepi32_ps(values); }
inline Floats floats(const uint8_t *bytes) {
    return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i *>(bytes))));
}
inline void store(uint8_t *to, Floats values) {
    const __m256i rounded = _mm256_cvtps_epi32(_mm256_min_ps(values, _mm256_set1_ps(255)));
    const __m128i shorts = _mm_packus_epi32(_mm256_castsi256_si128(rounded), _mm256_extracti128_si256(rounded, 1));
    _mm_storel_epi64(reinterpret_cast<__m128i *>(to), _mm_packus_epi16(shorts, shorts));
}
inline Floats spread(Floats pixels) {
    const __m256 spread = _mm256_permutevar8x32_ps(pixels, _mm256_setr_epi32(0, 1, 2, 0, 3, 4, 5, 0));
    return _mm256_blend_ps(spread, _mm256_setzero_ps(), 0x88);
}
inline Ints dot(Ints sums, Ints row, Ints column) { return _mm256_dpbusd_avx_epi32(sums, row, column); }

#include "int8_kernel.h"
#pragma clang attribute pop
}  // namespace avx2_vnni

struct Way {
    int64_t lanes;
    at::Tensor (*rounded)(const at::Tensor &, ct_qparams, int64_t);
    void (*convolve_all)(const Layer &);
};

/// The fastest first.
constexpr Way ways[] = {
    {avx512_vnni::lanes, avx512_vnni::rounded, avx512_vnni::convolve_all},
    {avx2_vnni::lanes, avx2_vnni::rounded, avx2_vnni::convolve_all},
};

const Way &way(int64_t lanes) {
    for (const Way &way : ways)
        if (way.lanes == lanes) return way;
    TORCH_CHECK(false, "no kernel has this number of lanes");
}

/// Whether outputs fill the registers of any processor, the runs of a window fit in a 64-bit mask,
/// and no sum of products of bytes overflows.
bool fits(const at::Tensor &weight) {
    const int64_t kernel = weight.size(2), window = kernel * kernel;
    return weight.size(0) % avx512_vnni::lanes == 0 && weight.size(3) == kernel && window <= most_runs &&
           window * at::round_up(weight.size(1), quad) <= 1 << 16;
}
}  // namespace

bool ct_has_int8(int64_t lanes) {
    if (lanes == avx512_vnni::lanes) return has_avx512() && __builtin_cpu_supports("avx512vnni");
    return lanes == avx2_vnni::lanes && has_avx2() && __builtin_cpu_supports("avxvnni");
}

bool has_vnni(void) { return ct_has_int8(avx512_vnni::lanes) || ct_has_int8(avx2_vnni::lanes); }

int64_t ct_int8_lanes(void) {
    // oneDNN is faster with AMX.
    if (has_avx512() && __builtin_cpu_supports("amx-int8")) return 0;
    for (const Way &way : ways)
        if (ct_has_int8(way.lanes)) return way.lanes;
    return 0;
}

bool ct_fits_int8(ct_tensor weight) { return fits(at_(weight)); }

ct_tensor ct_pack_int8(
    ct_tensor weight, ct_tensor weight_factors, ct_tensor bias, ct_qparams input, ct_qparams output, int64_t lanes, ct_tensor *factors,
    ct_error *error) {
    return guarded(error, [&] {
        const auto w = at_(weight).contiguous(at::MemoryFormat::ChannelsLast);
        TORCH_CHECK(w.scalar_type() == at::kFloat && way(lanes).lanes == lanes && fits(w), "these weights are not supported");
        const int64_t outputs = w.size(0), inputs = w.size(1), kernel = w.size(2), places = kernel * kernel;
        const int64_t quads = at::ceil_div(inputs, quad);
        const auto by = of_outputs(weight_factors, outputs, 1), offsets = of_outputs(bias, outputs, 0);
        auto packed = at::zeros({outputs / lanes, kernel, kernel, quads, lanes, quad}, at::kChar);
        auto scales = at::empty({2, outputs}, at::kFloat);
        const auto *from = w.const_data_ptr<float>();
        const auto *multiple = by.const_data_ptr<double>(), *addend = offsets.const_data_ptr<double>();
        auto *to = packed.mutable_data_ptr<int8_t>();
        auto *scale = scales.mutable_data_ptr<float>();
        in_parallel(outputs / lanes, [&](int64_t panel) {
            for (int64_t lane = 0; lane < lanes; lane++) {
                const int64_t o = panel * lanes + lane;
                const float *row = from + o * places * inputs;
                double largest = 0;
                for (int64_t k = 0; k < places * inputs; k++) largest = std::max(largest, std::abs(row[k] * multiple[o]));
                // Symmetric. A channel of zeros may have any step.
                const double step = std::max(largest, 1e-12) / 127;
                int64_t sum = 0;
                for (int64_t place = 0; place < places; place++)
                    for (int64_t i = 0; i < inputs; i++) {
                        const auto byte = static_cast<int8_t>(std::nearbyint(row[place * inputs + i] * multiple[o] / step));
                        to[(((panel * places + place) * quads + i / quad) * lanes + lane) * quad + i % quad] = byte;
                        sum += byte;
                    }
                const double factor = step * (input.scale / output.scale);
                scale[o] = static_cast<float>(factor);
                scale[outputs + o] = static_cast<float>(factor * sum * -double(input.zero_point) + double(output.zero_point) + addend[o] / output.scale);
            }
        });
        *factors = own(scales);
        return own(packed);
    });
}

ct_tensor ct_int8_convolution(
    ct_tensor input, ct_qparams input_qparams, ct_tensor packed, ct_tensor factors, ct_tensor residual, ct_qparams residual_qparams,
    int64_t stride, int64_t padding, bool relu, ct_qparams output_qparams, int64_t lanes, ct_error *error) {
    return guarded(error, [&] {
        at::Tensor x = at_(input);
        const at::Tensor &weights = at_(packed), &scales = at_(factors);
        const Way &way = ::way(lanes);
        TORCH_CHECK(weights.size(4) == lanes, "the weights are packed for a different number of lanes");
        const int64_t outputs = weights.size(0) * weights.size(4), kernel = weights.size(1), channels = weights.size(3) * quad;
        const auto out = [&](int64_t side) { return (side + 2 * padding - kernel) / stride + 1; };
        const int64_t images = x.size(0), down = out(x.size(2)), across = out(x.size(3));
        TORCH_CHECK(x.is_contiguous(at::MemoryFormat::ChannelsLast), "input must be channels-last");
        TORCH_CHECK(at::round_up(x.size(1), quad) == channels, "the input's channels do not match the weights");
        TORCH_CHECK(
            std::min(x.size(2), x.size(3)) > 0 && std::min(x.size(2), x.size(3)) + 2 * padding >= kernel,
            "the image is smaller than the window");
        TORCH_CHECK(outputs > 0 && scales.sizes() == at::IntArrayRef({2, outputs}), "the factors do not match the outputs");
        if (x.scalar_type() == at::kFloat) {
            x = way.rounded(x, input_qparams, padding).permute({0, 3, 1, 2});
            padding = 0;
        }
        TORCH_CHECK(x.scalar_type() == at::kByte && x.size(1) == channels, "input must be bytes, with as many channels as the weights");
        const auto y = destination(residual, {images, outputs, down, across}, at::kByte);
        const std::vector<uint8_t> outside(channels, static_cast<uint8_t>(input_qparams.zero_point));
        const auto *scale = static_cast<const float *>(scales.const_data_ptr());
        Layer layer{};
        layer.x = static_cast<const uint8_t *>(x.const_data_ptr());
        layer.y = static_cast<uint8_t *>(y.data_ptr());
        layer.residual = residual ? layer.y : nullptr;
        layer.weights = static_cast<const int8_t *>(weights.const_data_ptr());
        layer.factors = scale;
        layer.offsets = scale + outputs;
        layer.residual_zero = static_cast<float>(residual_qparams.zero_point);
        layer.residual_factor = static_cast<float>(residual_qparams.scale / output_qparams.scale);
        layer.least = relu ? static_cast<float>(output_qparams.zero_point) : 0.f;
        layer.images = images;
        layer.height = x.size(2);
        layer.width = x.size(3);
        layer.channels = channels;
        layer.down = down;
        layer.across = across;
        layer.outputs = outputs;
        layer.stride = stride;
        layer.padding = padding;
        layer.runs = padding ? kernel * kernel : kernel;
        layer.length = padding ? channels : kernel * channels;
        TORCH_CHECK(layer.runs <= most_runs, "the window is too large");
        layer.inside_rows.resize(down);
        layer.inside_columns.resize(across);
        for (int64_t run = 0; run < layer.runs; run++) {
            const int64_t y = padding ? run / kernel : run, x = padding ? run % kernel : 0;
            layer.steps[run] = (y * layer.width + x) * channels;
            const auto note = [&](std::vector<uint64_t> &inside, int64_t offset, int64_t size) {
                for (size_t i = 0; i < inside.size(); i++) {
                    const int64_t at = static_cast<int64_t>(i) * stride - padding + offset;
                    if (at >= 0 && at < size) inside[i] |= 1ull << run;
                }
            };
            note(layer.inside_rows, y, layer.height);
            note(layer.inside_columns, x, layer.width);
        }
        layer.outside = outside.data();
        layer.skips = input_qparams.zero_point == 0;
        way.convolve_all(layer);
        return own(y);
    });
}

#else

bool has_vnni(void) { return false; }

bool ct_has_int8(int64_t) { return false; }

int64_t ct_int8_lanes(void) { return 0; }

bool ct_fits_int8(ct_tensor) { return false; }

ct_tensor ct_pack_int8(ct_tensor, ct_tensor, ct_tensor, ct_qparams, ct_qparams, int64_t, ct_tensor *, ct_error *error) {
    return guarded(error, []() -> ct_tensor { TORCH_CHECK(false, "int8 convolutions need a processor with VNNI"); });
}

ct_tensor ct_int8_convolution(
    ct_tensor, ct_qparams, ct_tensor, ct_tensor, ct_tensor, ct_qparams, int64_t, int64_t, bool, ct_qparams, int64_t, ct_error *error) {
    return guarded(error, []() -> ct_tensor { TORCH_CHECK(false, "int8 convolutions need a processor with VNNI"); });
}

#endif
