#include <ATen/CPUGeneratorImpl.h>

#include "support.h"

void ct_free(char *message) { free(message); }
void ct_tensor_free(ct_tensor tensor) { delete reinterpret_cast<at::Tensor *>(tensor); }

static at::TensorOptions options_(int32_t dtype, int32_t device) {
    return at::TensorOptions().dtype(static_cast<at::ScalarType>(dtype)).device(static_cast<at::DeviceType>(device));
}

/// libtorch's generator uses only the lower 32 bits of its seed.
static at::Generator generator_(uint64_t seed) { return at::detail::createCPUGenerator(seed ^ seed >> 32); }

// MARK: Creation and reading

ct_tensor ct_from_bytes(const void *bytes, const int64_t *shape, size_t rank, int32_t dtype, ct_error *error) {
    return guarded(error, [&] {
        auto view = at::from_blob(const_cast<void *>(bytes), ints_(shape, rank), options_(dtype, ct_cpu));
        return own(view.clone());
    });
}

ct_tensor ct_from_memory(
    void *memory, const int64_t *shape, size_t rank, int32_t dtype, void *context, void (*release)(void *), ct_error *error) {
    return guarded(error, [&] {
        auto deleter = [context, release](void *) { release(context); };
        return own(at::from_blob(memory, ints_(shape, rank), deleter, options_(dtype, ct_cpu)));
    });
}

ct_tensor ct_full(const int64_t *shape, size_t rank, double value, int32_t dtype, int32_t device, ct_error *error) {
    return guarded(error, [&] { return own(at::full(ints_(shape, rank), value, options_(dtype, device))); });
}

ct_tensor ct_normal(const int64_t *shape, size_t rank, double mean, double std, uint64_t seed, ct_error *error) {
    return guarded(error, [&] { return own(at::empty(ints_(shape, rank)).normal_(mean, std, generator_(seed))); });
}

ct_tensor ct_uniform(const int64_t *shape, size_t rank, double low, double high, uint64_t seed, ct_error *error) {
    return guarded(error, [&] { return own(at::empty(ints_(shape, rank)).uniform_(low, high, generator_(seed))); });
}

ct_tensor ct_bernoulli(const int64_t *shape, size_t rank, double probability, uint64_t seed, ct_error *error) {
    return guarded(error, [&] { return own(at::empty(ints_(shape, rank)).bernoulli_(probability, generator_(seed))); });
}

void ct_copy_bytes(ct_tensor tensor, void *bytes, size_t count, ct_error *error) {
    guarded(error, [&] {
        auto host = at_(tensor).detach().to(at::kCPU).contiguous();
        TORCH_CHECK(host.nbytes() == count, "expected ", host.nbytes(), " bytes, asked for ", count);
        memcpy(bytes, host.const_data_ptr(), count);
    });
}

size_t ct_rank(ct_tensor tensor) { return static_cast<size_t>(at_(tensor).dim()); }
int64_t ct_size(ct_tensor tensor, size_t dimension) { return at_(tensor).sizes()[dimension]; }
int64_t ct_count(ct_tensor tensor) { return at_(tensor).numel(); }
int32_t ct_dtype(ct_tensor tensor) { return static_cast<int32_t>(at_(tensor).scalar_type()); }
int32_t ct_device(ct_tensor tensor) { return static_cast<int32_t>(at_(tensor).device().type()); }
double ct_item(ct_tensor tensor, ct_error *error) {
    return guarded(error, [&] { return at_(tensor).item().toDouble(); });
}

// MARK: Element-wise

ct_tensor ct_add(ct_tensor a, ct_tensor b, double alpha, ct_error *error) {
    return guarded(error, [&] { return own(at_(a).add(at_(b), alpha)); });
}
ct_tensor ct_mul(ct_tensor a, ct_tensor b, ct_error *error) {
    return guarded(error, [&] { return own(at_(a).mul(at_(b))); });
}
ct_tensor ct_div(ct_tensor a, ct_tensor b, ct_error *error) {
    return guarded(error, [&] { return own(at_(a).div(at_(b))); });
}
ct_tensor ct_add_scalar(ct_tensor a, double b, ct_error *error) {
    return guarded(error, [&] { return own(at_(a).add(b)); });
}
ct_tensor ct_mul_scalar(ct_tensor a, double b, ct_error *error) {
    return guarded(error, [&] { return own(at_(a).mul(b)); });
}
ct_tensor ct_sqrt(ct_tensor a, ct_error *error) {
    return guarded(error, [&] { return own(at_(a).sqrt()); });
}

