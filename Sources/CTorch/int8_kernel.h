// The inner part of int8.cpp, which includes it once for each instruction set. `lanes` is the
// number of sums in a register. `block_pixels` and `most_panels` are the numbers of windows and of
// panels of outputs whose sums fit in the registers.

/// A few windows: their origins, the places of their outputs, and the runs inside the image: those
/// of each window, of any window, and of all windows.
struct Block {
    const uint8_t *origins[block_pixels];
    int64_t places[block_pixels];
    uint64_t inside[block_pixels], some, all;
};

/// Computes `Panels` panels of outputs, from `panel` on, of `Pixels` windows.
template <int Pixels, int Panels>
void convolve(const Layer &layer, const Block &block, int64_t panel) {
    Ints sums[Pixels][Panels] = {};
    const int64_t run_size = layer.length * lanes, panel_size = layer.runs * run_size;
    const int8_t *weights = layer.weights + panel * panel_size;
    for (uint64_t rest = layer.skips ? block.some : ~0ull >> (64 - layer.runs); rest; rest &= rest - 1) {
        const int64_t run = __builtin_ctzll(rest);
        const int8_t *columns = weights + run * run_size;
        const uint8_t *source[Pixels];
#pragma unroll
        for (int pixel = 0; pixel < Pixels; pixel++) source[pixel] = block.origins[pixel] + layer.steps[run];
        if (!(block.all >> run & 1))
            for (int pixel = 0; pixel < Pixels; pixel++)
                if (!(block.inside[pixel] >> run & 1)) source[pixel] = layer.outside;
        for (int64_t k = 0; k < layer.length; k += quad, columns += quad * lanes) {
            Ints column[Panels];
#pragma unroll
            for (int i = 0; i < Panels; i++) column[i] = load(columns + i * panel_size);
#pragma unroll
            for (int pixel = 0; pixel < Pixels; pixel++) {
                int32_t bytes;
                memcpy(&bytes, source[pixel] + k, quad);
                const Ints row = all(bytes);
#pragma unroll
                for (int i = 0; i < Panels; i++) sums[pixel][i] = dot(sums[pixel][i], row, column[i]);
            }
        }
    }
#pragma unroll
    for (int i = 0; i < Panels; i++) {
        const int64_t channel = (panel + i) * lanes;
        const Floats factor = load(layer.factors + channel), offset = load(layer.offsets + channel);
#pragma unroll
        for (int pixel = 0; pixel < Pixels; pixel++) {
            const int64_t at = block.places[pixel] * layer.outputs + channel;
            Floats value = floats(sums[pixel][i]) * factor + offset;
            if (layer.residual) value = (floats(layer.residual + at) - layer.residual_zero) * layer.residual_factor + value;
            // NaN becomes the minimum.
            const Floats least = all(layer.least);
            store(layer.y + at, value > least ? value : least);
        }
    }
}

using Kernel = void (*)(const Layer &, const Block &, int64_t);

template <int Panels>
constexpr auto for_each_count = []<size_t... Index>(std::index_sequence<Index...>) {
    return std::array<Kernel, sizeof...(Index)>{convolve<Index + 1, Panels>...};
}(std::make_index_sequence<block_pixels>());

/// Indexed by panels and pixels.
constexpr auto kernels = []<size_t... Index>(std::index_sequence<Index...>) {
    return std::array{for_each_count<Index + 1>...};
}(std::make_index_sequence<most_panels>());

/// The outputs of a task: enough that fetching its weights pays off.
constexpr int64_t most_blocks = 24, most_places = most_blocks * block_pixels;

/// Groups windows that reach beyond the image in the same way, so that as much of them as possible
/// is skipped: two fifths of the work on maps of 6x3.
class Task {
    struct Kind {
        uint64_t inside;
        int64_t count, next;
    };
    std::vector<Kind> kinds;
    std::array<Block, most_blocks> blocks;

    /// Calls `body` with each place and its image, row and column.
    template <typename Body>
    static void each(const Layer &layer, int64_t first, int64_t last, Body body) {
        int64_t column = first % layer.across, row = first / layer.across % layer.down, image = first / layer.across / layer.down;
        for (int64_t place = first; place < last; place++) {
            body(place, image, row, column);
            if (++column < layer.across) continue;
            column = 0;
            if (++row < layer.down) continue;
            row = 0;
            image++;
        }
    }

