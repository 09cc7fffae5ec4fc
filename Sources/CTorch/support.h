// Shared by the shim's files: handles, lists, and the one place where C++ exceptions stop.
#pragma once

#if !__has_include(<jersey_libtorch.h>) || !__has_include(<ATen/ATen.h>)
#error "libtorch is missing: run `make setup`"
#endif

#include <ATen/ATen.h>
#include <jersey_libtorch.h>

#include <cstring>
#include <functional>
#include <string>

#include "ctorch.h"

#pragma clang assume_nonnull begin

inline at::Tensor &at_(ct_tensor tensor) { return *reinterpret_cast<at::Tensor *>(tensor); }

inline ct_tensor own(at::Tensor tensor) { return reinterpret_cast<ct_tensor>(new at::Tensor(std::move(tensor))); }

inline std::vector<at::Tensor> list_(ct_list tensors) {
    std::vector<at::Tensor> list;
    list.reserve(tensors.count);
    for (size_t i = 0; i < tensors.count; i++) list.push_back(at_(tensors.items[i]));
    return list;
}

inline at::IntArrayRef ints_(const int64_t *values, size_t count) { return at::IntArrayRef(values, count); }

inline std::optional<at::Tensor> maybe_(ct_tensor _Nullable tensor) {
    return tensor ? std::optional<at::Tensor>(at_(tensor)) : std::nullopt;
}

/// One value per output of a layer, in float64; all of them `otherwise` if there are none.
inline at::Tensor of_outputs(ct_tensor _Nullable values, int64_t outputs, double otherwise) {
    const auto found = values ? at_(values).to(at::kDouble).contiguous() : at::full({outputs}, otherwise, at::kDouble);
    TORCH_CHECK(found.numel() == outputs, "needs one value per output");
    return found;
}

/// The channels-last tensor that a convolution writes to: `residual`, or a new tensor if there is
/// none.
inline at::Tensor destination(ct_tensor _Nullable residual, at::IntArrayRef sizes, at::ScalarType type) {
    const auto y = residual ? at_(residual) : at::empty(sizes, type, at::MemoryFormat::ChannelsLast);
    TORCH_CHECK(y.is_contiguous(at::MemoryFormat::ChannelsLast) && y.scalar_type() == type, "the residual must be channels-last and of the result's type");
    TORCH_CHECK(y.sizes() == sizes, "the residual must have the result's size");
    return y;
}

/// Runs `body`. An exception becomes a message in `error`, and the result null, zero or false.
template <typename Body>
auto guarded(ct_error *error, Body body) noexcept -> decltype(body()) {
    using Result = decltype(body());
    try {
        return body();
    } catch (const c10::Error &e) {
        error->message = ::strdup(e.what_without_backtrace());
    } catch (const std::exception &e) {
        error->message = ::strdup(e.what());
    } catch (...) {
        error->message = ::strdup("unknown C++ exception");
    }
    if constexpr (!std::is_void_v<Result>) return Result{};
}

/// The number of threads for this thread's tasks; one if it already is one of several.
int64_t usable_threads(void);

/// Runs tasks 0..<count on libtorch's threads, in any order; on this thread alone if other programs
/// compete for the processors. libtorch's own `parallel_for` is in headers, and only parallel if
/// the compiler uses the OpenMP that libtorch was built with.
void in_parallel(int64_t count, const std::function<void(int64_t)> &task);

// The processor's features as libtorch sees them. libtorch can be told to use fewer.
bool has_avx512(void);
/// Includes fused multiply-add.
bool has_avx2(void);
/// An instruction that adds four products of bytes to 32 bits, in registers of any width.
bool has_vnni(void);

// Inference kernels of cuda.cpp that are faster than libtorch's. They return nothing if they do not
// support the input, or without CUDA.
std::optional<at::Tensor> cuda_max_pool(const at::Tensor &x, int64_t kernel_size, int64_t stride, int64_t padding);
/// All states (N, D H) and the last ones (D, B, H) of packed frames.
std::optional<std::pair<at::Tensor, at::Tensor>> cuda_gru(
    const at::Tensor &data, const at::Tensor &batch_sizes, const std::vector<at::Tensor> &weights, int64_t hidden);

#pragma clang assume_nonnull end
