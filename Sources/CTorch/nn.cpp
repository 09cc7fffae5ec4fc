#include "support.h"

ct_tensor ct_conv2d(
    ct_tensor input, ct_tensor weight, ct_tensor bias, int64_t stride, int64_t padding, int64_t groups, ct_error *error) {
    return guarded(error, [&] {
        return own(at::conv2d(at_(input), at_(weight), maybe_(bias), stride, padding, /*dilation=*/1, groups));
    });
}

ct_tensor ct_batch_norm(
    ct_tensor input, ct_tensor weight, ct_tensor bias, ct_tensor running_mean, ct_tensor running_var, bool training,
    double momentum, double epsilon, ct_error *error) {
    return guarded(error, [&] {
        return own(at::batch_norm(
            at_(input), at_(weight), at_(bias), at_(running_mean), at_(running_var), training, momentum, epsilon,
            /*cudnn_enabled=*/true));
    });
}

ct_tensor ct_linear(ct_tensor input, ct_tensor weight, ct_tensor bias, ct_error *error) {
    return guarded(error, [&] { return own(at::linear(at_(input), at_(weight), maybe_(bias))); });
}

ct_tensor ct_max_pool2d(ct_tensor input, int64_t kernel, int64_t stride, int64_t padding, ct_error *error) {
    return guarded(error, [&] {
        auto fast = cuda_max_pool(at_(input), kernel, stride, padding);
        return own(fast ? *fast : at::max_pool2d(at_(input), kernel, stride, padding));
    });
}

ct_tensor ct_recurrent(
    int32_t cell, ct_tensor data, ct_tensor batch_sizes, ct_list parameters, int64_t hidden,
    bool bidirectional, ct_tensor *final, ct_error *error) {
    return guarded(error, [&] {
        auto weights = list_(parameters);
        if (cell == ct_cell_gru) {
            if (auto fast = cuda_gru(at_(data), at_(batch_sizes), weights, hidden)) {
                *final = own(fast->second);
                return own(fast->first);
            }
        }
        auto batch = at_(batch_sizes).select(0, 0).item<int64_t>();
        auto start = at::zeros({bidirectional ? 2 : 1, batch, hidden}, at_(data).options());
        at::Tensor output, last;
        if (cell == ct_cell_lstm) {
            std::tie(output, last, std::ignore) =
                at::lstm(at_(data), at_(batch_sizes), {start, start}, weights, true, 1, 0.0, true, bidirectional);
        } else if (cell == ct_cell_gru) {
            std::tie(output, last) = at::gru(at_(data), at_(batch_sizes), start, weights, true, 1, 0.0, true, bidirectional);
        } else {
            std::tie(output, last) =
                at::rnn_tanh(at_(data), at_(batch_sizes), start, weights, true, 1, 0.0, true, bidirectional);
        }
        *final = own(last);
        return own(output);
    });
}

ct_tensor ct_cross_entropy(ct_tensor logits, ct_tensor labels, ct_tensor class_weights, double label_smoothing, ct_error *error) {
    return guarded(error, [&] {
        return own(at::cross_entropy_loss(
            at_(logits), at_(labels), maybe_(class_weights), at::Reduction::Mean, /*ignore_index=*/-100, label_smoothing));
    });
}

ct_tensor ct_affine_grid(const double *theta, int64_t height, int64_t width, ct_error *error) {
    return guarded(error, [&] {
        auto matrix = at::from_blob(const_cast<double *>(theta), {1, 2, 3}, at::kDouble).to(at::kFloat);
        return own(at::affine_grid_generator(matrix, {1, 1, height, width}, false));
    });
}

ct_tensor ct_grid_inside(ct_tensor grid, ct_error *error) {
    return guarded(error, [&] {
        const auto &g = at_(grid);
        auto x = g.select(3, 0), y = g.select(3, 1);
        auto inside = x.ge(-1).logical_and_(x.lt(1)).logical_and_(y.ge(-1)).logical_and_(y.lt(1));
        return own(inside.unsqueeze(1).to(at::kFloat));
    });
}

ct_tensor ct_grid_sample(ct_tensor image, ct_tensor grid, bool border, ct_error *error) {
    return guarded(error, [&] { return own(at::grid_sampler_2d(at_(image), at_(grid), 0, border ? 1 : 0, false)); });
}
