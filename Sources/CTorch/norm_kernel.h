// The inner part of norm.cpp, which includes it once for each kind of processor. `lanes` is the
// number of floats in a register. A row holds the channels of one place in an image.

#include "lanes.h"

/// The mean of the rows of `x`, and the sum of the squared differences from it.
inline void sum_up(const float *x, int64_t rows, int64_t channels, float *mean, float *squares) {
    std::fill_n(mean, channels, 0.f);
    std::fill_n(squares, channels, 0.f);
    for (int64_t row = 0; row < rows; row++)
        for (int64_t c = 0; c < channels; c += lanes) store(mean + c, load(mean + c) + load(x + row * channels + c));
    for (int64_t c = 0; c < channels; c += lanes) store(mean + c, load(mean + c) * (1.f / rows));
    for (int64_t row = 0; row < rows; row++)
        for (int64_t c = 0; c < channels; c += lanes) {
            const Vector difference = load(x + row * channels + c) - load(mean + c);
            store(squares + c, load(squares + c) + difference * difference);
        }
}

inline Vector normalized(const Norm &norm, Vector x, int64_t c) {
    return (x - load(norm.mean + c)) * load(norm.scale + c) + load(norm.bias + c);
}

inline void normalize(const Norm &norm, const float *x, const float *residual, int64_t rows, float *y) {
    for (int64_t row = 0; row < rows; row++)
        for (int64_t c = 0; c < norm.channels; c += lanes) {
            const int64_t at = row * norm.channels + c;
            Vector value = normalized(norm, load(x + at), c);
            if (residual) value += load(residual + at);
            if (norm.relu) value = value < 0.f ? Vector{} : value;
            store(y + at, value);
        }
}

/// The gradient before ReLU. `y` is null if nothing was added; ReLU's input is then computed again.
inline Vector masked(const Norm &norm, Vector dy, Vector x, const float *y, int64_t at, int64_t c) {
    if (!norm.relu) return dy;
    const Vector value = y ? load(y + at) : normalized(norm, x, c);
    return value <= 0.f ? Vector{} : dy;
}

/// Sums over rows of the gradient before ReLU, and of its products with x − mean.
///
/// - Parameter kept: receives that gradient; may be null.
inline void sum_gradients(
    const Norm &norm, const float *x, const float *y, const float *dy, int64_t rows, float *kept, float *sum, float *products) {
    std::fill_n(sum, norm.channels, 0.f);
    std::fill_n(products, norm.channels, 0.f);
    for (int64_t row = 0; row < rows; row++)
        for (int64_t c = 0; c < norm.channels; c += lanes) {
            const int64_t at = row * norm.channels + c;
            const Vector value = load(x + at), gradient = masked(norm, load(dy + at), value, y, at, c);
            if (kept) store(kept + at, gradient);
            store(sum + c, load(sum + c) + gradient);
            store(products + c, load(products + c) + gradient * (value - load(norm.mean + c)));
        }
}

/// The gradient of x. `norm` must have no ReLU if `dy` is what was kept above.
///
/// - Parameters:
///   - sum, products: sums over all rows, divided by their number; `products` also by the variance.
inline void propagate(
    const Norm &norm, const float *x, const float *dy, int64_t rows, const float *sum, const float *products, float *dx) {
    for (int64_t row = 0; row < rows; row++)
        for (int64_t c = 0; c < norm.channels; c += lanes) {
            const int64_t at = row * norm.channels + c;
            const Vector value = load(x + at), gradient = masked(norm, load(dy + at), value, nullptr, at, c);
            const Vector rest = load(sum + c) + (value - load(norm.mean + c)) * load(products + c);
            store(dx + at, (gradient - rest) * load(norm.scale + c));
        }
}
