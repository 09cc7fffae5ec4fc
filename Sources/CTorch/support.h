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

/// A value for each output of a layer, in float64; `otherwise` where there are none.
inline at::Tensor of_outputs(ct_tensor _Nullable values, int64_t outputs, double otherwise) {
    const auto found = values ? at_(values).to(at::kDouble).contiguous() : at::full({outputs}, otherwise, at::kDouble);
    TORCH_CHECK(found.numel() == outputs, "a value for each output");
    return found;
}

/// What a convolution writes to, channels last: `residual`, or where there is none a new tensor.
inline at::Tensor destination(ct_tensor _Nullable residual, at::IntArrayRef sizes, at::ScalarType type) {
    const auto y = residual ? at_(residual) : at::empty(sizes, type, at::MemoryFormat::ChannelsLast);
    TORCH_CHECK(y.is_contiguous(at::MemoryFormat::ChannelsLast) && y.scalar_type() == type, "a sum of another kind");
    TORCH_CHECK(y.sizes() == sizes, "a sum of another size");
    return y;
}

/// Runs `body`; what it throws becomes a message in `error`, and the result a null, zero or false.
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

/// Threads among which tasks of this thread are divided: one where it is one of several already.
int64_t usable_threads(void);

/// Does tasks 0..<count on libtorch's threads, in any order; on this one alone while other programs want the processors. libtorch's own
/// `parallel_for` is in headers, and parallel only where a compiler brings the OpenMP that libtorch was built with.
void in_parallel(int64_t count, const std::function<void(int64_t)> &task);

// What the processor has, by libtorch's account, which can be told to hold back.
bool has_avx512(void);
/// With the instructions that multiply and add at once.
bool has_avx2(void);
/// An instruction that adds four products of bytes to 32 bits, of any width.
bool has_vnni(void);

// What cuda.cpp does better than libtorch in reading; nothing where it cannot, or there is no CUDA.
std::optional<at::Tensor> cuda_max_pool(const at::Tensor &x, int64_t kernel_size, int64_t stride, int64_t padding);
/// All states (N, D H) and the last ones (D, B, H), of packed frames.
std::optional<std::pair<at::Tensor, at::Tensor>> cuda_gru(
    const at::Tensor &data, const at::Tensor &batch_sizes, const std::vector<at::Tensor> &weights, int64_t hidden);

#pragma clang assume_nonnull end
