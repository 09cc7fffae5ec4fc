// Convolutions fused with what follows them, by the operators that libtorch's own compiler emits
// for oneDNN. These have no exported C++ functions, only names in the dispatcher.
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/Version.h>

#include "support.h"

namespace {
using at::IntArrayRef;
using Scalars = c10::List<std::optional<at::Scalar>>;
using Word = std::optional<std::string_view>;

template <typename Signature>
c10::TypedOperatorHandle<Signature> operation(const char *name, const char *overload = "") {
    return c10::Dispatcher::singleton().findSchemaOrThrow(name, overload).typed<Signature>();
}

using Ints = c10::List<int64_t>;
}  // namespace

bool ct_fuses(int32_t dtype, ct_error *error) {
    return guarded(error, [&] {
        if (!at::globalContext().hasMKLDNN()) return false;
        auto type = static_cast<at::ScalarType>(dtype);
        if (type == at::kFloat) return true;
        // Without VNNI, four products of bytes take three instructions, and eight products of
        // floats one. Winograd's algorithm in floats is then far faster.
        if (type == at::kByte) return has_vnni();
        if (type != at::kBFloat16 || !operation<bool()>("mkldnn::_is_mkldnn_bf16_supported").call()) return false;
#if defined(__x86_64__)
        // oneDNN accepts every processor with AVX-512. Without bfloat16 instructions it converts to
        // float32 and back, which is slower than float32.
        return __builtin_cpu_supports("avx512bf16") != 0;
#else
        return true;
#endif
    });
}

ct_tensor ct_pack_convolution(
    ct_tensor weight, int64_t stride, int64_t padding, int64_t groups, const int64_t *input, ct_error *error) {
    return guarded(error, [&] {
        static const auto pack =
            operation<at::Tensor(const at::Tensor &, IntArrayRef, IntArrayRef, IntArrayRef, int64_t, at::OptionalIntArrayRef)>(
                "mkldnn::_reorder_convolution_weight");
        const int64_t paddings[] = {padding, padding}, strides[] = {stride, stride}, dilations[] = {1, 1};
        return own(pack.call(
            at_(weight).contiguous(), paddings, strides, dilations, groups, at::OptionalIntArrayRef(ints_(input, 4))));
    });
}

ct_tensor ct_fused_convolution(
    ct_tensor input, ct_tensor packed, ct_tensor bias, ct_tensor residual, int64_t stride, int64_t padding, int64_t groups,
    const char *activation, ct_error *error) {
    return guarded(error, [&] {
        static const auto convolve =
            operation<at::Tensor(
                const at::Tensor &, const at::Tensor &, const std::optional<at::Tensor> &, IntArrayRef, IntArrayRef,
                IntArrayRef, int64_t, std::string_view, Scalars, Word)>("mkldnn::_convolution_pointwise");
        static const auto accumulate =
            operation<at::Tensor &(
                at::Tensor &, const at::Tensor &, const at::Tensor &, const std::optional<at::Tensor> &, IntArrayRef,
                IntArrayRef, IntArrayRef, int64_t, std::string_view, std::optional<at::Scalar>, Word, Scalars, Word)>(
                "mkldnn::_convolution_pointwise_", "binary");
        const int64_t paddings[] = {padding, padding}, strides[] = {stride, stride}, dilations[] = {1, 1};
        std::string_view word = activation;
        // Without AVX-512, oneDNN's ReLU turns NaN into zero.
        static const bool keeps_nan = has_avx512();
        const bool is_apart = word == "relu" && !keeps_nan;
        if (is_apart) word = "none";
        Scalars bounds;
        if (word == "relu6") bounds = {at::Scalar(0.0), at::Scalar(6.0)};
        at::Tensor y = residual
            ? accumulate.call(
                  at_(residual), at_(input), at_(packed), maybe_(bias), paddings, strides, dilations, groups, "add", at::Scalar(1.0),
                  word == "none" ? Word() : Word(word), Scalars(), std::nullopt)
            : convolve.call(
                  at_(input), at_(packed), maybe_(bias), paddings, strides, dilations, groups, word == "relu6" ? "hardtanh" : word,
                  bounds, std::nullopt);
        return own(is_apart ? y.relu_() : y);
    });
}

