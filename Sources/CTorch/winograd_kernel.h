// The inner part of winograd.cpp, which takes it in once for each kind of processor: `lanes` are the floats of a register, `block_rows`
// the rows of a product that the registers hold at once beside two columns.

/// So many channels.
typedef float Vector __attribute__((vector_size(4 * lanes)));
typedef float Unaligned __attribute__((vector_size(4 * lanes), aligned(4), may_alias));

inline Vector load(const float *from) { return *reinterpret_cast<const Unaligned *>(from); }
inline void store(float *to, Vector value) { *reinterpret_cast<Unaligned *>(to) = value; }

typedef uint32_t Bits __attribute__((vector_size(4 * lanes)));
typedef uint16_t BFloats __attribute__((vector_size(2 * lanes), aligned(2), may_alias));

inline Vector load(const BFloat *from) {
    return (Vector)(__builtin_convertvector(*reinterpret_cast<const BFloats *>(from), Bits) << 16);
}
inline void store(BFloat *to, Vector value) {
    const Bits bits = (Bits)value, rounded = bits + 0x7FFF + (bits >> 16 & 1);
    *reinterpret_cast<BFloats *>(to) = __builtin_convertvector((value == value ? rounded : bits) >> 16, BFloats);
}

/// Bᵀ d, for six values that lie `stride` apart.
inline void transform_input(Vector *d, int stride) {
    Vector d0 = d[0], d1 = d[stride], d2 = d[2 * stride], d3 = d[3 * stride], d4 = d[4 * stride], d5 = d[5 * stride];
    Vector p = d4 - 4.f * d2, q = d3 - 4.f * d1, r = d4 - d2, s = 2.f * (d3 - d1);
    d[0] = 4.f * d0 - 5.f * d2 + d4;
    d[stride] = p + q;
    d[2 * stride] = p - q;
    d[3 * stride] = r + s;
    d[4 * stride] = r - s;
    d[5 * stride] = 4.f * d1 - 5.f * d3 + d5;
}

/// Aᵀ m: four values of six.
inline void transform_output(const Vector *m, int stride, Vector *o, int step) {
    Vector a = m[stride] + m[2 * stride], b = m[stride] - m[2 * stride], c = m[3 * stride] + m[4 * stride],
           d = m[3 * stride] - m[4 * stride];
    o[0] = m[0] + a + c;
    o[step] = b + 2.f * d;
    o[2 * step] = a + 4.f * c;
    o[3 * step] = b + 8.f * d + m[5 * stride];
}

/// `Rows` rows of a times `Panels` panels of columns of b.
template <int Rows, int Panels>
void multiply(const float *a, const float *b, int64_t depth, float *c, int64_t width) {
    Vector sums[Rows][Panels] = {};
    for (int64_t k = 0; k < depth; k++) {
        Vector columns[Panels];
        for (int panel = 0; panel < Panels; panel++) columns[panel] = load(b + (panel * depth + k) * lanes);
#pragma unroll
        for (int row = 0; row < Rows; row++)
#pragma unroll
            for (int panel = 0; panel < Panels; panel++) sums[row][panel] += a[row * depth + k] * columns[panel];
    }
#pragma unroll
    for (int row = 0; row < Rows; row++)
#pragma unroll
        for (int panel = 0; panel < Panels; panel++) store(c + row * width + panel * lanes, sums[row][panel]);
}

template <int Panels>
void multiply(int64_t rows, const float *a, const float *b, int64_t depth, float *c, int64_t width) {
    using Kernel = void (*)(const float *, const float *, int64_t, float *, int64_t);
    static constexpr auto kernels = []<size_t... Index>(std::index_sequence<Index...>) {
        return std::array<Kernel, sizeof...(Index)>{multiply<Index + 1, Panels>...};
    }(std::make_index_sequence<block_rows>());
    for (int64_t row = 0; row < rows; row += block_rows)
        kernels[std::min(block_rows, rows - row) - 1](a + row * depth, b, depth, c + row * width, width);
}

