// Convolutions with what follows them, by the operators of libtorch that its own compiler emits for oneDNN. They have no C++
// functions that are exported for use, only names in the dispatcher.
#include <ATen/core/dispatch/Dispatcher.h>

#include "support.h"

namespace {
using at::IntArrayRef;
using Scalars = c10::List<std::optional<at::Scalar>>;
using Word = std::optional<std::string_view>;

template <typename Signature>
c10::TypedOperatorHandle<Signature> operation(const char *name, const char *overload = "") {
    return c10::Dispatcher::singleton().findSchemaOrThrow(name, overload).typed<Signature>();
}
}  // namespace

bool ct_fuses(int32_t dtype, ct_error *error) {
    return guarded(error, [&] {
        if (!at::globalContext().hasMKLDNN()) return false;
        auto type = static_cast<at::ScalarType>(dtype);
        if (type == at::kFloat) return true;
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