ct_tensor ct_quantized_max_pool2d(ct_tensor input, int64_t kernel, int64_t stride, int64_t padding, ct_error *error) {
    return guarded(error, [&] {
        static const auto pool =
            operation<at::Tensor(const at::Tensor &, std::vector<int64_t>, std::vector<int64_t>, std::vector<int64_t>, std::vector<int64_t>, bool)>(
                "quantized::max_pool2d");
        return own(pool.call(at_(input), {kernel, kernel}, {stride, stride}, {padding, padding}, {1, 1}, false));
    });
}

ct_tensor ct_pack_quantized_convolution(
    ct_tensor weight, int64_t stride, int64_t padding, int64_t groups, const int64_t *input, ct_qparams qparams,
    ct_tensor *weight_scales, ct_error *error) {
    return guarded(error, [&] {
        static const auto pack =
            operation<at::Tensor(at::Tensor, at::Tensor, double, int64_t, Ints, Ints, Ints, int64_t, std::optional<Ints>)>(
                "onednn::qconv_prepack");
        // Symmetric. A channel of zeros may have any step.
        const auto step = at_(weight).abs().amax({1, 2, 3}, true).clamp_min(1e-12) / 127;
        const auto flat = step.flatten().to(at::kFloat);
        auto packed = pack.call(
            (at_(weight) / step).round().to(at::kChar).contiguous(), flat, qparams.scale, qparams.zero_point, {stride, stride}, {padding, padding},
            {1, 1}, groups, Ints(ints_(input, 4)));
        *weight_scales = own(flat);
        return own(packed);
    });
}

ct_tensor ct_quantized_convolution(
    ct_tensor input, ct_qparams input_qparams, ct_tensor packed, ct_tensor weight_scales, ct_tensor bias, ct_tensor residual,
    ct_qparams residual_qparams, int64_t stride, int64_t padding, int64_t groups, bool relu, ct_qparams output_qparams, ct_error *error) {
    return guarded(error, [&] {
        using Type = std::optional<c10::ScalarType>;
        using MaybeTensor = std::optional<at::Tensor>;
        static const auto convolve =
            operation<at::Tensor(
                at::Tensor, double, int64_t, at::Tensor, at::Tensor, at::Tensor, MaybeTensor, Ints, Ints, Ints, int64_t, double,
                int64_t, Type, std::string_view, Scalars, Word)>("onednn::qconv2d_pointwise");
        static const auto accumulate =
            operation<at::Tensor(
                at::Tensor, double, int64_t, at::Tensor, at::Tensor, at::Tensor, at::Tensor, MaybeTensor, Ints, Ints, Ints, int64_t,
                double, int64_t, Type, double, int64_t, std::string_view, std::optional<at::Scalar>, Word, Scalars, Word)>(
                "onednn::qconv2d_pointwise", "binary");
        const at::Tensor &x = at_(input), &scales = at_(weight_scales);
        const Ints strides{stride, stride}, paddings{padding, padding}, dilations{1, 1};
        auto zeros = at::zeros({scales.numel()}, at::kInt);
        const std::string_view activation = relu ? "relu" : "none";
        if (!residual) {
            return own(convolve.call(
                x, input_qparams.scale, input_qparams.zero_point, at_(packed), scales, zeros, maybe_(bias), strides, paddings, dilations,
                groups, output_qparams.scale, output_qparams.zero_point, at::kByte, activation, Scalars(), std::nullopt));
        }
        return own(accumulate.call(
            x, input_qparams.scale, input_qparams.zero_point, at_(packed), scales, zeros, at_(residual), maybe_(bias), strides, paddings,
            dilations, groups, output_qparams.scale, output_qparams.zero_point, at::kByte, residual_qparams.scale, residual_qparams.zero_point, "sum",
            at::Scalar(1.0), Word(activation), Scalars(), std::nullopt));
    });
}
