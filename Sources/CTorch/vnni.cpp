// Convolutions in integers of 8 bits by the instruction that adds four products of bytes at once, in each of sixteen lanes. oneDNN
// multiplies as fast, but takes some 30 µs to begin, as long as a small layer lasts.
#include <ATen/Parallel.h>
#include <ATen/ceil_div.h>

#include <array>

#include "support.h"

#if defined(__x86_64__)

#include <immintrin.h>

// One function for processors that have it: the rest is compiled for all.
#define VNNI __attribute__((target("avx512f,avx512vnni")))

namespace {
/// Outputs of a register, inputs that an instruction adds up, and what the registers hold sums of at once: seven pixels of 64 outputs.
constexpr int64_t lanes = 16, quad = 4, block_pixels = 7, most_panels = 4;

/// Runs of a window, at most.
constexpr int64_t most_runs = 64;

struct Layer {
    /// N, height, width, channels; channels are a multiple of `quad`.
    const uint8_t *x;
    /// N, down, across, outputs
    uint8_t *y;
    const uint8_t *_Nullable residual;
    /// outputs / 16, runs, length / 4, 16, 4
    const int8_t *weights;
    /// Of each output: sum · factor + offset is its byte.
    const float *factors, *offsets;
    /// (byte − zero) · factor is what a byte of the residual adds to that.
    float residual_zero, residual_factor, least;
    int64_t images, height, width, channels, down, across, outputs, kernel, stride, padding;
    /// What a window consists of, bytes that lie side by side: whole rows of it where there is no padding, pixels where there is.
    int64_t runs, length;
    /// Where a run begins, from where its window does.
    int64_t steps[most_runs];
    /// Of windows in a row and in a column, the runs that do not lie above or below the picture, or to its sides; a bit each.
    std::vector<uint64_t> inside_rows, inside_columns;
    /// A pixel of the padding, and whether it is all zeros, which add nothing.
    const uint8_t *outside;
    bool skips;
};

/// A few windows: where they begin, where their outputs belong, and the runs that are inside of the picture: in each of them, in any and
/// in all.
struct Block {
    const uint8_t *origins[block_pixels];
    int64_t places[block_pixels];
    uint64_t inside[block_pixels], some, all;
};

/// `Panels` panels of outputs from `panel` on, of `Pixels` windows.
template <int Pixels, int Panels>
VNNI void convolve(const Layer &layer, const Block &block, int64_t panel) {
    __m512i sums[Pixels][Panels];
#pragma unroll
    for (int pixel = 0; pixel < Pixels; pixel++)
#pragma unroll
        for (int i = 0; i < Panels; i++) sums[pixel][i] = _mm512_setzero_si512();
    const int64_t run_size = layer.length * lanes, panel_size = layer.runs * run_size;
    const int8_t *weights = layer.weights + panel * panel_size;
    for (uint64_t rest = layer.skips ? block.some : ~0ull >> (64 - layer.runs); rest; rest &= rest - 1) {
        const int64_t run = __builtin_ctzll(rest);
        const int8_t *columns = weights + run * run_size;
        const uint8_t *source[Pixels];
#pragma unroll
        for (int pixel = 0; pixel < Pixels; pixel++) source[pixel] = block.origins[pixel] + layer.steps[run];
        if (!(block.all >> run & 1))
            for (int pixel = 0; pixel < Pixels; pixel++)
                if (!(block.inside[pixel] >> run & 1)) source[pixel] = layer.outside;
        for (int64_t k = 0; k < layer.length; k += quad, columns += quad * lanes) {
            __m512i column[Panels];
#pragma unroll
            for (int i = 0; i < Panels; i++) column[i] = _mm512_loadu_si512(columns + i * panel_size);
#pragma unroll
            for (int pixel = 0; pixel < Pixels; pixel++) {
                int32_t bytes;
                memcpy(&bytes, source[pixel] + k, quad);
                const __m512i row = _mm512_set1_epi32(bytes);
#pragma unroll
                for (int i = 0; i < Panels; i++) sums[pixel][i] = _mm512_dpbusd_epi32(sums[pixel][i], row, column[i]);
            }
        }
    }
#pragma unroll
    for (int i = 0; i < Panels; i++) {
        const int64_t channel = (panel + i) * lanes;
        const __m512 factor = _mm512_loadu_ps(layer.factors + channel), offset = _mm512_loadu_ps(layer.offsets + channel);
#pragma unroll
        for (int pixel = 0; pixel < Pixels; pixel++) {
            const int64_t at = block.places[pixel] * layer.outputs + channel;
            __m512 value = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sums[pixel][i]), factor, offset);
            if (layer.residual) {
                const auto *bytes = reinterpret_cast<const __m128i *>(layer.residual + at);
                const __m512 other = _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(bytes)));
                const __m512 shifted = _mm512_sub_ps(other, _mm512_set1_ps(layer.residual_zero));
                value = _mm512_fmadd_ps(shifted, _mm512_set1_ps(layer.residual_factor), value);
            }
            const __m512i rounded = _mm512_cvtps_epi32(_mm512_max_ps(value, _mm512_set1_ps(layer.least)));
            _mm_storeu_si128(reinterpret_cast<__m128i *>(layer.y + at), _mm512_cvtusepi32_epi8(rounded));
        }
    }
}

