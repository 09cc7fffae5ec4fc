#include <ATen/autocast_mode.h>
#include <c10/core/GradMode.h>

#include "support.h"

void ct_set_requires_grad(ct_tensor tensor, bool value, ct_error *error) {
    guarded(error, [&] { at_(tensor).requires_grad_(value); });
}

void ct_backward(ct_tensor loss, ct_error *error) {
    guarded(error, [&] { at_(loss).backward(); });
}

ct_tensor ct_gradient(ct_tensor tensor) {
    const auto &gradient = at_(tensor).grad();
    return gradient.defined() ? own(gradient) : nullptr;
}

void ct_set_gradient(ct_tensor tensor, ct_tensor gradient, ct_error *error) {
    guarded(error, [&] { at_(tensor).mutable_grad() = at_(gradient).clone(); });
}

void ct_clear_gradient(ct_tensor tensor) { at_(tensor).mutable_grad() = at::Tensor(); }

ct_tensor ct_detach(ct_tensor tensor, ct_error *error) {
    return guarded(error, [&] { return own(at_(tensor).detach()); });
}
ct_tensor ct_clone(ct_tensor tensor, ct_error *error) {
    return guarded(error, [&] { return own(at_(tensor).detach().clone()); });
}

ct_tensor ct_global_norm(ct_list tensors, ct_error *error) {
    return guarded(error, [&] { return own(at::stack(at::_foreach_norm(list_(tensors))).norm()); });
}

void ct_scale_all(ct_list tensors, ct_tensor factor, ct_error *error) {
    guarded(error, [&] { at::_foreach_mul_(list_(tensors), at_(factor)); });
}

void ct_adam(
    ct_list parameters, ct_list gradients, ct_list means, ct_list variances, ct_list steps, double rate, double beta1, double beta2, double decay, double epsilon, bool decoupled,
    ct_error *error) {
    guarded(error, [&] {
        auto p = list_(parameters), g = list_(gradients), m = list_(means), v = list_(variances), s = list_(steps);
        at::_foreach_add_(s, 1);
        if (decoupled) {
            at::_fused_adamw_(p, g, m, v, {}, s, rate, beta1, beta2, decay, epsilon, /*amsgrad=*/false, /*maximize=*/false);
        } else {
            at::_fused_adam_(p, g, m, v, {}, s, rate, beta1, beta2, decay, epsilon, /*amsgrad=*/false, /*maximize=*/false);
        }
    });
}

bool ct_unscale(ct_list gradients, double inverse_scale, ct_error *error) {
    return guarded(error, [&] {
        auto list = list_(gradients);
        auto options = list.at(0).options().dtype(at::kFloat);
        auto found = at::zeros({1}, options);
        at::_amp_foreach_non_finite_check_and_unscale_(list, found, at::full({1}, inverse_scale, options));
        return found.item<float>() == 0;
    });
}

bool ct_set_gradients_enabled(bool enabled) {
    bool former = c10::GradMode::is_enabled();
    c10::GradMode::set_enabled(enabled);
    return former;
}

int32_t ct_set_autocast(int32_t device, int32_t dtype, ct_error *error) {
    return guarded(error, [&]() -> int32_t {
        auto type = static_cast<at::DeviceType>(device);
        bool enabled = at::autocast::is_autocast_enabled(type);
        auto former = enabled ? static_cast<int32_t>(at::autocast::get_autocast_dtype(type)) : -1;
        if (dtype >= 0) at::autocast::set_autocast_dtype(type, static_cast<at::ScalarType>(dtype));
        at::autocast::set_autocast_enabled(type, dtype >= 0);
        // Weights in the cache may have another type, or be about to change.
        at::autocast::clear_cache();
        return former;
    });
}