ct_tensor ct_tanh(ct_tensor a, ct_error *error) {
    return guarded(error, [&] { return own(at_(a).tanh()); });
}
ct_tensor ct_relu(ct_tensor a, bool in_place, ct_error *error) {
    return guarded(error, [&] { return own(in_place ? at_(a).relu_() : at_(a).relu()); });
}
ct_tensor ct_silu(ct_tensor a, bool in_place, ct_error *error) {
    return guarded(error, [&] { return own(in_place ? at::silu_(at_(a)) : at::silu(at_(a))); });
}
ct_tensor ct_hardswish(ct_tensor a, bool in_place, ct_error *error) {
    return guarded(error, [&] { return own(in_place ? at::hardswish_(at_(a)) : at::hardswish(at_(a))); });
}
ct_tensor ct_sigmoid(ct_tensor a, ct_error *error) {
    return guarded(error, [&] { return own(at_(a).sigmoid()); });
}
ct_tensor ct_hardsigmoid(ct_tensor a, ct_error *error) {
    return guarded(error, [&] { return own(at::hardsigmoid(at_(a))); });
}
ct_tensor ct_clamp(ct_tensor a, double low, double high, ct_error *error) {
    return guarded(error, [&] { return own(at_(a).clamp(low, high)); });
}
ct_tensor ct_clamp_in_place(ct_tensor a, double low, double high, ct_error *error) {
    return guarded(error, [&] { return own(at_(a).clamp_(low, high)); });
}
ct_tensor ct_floor_in_place(ct_tensor a, ct_error *error) {
    return guarded(error, [&] { return own(at_(a).floor_()); });
}
ct_tensor ct_add_in_place(ct_tensor a, ct_tensor b, double alpha, ct_error *error) {
    return guarded(error, [&] { return own(at_(a).add_(at_(b), alpha)); });
}
ct_tensor ct_mul_in_place(ct_tensor a, ct_tensor b, ct_error *error) {
    return guarded(error, [&] { return own(at_(a).mul_(at_(b))); });
}
ct_tensor ct_add_scalar_in_place(ct_tensor a, double b, ct_error *error) {
    return guarded(error, [&] { return own(at_(a).add_(b)); });
}
ct_tensor ct_mul_scalar_in_place(ct_tensor a, double b, ct_error *error) {
    return guarded(error, [&] { return own(at_(a).mul_(b)); });
}
ct_tensor ct_masked_fill(ct_tensor a, ct_tensor mask, double value, ct_error *error) {
    return guarded(error, [&] { return own(at_(a).masked_fill(at_(mask), value)); });
}
ct_tensor ct_less_than(ct_tensor a, ct_tensor b, ct_error *error) {
    return guarded(error, [&] { return own(at_(a).lt(at_(b))); });
}
ct_tensor ct_equal(ct_tensor a, ct_tensor b, ct_error *error) {
    return guarded(error, [&] { return own(at_(a).eq(at_(b))); });
}
bool ct_all_finite(ct_tensor a, ct_error *error) {
    return guarded(error, [&] { return at_(a).isfinite().all().item<bool>(); });
}

void ct_range(ct_tensor a, double *low, double *high, ct_error *error) {
    guarded(error, [&] {
        auto [least, greatest] = at::aminmax(at_(a));
        *low = least.item<double>();
        *high = greatest.item<double>();
    });
}

// MARK: Reductions and products