template <int Panels>
void convolve(const Layer &layer, const Block &block, int64_t pixels, int64_t panel) {
    using Kernel = void (*)(const Layer &, const Block &, int64_t);
    static constexpr auto kernels = []<size_t... Index>(std::index_sequence<Index...>) {
        return std::array<Kernel, sizeof...(Index)>{convolve<Index + 1, Panels>...};
    }(std::make_index_sequence<block_pixels>());
    kernels[pixels - 1](layer, block, panel);
}

/// The outputs of a task: so many that its weights are worth fetching.
constexpr int64_t most_blocks = 24, most_places = most_blocks * block_pixels;

/// Windows that stick out of the picture alike are put together, so that as much of them as can be is left out: two fifths of the work
/// on maps of 6x3.
class Task {
    struct Kind {
        uint64_t inside;
        int64_t count, next;
    };
    std::vector<Kind> kinds;
    std::array<Block, most_blocks> blocks;

    /// Calls `body` with each place and its image, row and column.
    template <typename Body>
    static void each(const Layer &layer, int64_t first, int64_t last, Body body) {
        int64_t column = first % layer.across, row = first / layer.across % layer.down, image = first / layer.across / layer.down;
        for (int64_t place = first; place < last; place++) {
            body(place, image, row, column);
            if (++column < layer.across) continue;
            column = 0;
            if (++row < layer.down) continue;
            row = 0;
            image++;
        }
    }

    void prepare(const Layer &layer, int64_t first, int64_t last) {
        std::array<size_t, most_places> kind_of;
        kinds.clear();
        size_t kind = 0;
        // Where there is no padding, no window sticks out.
        if (!layer.padding) {
            kinds.push_back({layer.inside_rows[0] & layer.inside_columns[0], last - first, 0});
            std::fill_n(kind_of.begin(), last - first, kind);
        } else {
            each(layer, first, last, [&](int64_t place, int64_t, int64_t row, int64_t column) {
                const uint64_t inside = layer.inside_rows[row] & layer.inside_columns[column];
                if (kind == kinds.size() || kinds[kind].inside != inside) {
                    kind = std::find_if(kinds.begin(), kinds.end(), [&](const Kind &k) { return k.inside == inside; }) - kinds.begin();
                    if (kind == kinds.size()) kinds.push_back({inside, 0, 0});
                }
                kinds[kind].count++;
                kind_of[place - first] = kind;
            });
        }
        int64_t next = 0;
        for (auto &kind : kinds) {
            kind.next = next;
            next += kind.count;
        }
        for (auto &block : blocks) {
            block.some = 0;
            block.all = ~0ull;
        }
        each(layer, first, last, [&](int64_t place, int64_t image, int64_t row, int64_t column) {
            Kind &kind = kinds[kind_of[place - first]];
            Block &block = blocks[kind.next / block_pixels];
            const int64_t index = kind.next++ % block_pixels;
            const int64_t top = row * layer.stride - layer.padding, left = column * layer.stride - layer.padding;
            block.origins[index] = layer.x + ((image * layer.height + top) * layer.width + left) * layer.channels;
            block.places[index] = place;
            block.inside[index] = kind.inside;
            block.some |= kind.inside;
            block.all &= kind.inside;
        });
    }

public:
    /// Outputs at the places `first`..<`last`, panels `from`..<`to` of them, `panels` at a time.
    void run(const Layer &layer, int64_t first, int64_t last, int64_t from, int64_t to, int64_t panels) {
        prepare(layer, first, last);
        for (int64_t panel = from; panel < to; panel += panels) {
            for (int64_t place = first, i = 0; place < last; place += block_pixels, i++) {
                const int64_t pixels = std::min(block_pixels, last - place);
                switch (std::min(panels, to - panel)) {
                case 1: convolve<1>(layer, blocks[i], pixels, panel); break;
                case 2: convolve<2>(layer, blocks[i], pixels, panel); break;
                case 3: convolve<3>(layer, blocks[i], pixels, panel); break;
                default: convolve<most_panels>(layer, blocks[i], pixels, panel);
                }
            }
        }
    }
};