    void prepare(const Layer &layer, int64_t first, int64_t last) {
        std::array<size_t, most_places> kind_of;
        kinds.clear();
        size_t kind = 0;
        // Without padding, every window lies inside.
        if (!layer.padding) {
            kinds.push_back({layer.inside_rows[0] & layer.inside_columns[0], last - first, 0});
            std::fill_n(kind_of.begin(), last - first, kind);
        } else {
            each(layer, first, last, [&](int64_t place, int64_t, int64_t row, int64_t column) {
                const uint64_t inside = layer.inside_rows[row] & layer.inside_columns[column];
                if (kind == kinds.size() || kinds[kind].inside != inside) {
                    kind = std::find_if(kinds.begin(), kinds.end(), [&](const Kind &k) { return k.inside == inside; }) - kinds.begin();
                    if (kind == kinds.size()) kinds.push_back({inside, 0, 0});
                }
                kinds[kind].count++;
                kind_of[place - first] = kind;
            });
        }
        int64_t next = 0;
        for (auto &kind : kinds) {
            kind.next = next;
            next += kind.count;
        }
        for (auto &block : blocks) {
            block.some = 0;
            block.all = ~0ull;
        }
        each(layer, first, last, [&](int64_t place, int64_t image, int64_t row, int64_t column) {
            Kind &kind = kinds[kind_of[place - first]];
            Block &block = blocks[kind.next / block_pixels];
            const int64_t index = kind.next++ % block_pixels;
            const int64_t top = row * layer.stride - layer.padding, left = column * layer.stride - layer.padding;
            block.origins[index] = layer.x + ((image * layer.height + top) * layer.width + left) * layer.channels;
            block.places[index] = place;
            block.inside[index] = kind.inside;
            block.some |= kind.inside;
            block.all &= kind.inside;
        });
    }

public:
    /// Computes the outputs at places `first`..<`last`, panels `from`..<`to`, `panels` at a time.
    void run(const Layer &layer, int64_t first, int64_t last, int64_t from, int64_t to, int64_t panels) {
        prepare(layer, first, last);
        for (int64_t panel = from; panel < to; panel += panels) {
            for (int64_t place = first, i = 0; place < last; place += block_pixels, i++) {
                const int64_t pixels = std::min(block_pixels, last - place);
                kernels[std::min(panels, to - panel) - 1][pixels - 1](layer, blocks[i], panel);
            }
        }
    }
};

void convolve_all(const Layer &layer) {
    const int64_t places = layer.images * layer.down * layer.across, blocks = at::ceil_div(places, block_pixels);
    const int64_t all_panels = layer.outputs / lanes, groups = at::ceil_div(all_panels, most_panels), panels = at::ceil_div(all_panels, groups);
    // A few tasks for each thread. If there are few places, each task takes all of them and a share
    // of the outputs, so that weights are fetched once.
    const int64_t wanted = 4 * usable_threads();
    const bool isSmall = blocks < 2 * wanted;
    const int64_t down = std::max(at::ceil_div(blocks, most_blocks), isSmall ? 1 : wanted);
    const int64_t panels_per_task = isSmall ? at::ceil_div(groups, std::min(groups, wanted)) * panels : all_panels;
    in_parallel(down * at::ceil_div(all_panels, panels_per_task), [&](int64_t index) {
        static thread_local Task task;
        const auto place = [&](int64_t part) { return std::min(blocks * part / down * block_pixels, places); };
        const int64_t part = index % down, from = index / down * panels_per_task;
        task.run(layer, place(part), place(part + 1), from, std::min(from + panels_per_task, all_panels), panels);
    });
}

/// Rounds float frames (N, C, H, W), channels-last, to bytes: (N, H + 2 border, W + 2 border, C up
/// to a multiple of `quad`), with a border of zero points.
at::Tensor rounded(const at::Tensor &frames, ct_qparams qparams, int64_t border) {
    const int64_t images = frames.size(0), channels = frames.size(1), height = frames.size(2), width = frames.size(3);
    const int64_t down = height + 2 * border, across = width + 2 * border, padded = at::round_up(channels, quad);
    auto bytes = at::empty({images, down, across, padded}, at::kByte);
    const auto *from = static_cast<const float *>(frames.const_data_ptr()), *end = from + frames.numel();
    auto *to = bytes.mutable_data_ptr<uint8_t>();
    in_parallel(images, [&](int64_t image) {
        memset(to + image * down * across * padded, static_cast<int>(qparams.zero_point), down * across * padded);
        const float factor = 1 / qparams.scale, zero = qparams.zero_point;
        const auto put = [&](uint8_t *target, Floats values) {
            const Floats shifted = values * factor + zero;
            store(target, shifted > 0.f ? shifted : Floats{});
        };
        for (int64_t y = 0; y < height; y++) {
            const float *source = from + (image * height + y) * width * channels;
            uint8_t *target = to + ((image * down + y + border) * across + border) * padded;
            int64_t x = 0;
            // A few pixels of three colours at a time.
            constexpr int64_t pixels = lanes / quad;
            for (; channels == 3 && x + pixels <= width && source + x * 3 + lanes <= end; x += pixels)
                put(target + x * padded, spread(load(source + x * 3)));
            for (; x < width; x++)
                for (int64_t channel = 0; channel < channels; channel++) {
                    uint8_t bytes[lanes];
                    put(bytes, all(source[x * channels + channel]));
                    target[x * padded + channel] = bytes[0];
                }
        }
    });
    return bytes;
}
