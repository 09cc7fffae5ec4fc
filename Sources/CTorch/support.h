// Shared by the shim's files: handles, lists, and the one place where C++ exceptions stop.
#pragma once

#if !__has_include(<ATen/ATen.h>)
#error "libtorch is missing: run `make setup`"
#endif

#include <ATen/ATen.h>

#include <cstring>
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

#pragma clang assume_nonnull end
