// Convolutions with what follows them, by the operators of libtorch that its own compiler emits for oneDNN. They have no C++
// functions that are exported for use, only names in the dispatcher.
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/cpu/Utils.h>
#include <ATen/quantized/Quantizer.h>

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

/// The bytes of a quantised tensor, not copied. oneDNN's operators take scale and zero by themselves.
at::Tensor bytes_of(const at::Tensor &quantized) {
    return at::from_blob(
        quantized.data_ptr(), quantized.sizes(), quantized.strides(), [quantized](void *) {},
        at::TensorOptions().dtype(at::kByte));
}

/// Takes the same memory for other values.
at::Tensor quantized_from(const at::Tensor &bytes, double scale, int64_t zero) {
    return at::from_blob_quantized_per_tensor_affine(
        bytes.data_ptr(), bytes.sizes(), bytes.strides(), [bytes](void *) {}, scale, zero,
        at::TensorOptions().dtype(at::kQUInt8));
}
}  // namespace

bool ct_fuses(int32_t dtype, ct_error *error) {
    return guarded(error, [&] {
        if (!at::globalContext().hasMKLDNN()) return false;
        auto type = static_cast<at::ScalarType>(dtype);
        if (type == at::kFloat) return true;
        // Processors without can do it as well, but not faster than in float32.
        if (type == at::kQUInt8) return at::cpu::is_avx512_vnni_supported();
        if (type != at::kBFloat16) return false;
        return operation<bool()>("mkldnn::_is_mkldnn_bf16_supported").call();
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
        const std::string_view word = activation;
        if (residual) {
            return own(accumulate.call(
                at_(residual), at_(input), at_(packed), maybe_(bias), paddings, strides, dilations, groups, "add", at::Scalar(1.0),
                word == "none" ? Word() : Word(word), Scalars(), std::nullopt));
        }
        Scalars bounds;
        if (word == "relu6") bounds = {at::Scalar(0.0), at::Scalar(6.0)};
        return own(convolve.call(
            at_(input), at_(packed), maybe_(bias), paddings, strides, dilations, groups, word == "relu6" ? "hardtanh" : word,
            bounds, std::nullopt));
    });
}

ct_tensor ct_quantize(ct_tensor a, double scale, int64_t zero, ct_error *error) {
    return guarded(error, [&] { return own(at::quantize_per_tensor(at_(a), scale, zero, at::kQUInt8)); });
}

ct_tensor ct_dequantize(ct_tensor a, ct_error *error) {
    return guarded(error, [&] { return own(at_(a).dequantize()); });
}

ct_tensor ct_pack_quantized_convolution(
    ct_tensor weight, ct_tensor input, int64_t stride, int64_t padding, int64_t groups, ct_tensor *scales, ct_error *error) {
    return guarded(error, [&] {
        static const auto pack =
            operation<at::Tensor(at::Tensor, at::Tensor, double, int64_t, Ints, Ints, Ints, int64_t, std::optional<Ints>)>(
                "onednn::qconv_prepack");
        const at::Tensor &w = at_(weight), &x = at_(input);
        // Symmetric; a channel of zeros only has any scale.
        auto size = w.abs().amax({1, 2, 3}, true).clamp_min(1e-12) / 127;
        auto rounded = (w / size).round().to(at::kChar).contiguous();
        auto flat = size.flatten().to(at::kFloat).contiguous();
        auto packed = pack.call(
            rounded, flat, x.q_scale(), x.q_zero_point(), {stride, stride}, {padding, padding}, {1, 1}, groups,
            Ints(x.sizes().vec()));
        *scales = own(flat);
        return own(packed);
    });
}

ct_tensor ct_quantized_convolution(
    ct_tensor input, ct_tensor packed, ct_tensor scales, ct_tensor bias, ct_tensor residual, int64_t stride, int64_t padding,
    int64_t groups, bool relu, double scale, int64_t zero, ct_error *error) {
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
        const at::Tensor &x = at_(input), &steps = at_(scales);
        const Ints strides{stride, stride}, paddings{padding, padding}, dilations{1, 1};
        auto zeros = at::zeros({steps.numel()}, at::kInt);
        const std::string_view activation = relu ? "relu" : "none";
        if (!residual) {
            return own(quantized_from(
                convolve.call(
                    bytes_of(x), x.q_scale(), x.q_zero_point(), at_(packed), steps, zeros, maybe_(bias), strides, paddings,
                    dilations, groups, scale, zero, at::kByte, activation, Scalars(), std::nullopt),
                scale, zero));
        }
        const at::Tensor &sum = at_(residual);
        return own(quantized_from(
            accumulate.call(
                bytes_of(x), x.q_scale(), x.q_zero_point(), at_(packed), steps, zeros, bytes_of(sum), maybe_(bias), strides,
                paddings, dilations, groups, scale, zero, at::kByte, sum.q_scale(), sum.q_zero_point(), "sum", at::Scalar(1.0),
                Word(activation), Scalars(), std::nullopt),
            scale, zero));
    });
}