ct_tensor ct_sum(ct_tensor a, const int64_t *dimensions, size_t count, bool keep, ct_error *error) {
    return guarded(error, [&] { return own(at_(a).sum(ints_(dimensions, count), keep)); });
}
ct_tensor ct_mean(ct_tensor a, const int64_t *dimensions, size_t count, bool keep, ct_error *error) {
    return guarded(error, [&] { return own(at_(a).mean(ints_(dimensions, count), keep)); });
}
ct_tensor ct_argmax(ct_tensor a, int64_t dimension, ct_error *error) {
    return guarded(error, [&] { return own(at_(a).argmax(dimension)); });
}
ct_tensor ct_softmax(ct_tensor a, int64_t dimension, ct_error *error) {
    return guarded(error, [&] { return own(at_(a).softmax(dimension)); });
}
ct_tensor ct_log_softmax(ct_tensor a, int64_t dimension, ct_error *error) {
    return guarded(error, [&] { return own(at_(a).log_softmax(dimension)); });
}
ct_tensor ct_top_k(ct_tensor a, int64_t k, int64_t dimension, ct_tensor *indices, ct_error *error) {
    return guarded(error, [&] {
        auto [values, positions] = at_(a).topk(k, dimension);
        *indices = own(positions);
        return own(values);
    });
}
ct_tensor ct_matmul(ct_tensor a, ct_tensor b, ct_error *error) {
    return guarded(error, [&] { return own(at_(a).matmul(at_(b))); });
}

// MARK: Shape

ct_tensor ct_reshape(ct_tensor a, const int64_t *shape, size_t rank, ct_error *error) {
    return guarded(error, [&] { return own(at_(a).reshape(ints_(shape, rank))); });
}
ct_tensor ct_permute(ct_tensor a, const int64_t *order, size_t rank, ct_error *error) {
    return guarded(error, [&] { return own(at_(a).permute(ints_(order, rank))); });
}
ct_tensor ct_unsqueeze(ct_tensor a, int64_t dimension, ct_error *error) {
    return guarded(error, [&] { return own(at_(a).unsqueeze(dimension)); });
}
ct_tensor ct_squeeze(ct_tensor a, int64_t dimension, ct_error *error) {
    return guarded(error, [&] { return own(at_(a).squeeze(dimension)); });
}
ct_tensor ct_narrow(ct_tensor a, int64_t dimension, int64_t start, int64_t length, ct_error *error) {
    return guarded(error, [&] { return own(at_(a).narrow(dimension, start, length)); });
}
ct_tensor ct_select(ct_tensor a, int64_t dimension, int64_t index, ct_error *error) {
    return guarded(error, [&] { return own(at_(a).select(dimension, index)); });
}
ct_tensor ct_index_select(ct_tensor a, int64_t dimension, ct_tensor indices, ct_error *error) {
    return guarded(error, [&] { return own(at_(a).index_select(dimension, at_(indices))); });
}
ct_tensor ct_scatter(ct_tensor a, int64_t dimension, ct_tensor indices, ct_tensor values, ct_error *error) {
    return guarded(error, [&] { return own(at_(a).scatter(dimension, at_(indices), at_(values))); });
}
ct_tensor ct_concatenate(ct_list tensors, int64_t dimension, ct_error *error) {
    return guarded(error, [&] { return own(at::cat(list_(tensors), dimension)); });
}
ct_tensor ct_pad(ct_tensor a, const int64_t *padding, size_t count, ct_error *error) {
    return guarded(error, [&] { return own(at::constant_pad_nd(at_(a), ints_(padding, count), 0)); });
}
ct_tensor ct_channel_shuffle(ct_tensor a, int64_t groups, ct_error *error) {
    return guarded(error, [&] { return own(at::channel_shuffle(at_(a), groups)); });
}
ct_tensor ct_contiguous(ct_tensor a, bool channels_last, ct_error *error) {
    return guarded(error, [&] {
        return own(at_(a).contiguous(channels_last ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous));
    });
}
ct_tensor ct_to(ct_tensor a, int32_t dtype, int32_t device, ct_error *error) {
    return guarded(error, [&] { return own(at_(a).to(options_(dtype, device))); });
}
void ct_copy_into(ct_tensor destination, ct_tensor source, ct_error *error) {
    guarded(error, [&] { at_(destination).copy_(at_(source)); });
}
