// Computations that take libtorch several operations, in one pass over memory. With a few small
// frames, starting one of those operations costs more than the whole pass.
#include <ATen/ceil_div.h>

#include <cmath>

#include "support.h"

#if defined(__x86_64__)
// Compiled several times. The version is chosen for the processor.
#define EACH_PROCESSOR __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define EACH_PROCESSOR
#endif

namespace {
/// Partial sums of a dot product. A compiler must not change the order of a sum itself.
constexpr int64_t lanes = 16;

/// `period` values hold whole pixels of three colours and whole vectors. `share`, a multiple of it,
/// is enough work for a task.
constexpr int64_t period = 3 * lanes, share = period << 10;

/// Calls `body` with the bounds of stretches of 0..<count, on several threads.
template <typename Body>
void in_stretches(int64_t count, Body body) {
    in_parallel(at::ceil_div(count, share), [&](int64_t task) { body(task * share, std::min(count, (task + 1) * share)); });
}

[[gnu::always_inline]] inline float dot(const float *a, const float *b, int64_t count) {
    float sums[lanes] = {};
    int64_t i = 0;
    for (; i + lanes <= count; i += lanes)
        for (int64_t lane = 0; lane < lanes; lane++) sums[lane] += a[i + lane] * b[i + lane];
    for (int64_t lane = 0; i < count; i++, lane++) sums[lane] += a[i] * b[i];
    for (int64_t half = lanes / 2; half > 0; half /= 2)
        for (int64_t lane = 0; lane < half; lane++) sums[lane] += sums[lane + half];
    return sums[0];
}

/// x W + b, W (inputs, outputs)
[[gnu::always_inline]] inline void affine(
    const float *__restrict x, const float *__restrict weight, const float *__restrict bias, int64_t inputs, int64_t outputs,
    float *__restrict y) {
    for (int64_t i = 0; i < outputs; i++) y[i] = bias[i];
    for (int64_t k = 0; k < inputs; k++)
        for (int64_t i = 0; i < outputs; i++) y[i] += x[k] * weight[k * outputs + i];
}

struct Digits {
    int64_t channels, places, queries, classes;
    const float *looks, *offsets, *hidden, *hidden_bias, *classifier, *classifier_bias;
};

/// - Parameters:
///   - maps: (places, channels)
///   - logits: (queries, classes)
///   - work: places + 2 channels
EACH_PROCESSOR void read_digits(
    const Digits &digits, const float *__restrict maps, float *__restrict logits, float *__restrict work) {
    float *scores = work, *found = scores + digits.places, *hidden = found + digits.channels;
    for (int64_t query = 0; query < digits.queries; query++) {
        float most = -INFINITY, total = 0;
        for (int64_t place = 0; place < digits.places; place++) {
            const float product = dot(maps + place * digits.channels, digits.looks + query * digits.channels, digits.channels);
            scores[place] = product + digits.offsets[query * digits.places + place];
            most = std::max(most, scores[place]);
        }
        for (int64_t place = 0; place < digits.places; place++) total += scores[place] = std::exp(scores[place] - most);
        for (int64_t i = 0; i < digits.channels; i++) found[i] = 0;
        for (int64_t place = 0; place < digits.places; place++) {
            const float weight = scores[place] / total;
            for (int64_t i = 0; i < digits.channels; i++) found[i] += weight * maps[place * digits.channels + i];
        }
        affine(found, digits.hidden, digits.hidden_bias, digits.channels, digits.channels, hidden);
        // NaN stays NaN.
        for (int64_t i = 0; i < digits.channels; i++) hidden[i] = hidden[i] < 0 ? 0 : hidden[i];
        affine(hidden, digits.classifier, digits.classifier_bias, digits.channels, digits.classes, logits + query * digits.classes);
    }
}

const float *floats(ct_tensor tensor, at::IntArrayRef sizes) {
    const auto &t = at_(tensor);
    TORCH_CHECK(t.sizes() == sizes && t.scalar_type() == at::kFloat && t.is_contiguous(), "the weights have the wrong shape or type");
    return t.const_data_ptr<float>();
}
}  // namespace