/// Some tiles and outputs of a layer: `count` tiles from `first` on, outputs from `from` to `to`.
template <typename Element>
void convolve(const Layer<Element> &layer, int64_t first, int64_t count, int64_t from, int64_t to) {
    const int64_t inputs = layer.inputs;
    static thread_local std::vector<float> memory;
    // Planes a multiple of 4096 bytes apart would fight for the same places of the cache.
    const int64_t plane = count * inputs + lanes, product = count * 2 * lanes + lanes;
    memory.resize(std::max<size_t>(memory.size(), inputs + planes * (plane + product)));
    float *transformed = memory.data() + inputs, *products = transformed + planes * plane;
    // What lies outside of a picture.
    std::fill_n(memory.data(), inputs, 0.f);
    const auto *nothing = reinterpret_cast<const Element *>(memory.data());

    for (int64_t index = 0; index < count; index++) {
        const int64_t place = first + index, image = place / (layer.down * layer.across);
        const int64_t top = place / layer.across % layer.down * tile - 1, left = place % layer.across * tile - 1;
        const Element *sources[planes];
        for (int64_t i = 0; i < planes; i++) {
            const int64_t row = top + i / window, column = left + i % window;
            const bool inside = row >= 0 && row < layer.height && column >= 0 && column < layer.width;
            sources[i] = inside ? layer.x + ((image * layer.height + row) * layer.width + column) * inputs : nothing;
        }
        for (int64_t channel = 0; channel < inputs; channel += lanes) {
            Vector d[planes];
#pragma unroll
            for (int64_t i = 0; i < planes; i++) d[i] = load(sources[i] + channel);
#pragma unroll
            for (int64_t i = 0; i < window; i++) transform_input(d + i, window);
#pragma unroll
            for (int64_t i = 0; i < window; i++) transform_input(d + i * window, 1);
#pragma unroll
            for (int64_t i = 0; i < planes; i++) store(transformed + i * plane + index * inputs + channel, d[i]);
        }
    }
    // So many outputs at a time that their products stay in the cache.
    for (int64_t column = from; column < to; column += 2 * lanes) {
        const bool isPair = column + lanes < to;
        for (int64_t i = 0; i < planes; i++) {
            const float *a = transformed + i * plane, *b = layer.weights + (i * layer.outputs + column) * inputs;
            (isPair ? multiply<2> : multiply<1>)(count, a, b, inputs, products + i * product, 2 * lanes);
        }
        for (int64_t index = 0; index < count; index++) {
            const int64_t place = first + index, image = place / (layer.down * layer.across);
            const int64_t top = place / layer.across % layer.down * tile, left = place % layer.across * tile;
            const int64_t rows = std::min(tile, layer.height - top), width = std::min(tile, layer.width - left);
            for (int64_t channel = 0; channel < (isPair ? 2 : 1) * lanes; channel += lanes) {
                Vector m[planes], half[tile * window], o[tile * tile];
#pragma unroll
                for (int64_t i = 0; i < planes; i++) m[i] = load(products + i * product + index * 2 * lanes + channel);
#pragma unroll
                for (int64_t i = 0; i < window; i++) transform_output(m + i, window, half + i, window);
#pragma unroll
                for (int64_t i = 0; i < tile; i++) transform_output(half + i * window, 1, o + i * tile, 1);
                const Vector bias = layer.bias ? load(layer.bias + column + channel) : Vector{};
                for (int64_t row = 0; row < rows; row++)
                    for (int64_t x = 0; x < width; x++) {
                        const int64_t y = (image * layer.height + top + row) * layer.width + left + x;
                        const int64_t at = y * layer.outputs + column + channel;
                        Vector value = o[row * tile + x] + bias;
                        if (layer.residual) value += load(layer.residual + at);
                        if (layer.relu) value = value < 0.f ? Vector{} : value;
                        store(layer.y + at, value);
                    }
            }
        }
    }
}
