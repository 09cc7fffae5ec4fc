#include "learning.h"

ct_tensor ct_conv2d(
    ct_tensor input, ct_tensor weight, ct_tensor bias, int64_t stride, int64_t padding, int64_t groups, ct_error *error) {
    return guarded(error, [&] {
        auto fast = learned_convolution(at_(input), at_(weight), bias != nullptr, stride, padding, groups);
        if (fast) return own(*fast);
        return own(at::conv2d(at_(input), at_(weight), maybe_(bias), stride, padding, /*dilation=*/1, groups));
    });
}

ct_tensor ct_batch_norm(
    ct_tensor input, ct_tensor weight, ct_tensor bias, ct_tensor running_mean, ct_tensor running_var, bool training,
    double momentum, double epsilon, ct_tensor residual, bool relu, ct_error *error) {
    return guarded(error, [&] {
        if (training) {
            const NormSettings settings{
                at_(weight), at_(bias), at_(running_mean), at_(running_var), momentum, epsilon, relu};
            if (auto fast = learned_norm(at_(input), settings, maybe_(residual))) return own(*fast);
        }
        auto y = at::batch_norm(
            at_(input), at_(weight), at_(bias), at_(running_mean), at_(running_var), training, momentum, epsilon,
            /*cudnn_enabled=*/true);
        if (residual) y = y + at_(residual);
        return own(relu ? y.relu_() : y);
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

ct_tensor ct_warp(ct_tensor image, const double *theta, ct_error *error) {
    return guarded(error, [&] {
        const auto &from = at_(image);
        const int64_t height = from.size(2), width = from.size(3);
        // libtorch computes the grid by a matrix product, which is slow on processors that MKL does
        // not know.
        auto grid = at::empty({1, height, width, 2}, at::kFloat), inside = at::empty({1, 1, height, width}, at::kFloat);
        auto *point = static_cast<float *>(grid.data_ptr()), *lies_inside = static_cast<float *>(inside.data_ptr());
        const float step = 2.f / width, right = theta[0], down = theta[3];
        for (int64_t row = 0; row < height; row++, point += 2 * width, lies_inside += width) {
            const double y = (2. * row + 1) / height - 1;
            const float x0 = theta[1] * y + theta[2], y0 = theta[4] * y + theta[5];
            for (int64_t column = 0; column < width; column++) {
                const float place = (column + .5f) * step - 1, x = right * place + x0, y = down * place + y0;
                point[2 * column] = x;
                point[2 * column + 1] = y;
                lies_inside[column] = static_cast<float>((x >= -1) & (x < 1) & (y >= -1) & (y < 1));
            }
        }
        return own(at::grid_sampler_2d(from, grid, /*bilinear*/ 0, /*border*/ 1, /*align_corners=*/false).mul_(inside));
    });
}