void convolve_all(const Layer &layer) {
    const int64_t places = layer.images * layer.down * layer.across, blocks = at::ceil_div(places, block_pixels);
    const int64_t all_panels = layer.outputs / lanes, groups = at::ceil_div(all_panels, most_panels), panels = at::ceil_div(all_panels, groups);
    // A few tasks for each thread. Where there are few places, each has all of them and a share of the outputs, so that weights are
    // fetched once.
    const int64_t wanted = 4 * usable_threads();
    const bool isSmall = blocks < 2 * wanted;
    const int64_t down = std::max(at::ceil_div(blocks, most_blocks), isSmall ? 1 : wanted);
    const int64_t panels_per_task = isSmall ? at::ceil_div(groups, std::min(groups, wanted)) * panels : all_panels;
    in_parallel(down * at::ceil_div(all_panels, panels_per_task), [&](int64_t index) {
        static thread_local Task task;
        const auto place = [&](int64_t part) { return std::min(blocks * part / down * block_pixels, places); };
        const int64_t part = index % down, from = index / down * panels_per_task;
        task.run(layer, place(part), place(part + 1), from, std::min(from + panels_per_task, all_panels), panels);
    });
}

/// Frames of floats (N, C, H, W), channels last, in bytes: (N, H + 2 border, W + 2 border, C up to a multiple of `quad`), zeros around.
at::Tensor rounded(const at::Tensor &frames, ct_steps steps, int64_t border) {
    const int64_t images = frames.size(0), channels = frames.size(1), height = frames.size(2), width = frames.size(3);
    const int64_t down = height + 2 * border, across = width + 2 * border, padded = at::round_up(channels, quad);
    auto bytes = at::empty({images, down, across, padded}, at::kByte);
    const auto *from = static_cast<const float *>(frames.const_data_ptr()), *end = from + frames.numel();
    auto *to = bytes.mutable_data_ptr<uint8_t>();
    in_parallel(images, [&](int64_t image) VNNI {
        memset(to + image * down * across * padded, static_cast<int>(steps.zero), down * across * padded);
        const __m512 factor = _mm512_set1_ps(1 / steps.step), zero = _mm512_set1_ps(steps.zero);
        const auto bytes = [&](__m512 values) VNNI {
            const __m512 shifted = _mm512_max_ps(_mm512_fmadd_ps(values, factor, zero), _mm512_setzero_ps());
            return _mm512_cvtusepi32_epi8(_mm512_cvtps_epi32(shifted));
        };
        for (int64_t y = 0; y < height; y++) {
            const float *source = from + (image * height + y) * width * channels;
            uint8_t *target = to + ((image * down + y + border) * across + border) * padded;
            int64_t x = 0;
            // Four pixels of three colours at a time.
            const __m512i spread = _mm512_setr_epi32(0, 1, 2, 0, 3, 4, 5, 0, 6, 7, 8, 0, 9, 10, 11, 0);
            for (; channels == 3 && x + 4 <= width && source + x * 3 + lanes <= end; x += 4) {
                const __m512 pixels = _mm512_maskz_permutexvar_ps(0x7777, spread, _mm512_loadu_ps(source + x * 3));
                _mm_storeu_si128(reinterpret_cast<__m128i *>(target + x * padded), bytes(pixels));
            }
            for (; x < width; x++)
                for (int64_t channel = 0; channel < channels; channel++)
                    target[x * padded + channel] = _mm_cvtsi128_si32(bytes(_mm512_set1_ps(source[x * channels + channel])));
        }
    });
    return bytes;
}

/// Whether outputs fill the lanes, the runs of a window fit a word of bits, and no sum of products of bytes overflows.
bool fits(const at::Tensor &weight) {
    const int64_t kernel = weight.size(2), window = kernel * kernel;
    return weight.size(0) % lanes == 0 && weight.size(3) == kernel && window <= most_runs &&
           window * at::round_up(weight.size(1), quad) <= 1 << 16;
}
}  // namespace

bool ct_has_vnni(void) { return __builtin_cpu_supports("avx512vnni") && !__builtin_cpu_supports("amx-int8"); }

bool ct_fits_vnni(ct_tensor weight) { return ct_has_vnni() && fits(at_(weight)); }