ct_tensor ct_scaled_frames(ct_tensor frames, const float *scale, const float *shift, ct_error *error) {
    return guarded(error, [&] {
        const auto bytes = at_(frames).contiguous();
        TORCH_CHECK(bytes.dim() == 4 && bytes.size(3) == 3 && bytes.scalar_type() == at::kByte, "frames must be bytes of three colours");
        auto values = at::empty(bytes.sizes(), at::kFloat);
        const auto *from = bytes.const_data_ptr<uint8_t>();
        auto *to = values.mutable_data_ptr<float>();
        float scales[period], shifts[period];
        for (int64_t i = 0; i < period; i++) {
            scales[i] = scale[i % 3];
            shifts[i] = shift[i % 3];
        }
        in_stretches(bytes.numel(), [&](int64_t i, int64_t end) {
            for (; i + period <= end; i += period)
                for (int64_t k = 0; k < period; k++) to[i + k] = from[i + k] * scales[k] + shifts[k];
            for (int64_t k = 0; i < end; i++, k++) to[i] = from[i] * scales[k] + shifts[k];
        });
        return own(values.permute({0, 3, 1, 2}));
    });
}

// libtorch is about to drop its quantised tensors. Here bytes are plain bytes, and the caller keeps
// their scale and zero point.
ct_tensor ct_quantize(ct_tensor a, ct_qparams qparams, ct_error *error) {
    return guarded(error, [&] {
        const auto values = at_(a).to(at::kFloat).contiguous(at::MemoryFormat::ChannelsLast);
        auto bytes = at::empty_like(values, at::kByte);
        const auto *from = static_cast<const float *>(values.const_data_ptr());
        uint8_t *to = bytes.mutable_data_ptr<uint8_t>();
        const float factor = 1 / qparams.scale, shift = qparams.zero_point + 0.5f;
        in_stretches(values.numel(), [&](int64_t start, int64_t end) {
            for (int64_t i = start; i < end; i++) to[i] = std::min(std::max(0.f, from[i] * factor + shift), 255.f);
        });
        return own(bytes);
    });
}

ct_tensor ct_dequantize(ct_tensor a, ct_qparams qparams, ct_error *error) {
    return guarded(error, [&] {
        const at::Tensor &bytes = at_(a);
        TORCH_CHECK(bytes.is_non_overlapping_and_dense(), "bytes must be dense");
        auto values = at::empty_like(bytes, at::kFloat);
        const auto *from = bytes.const_data_ptr<uint8_t>();
        float *to = values.mutable_data_ptr<float>();
        const float step = qparams.scale, zero = qparams.zero_point;
        in_stretches(bytes.numel(), [&](int64_t start, int64_t end) {
            for (int64_t i = start; i < end; i++) to[i] = (from[i] - zero) * step;
        });
        return own(values);
    });
}

ct_tensor ct_tied_digits(
    ct_tensor maps, ct_tensor looks, ct_tensor offsets, ct_tensor hidden, ct_tensor hidden_bias, ct_tensor classifier,
    ct_tensor classifier_bias, ct_error *error) {
    return guarded(error, [&] {
        const auto frames = at_(maps).contiguous(at::MemoryFormat::ChannelsLast);
        TORCH_CHECK(frames.scalar_type() == at::kFloat, "maps must be float32");
        const int64_t count = frames.size(0), channels = frames.size(1), places = frames.size(2) * frames.size(3);
        const int64_t queries = at_(looks).size(0), classes = at_(classifier).size(1);
        const Digits digits{
            channels, places, queries, classes, floats(looks, {queries, channels}), floats(offsets, {queries, places}),
            floats(hidden, {channels, channels}), floats(hidden_bias, {channels}), floats(classifier, {channels, classes}),
            floats(classifier_bias, {classes})};
        auto logits = at::empty({count, queries, classes}, at::kFloat);
        const auto *from = frames.const_data_ptr<float>();
        auto *to = logits.mutable_data_ptr<float>();
        // A frame takes a few microseconds.
        constexpr int64_t frames_at_once = 4;
        in_parallel(at::ceil_div(count, frames_at_once), [&](int64_t task) {
            std::vector<float> work(places + 2 * channels);
            for (int64_t i = task * frames_at_once; i < std::min(count, (task + 1) * frames_at_once); i++)
                read_digits(digits, from + i * places * channels, to + i * queries * classes, work.data());
        });
        return own(logits);
    });
}