ct_tensor ct_pack_vnni(
    ct_tensor weight, ct_tensor bias, ct_steps input, ct_steps output, ct_tensor *factors, ct_error *error) {
    return guarded(error, [&] {
        const auto w = at_(weight).to(at::kDouble);
        TORCH_CHECK(fits(w), "a window of another kind");
        const int64_t outputs = w.size(0), inputs = w.size(1), kernel = w.size(2);
        const auto [steps, bytes] = int8_weights(w);
        const auto factor = steps * (input.step / output.step);
        auto offset = factor * bytes.sum({1, 2, 3}) * -double(input.zero) + double(output.zero);
        if (bias) offset += at_(bias).to(at::kDouble) / output.step;
        *factors = own(at::stack({factor, offset}).to(at::kFloat).contiguous());
        return own(at::constant_pad_nd(bytes, {0, 0, 0, 0, 0, at::round_up(inputs, quad) - inputs})
                       .reshape({outputs / lanes, lanes, -1, quad, kernel, kernel})
                       .permute({0, 4, 5, 2, 1, 3})  // O / 16, K, K, I / 4, 16, 4
                       .to(at::kChar)
                       .contiguous());
    });
}

ct_tensor ct_vnni_convolution(
    ct_tensor input, ct_steps input_steps, ct_tensor packed, ct_tensor factors, ct_tensor residual, ct_steps residual_steps,
    int64_t stride, int64_t padding, bool relu, ct_steps output_steps, ct_error *error) {
    return guarded(error, [&] {
        at::Tensor x = at_(input);
        const at::Tensor &weights = at_(packed), &scales = at_(factors);
        const int64_t outputs = weights.size(0) * lanes, kernel = weights.size(1), channels = weights.size(3) * quad;
        const auto out = [&](int64_t side) { return (side + 2 * padding - kernel) / stride + 1; };
        const int64_t images = x.size(0), down = out(x.size(2)), across = out(x.size(3));
        TORCH_CHECK(x.is_contiguous(at::MemoryFormat::ChannelsLast), "only channels last");
        TORCH_CHECK(at::round_up(x.size(1), quad) == channels, "input of another size");
        TORCH_CHECK(
            std::min(x.size(2), x.size(3)) > 0 && std::min(x.size(2), x.size(3)) + 2 * padding >= kernel,
            "a picture smaller than the window");
        TORCH_CHECK(outputs > 0 && scales.sizes() == at::IntArrayRef({2, outputs}), "factors of another size");
        if (x.scalar_type() == at::kFloat) {
            x = rounded(x, input_steps, padding).permute({0, 3, 1, 2});
            padding = 0;
        }
        TORCH_CHECK(x.scalar_type() == at::kByte && x.size(1) == channels, "only bytes of so many channels");
        const auto y = destination(residual, {images, outputs, down, across}, at::kByte);
        const std::vector<uint8_t> outside(channels, static_cast<uint8_t>(input_steps.zero));
        const auto *scale = static_cast<const float *>(scales.const_data_ptr());
        Layer layer{};
        layer.x = static_cast<const uint8_t *>(x.const_data_ptr());
        layer.y = static_cast<uint8_t *>(y.data_ptr());
        layer.residual = residual ? layer.y : nullptr;
        layer.weights = static_cast<const int8_t *>(weights.const_data_ptr());
        layer.factors = scale;
        layer.offsets = scale + outputs;
        layer.residual_zero = static_cast<float>(residual_steps.zero);
        layer.residual_factor = static_cast<float>(residual_steps.step / output_steps.step);
        layer.least = relu ? static_cast<float>(output_steps.zero) : 0.f;
        layer.images = images;
        layer.height = x.size(2);
        layer.width = x.size(3);
        layer.channels = channels;
        layer.down = down;
        layer.across = across;
        layer.outputs = outputs;
        layer.kernel = kernel;
        layer.stride = stride;
        layer.padding = padding;
        layer.runs = padding ? kernel * kernel : kernel;
        layer.length = padding ? channels : kernel * channels;
        TORCH_CHECK(layer.runs <= most_runs, "too large a window");
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
        layer.skips = input_steps.zero == 0;
        convolve_all(layer);
        return own(y);
    });
}

#else

bool ct_has_vnni(void) { return false; }

bool ct_fits_vnni(ct_tensor) { return false; }

ct_tensor ct_pack_vnni(ct_tensor, ct_tensor, ct_steps, ct_steps, ct_tensor *, ct_error *error) {
    return guarded(error, []() -> ct_tensor { TORCH_CHECK(false, "this is for processors with AVX-512 VNNI"); });
}

ct_tensor ct_vnni_convolution(
    ct_tensor, ct_steps, ct_tensor, ct_tensor, ct_tensor, ct_steps, int64_t, int64_t, bool, ct_steps, ct_error *error) {
    return ct_pack_vnni(nullptr, nullptr, {}, {}, nullptr, error);
}

#endif
