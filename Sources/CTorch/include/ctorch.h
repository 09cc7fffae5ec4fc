// The C ABI over libtorch, the only header of it that Swift sees.
//
// One operation is one function. Every C++ exception stops here. A function that can fail takes
// `error` as its last argument. On failure it leaves a message there, which the caller frees with
// `ct_free`, and returns NULL or zero. The caller owns a returned `ct_tensor` and frees it with
// `ct_tensor_free`. Tensor arguments are borrowed.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma clang assume_nonnull begin

typedef struct ct_tensor_object *ct_tensor;
/// Tensors borrowed for the duration of a call.
typedef struct { const ct_tensor _Nonnull *_Nonnull items; size_t count; } ct_list;
/// `message` is NULL at first, and set when a call fails.
typedef struct { char *_Nullable message; } ct_error;

void ct_free(char *_Nullable message);
void ct_tensor_free(ct_tensor tensor);

// Element types and devices are libtorch's own numbers (c10::ScalarType, c10::DeviceType).
enum { ct_uint8 = 0, ct_int32 = 3, ct_int64 = 4, ct_float16 = 5, ct_float32 = 6, ct_float64 = 7, ct_bool = 11, ct_bfloat16 = 15 };
enum { ct_cpu = 0, ct_cuda = 1 };

// MARK: Creation and reading

/// Copies `bytes` (row-major, as many as `shape` and `dtype` need) into a new CPU tensor.
ct_tensor _Nullable ct_from_bytes(const void *bytes, const int64_t *shape, size_t rank, int32_t dtype, ct_error *error);
/// A CPU tensor over memory that is not copied. libtorch calls `release(context)` once, when it no
/// longer needs the memory.
ct_tensor _Nullable ct_from_memory(
    void *memory, const int64_t *shape, size_t rank, int32_t dtype, void *context, void (*release)(void *), ct_error *error);
ct_tensor _Nullable ct_full(const int64_t *shape, size_t rank, double value, int32_t dtype, int32_t device, ct_error *error);
// Draws depend on `seed` alone: each call has its own generator, and libtorch's global one is never
// used.
ct_tensor _Nullable ct_normal(const int64_t *shape, size_t rank, double mean, double std, uint64_t seed, ct_error *error);
ct_tensor _Nullable ct_uniform(const int64_t *shape, size_t rank, double low, double high, uint64_t seed, ct_error *error);
/// Ones with `probability`, zeros otherwise (float32, CPU).
ct_tensor _Nullable ct_bernoulli(const int64_t *shape, size_t rank, double probability, uint64_t seed, ct_error *error);
/// Copies the elements, row-major, into `bytes`; `count` must be exactly their size in bytes.
void ct_copy_bytes(ct_tensor tensor, void *bytes, size_t count, ct_error *error);
size_t ct_rank(ct_tensor tensor);
int64_t ct_size(ct_tensor tensor, size_t dimension);
int64_t ct_count(ct_tensor tensor);
int32_t ct_dtype(ct_tensor tensor);
int32_t ct_device(ct_tensor tensor);
double ct_item(ct_tensor tensor, ct_error *error);

// MARK: Element-wise

ct_tensor _Nullable ct_add(ct_tensor a, ct_tensor b, double alpha, ct_error *error);
ct_tensor _Nullable ct_mul(ct_tensor a, ct_tensor b, ct_error *error);
ct_tensor _Nullable ct_div(ct_tensor a, ct_tensor b, ct_error *error);
ct_tensor _Nullable ct_add_scalar(ct_tensor a, double b, ct_error *error);
ct_tensor _Nullable ct_mul_scalar(ct_tensor a, double b, ct_error *error);
ct_tensor _Nullable ct_tanh(ct_tensor a, ct_error *error);
ct_tensor _Nullable ct_sqrt(ct_tensor a, ct_error *error);
ct_tensor _Nullable ct_relu(ct_tensor a, bool in_place, ct_error *error);
ct_tensor _Nullable ct_silu(ct_tensor a, bool in_place, ct_error *error);
ct_tensor _Nullable ct_hardswish(ct_tensor a, bool in_place, ct_error *error);
ct_tensor _Nullable ct_sigmoid(ct_tensor a, ct_error *error);
ct_tensor _Nullable ct_hardsigmoid(ct_tensor a, ct_error *error);
ct_tensor _Nullable ct_clamp(ct_tensor a, double low, double high, ct_error *error);
ct_tensor _Nullable ct_clamp_in_place(ct_tensor a, double low, double high, ct_error *error);
ct_tensor _Nullable ct_floor_in_place(ct_tensor a, ct_error *error);
ct_tensor _Nullable ct_add_in_place(ct_tensor a, ct_tensor b, double alpha, ct_error *error);
ct_tensor _Nullable ct_mul_in_place(ct_tensor a, ct_tensor b, ct_error *error);
ct_tensor _Nullable ct_add_scalar_in_place(ct_tensor a, double b, ct_error *error);
ct_tensor _Nullable ct_mul_scalar_in_place(ct_tensor a, double b, ct_error *error);
ct_tensor _Nullable ct_masked_fill(ct_tensor a, ct_tensor mask, double value, ct_error *error);
ct_tensor _Nullable ct_less_than(ct_tensor a, ct_tensor b, ct_error *error);
ct_tensor _Nullable ct_equal(ct_tensor a, ct_tensor b, ct_error *error);
bool ct_all_finite(ct_tensor a, ct_error *error);
/// The smallest and the largest element.
void ct_range(ct_tensor a, double *low, double *high, ct_error *error);

// MARK: Reductions and products

ct_tensor _Nullable ct_sum(ct_tensor a, const int64_t *dimensions, size_t count, bool keep, ct_error *error);
ct_tensor _Nullable ct_mean(ct_tensor a, const int64_t *dimensions, size_t count, bool keep, ct_error *error);
ct_tensor _Nullable ct_argmax(ct_tensor a, int64_t dimension, ct_error *error);
ct_tensor _Nullable ct_softmax(ct_tensor a, int64_t dimension, ct_error *error);
ct_tensor _Nullable ct_log_softmax(ct_tensor a, int64_t dimension, ct_error *error);
ct_tensor _Nullable ct_top_k(ct_tensor a, int64_t k, int64_t dimension, ct_tensor _Nullable *_Nonnull indices, ct_error *error);
ct_tensor _Nullable ct_matmul(ct_tensor a, ct_tensor b, ct_error *error);

// MARK: Shape

ct_tensor _Nullable ct_reshape(ct_tensor a, const int64_t *shape, size_t rank, ct_error *error);
ct_tensor _Nullable ct_permute(ct_tensor a, const int64_t *order, size_t rank, ct_error *error);
ct_tensor _Nullable ct_unsqueeze(ct_tensor a, int64_t dimension, ct_error *error);
ct_tensor _Nullable ct_squeeze(ct_tensor a, int64_t dimension, ct_error *error);
ct_tensor _Nullable ct_narrow(ct_tensor a, int64_t dimension, int64_t start, int64_t length, ct_error *error);
ct_tensor _Nullable ct_select(ct_tensor a, int64_t dimension, int64_t index, ct_error *error);
ct_tensor _Nullable ct_index_select(ct_tensor a, int64_t dimension, ct_tensor indices, ct_error *error);
ct_tensor _Nullable ct_scatter(ct_tensor a, int64_t dimension, ct_tensor indices, ct_tensor values, ct_error *error);
ct_tensor _Nullable ct_concatenate(ct_list tensors, int64_t dimension, ct_error *error);
ct_tensor _Nullable ct_pad(ct_tensor a, const int64_t *padding, size_t count, ct_error *error);
ct_tensor _Nullable ct_channel_shuffle(ct_tensor a, int64_t groups, ct_error *error);
ct_tensor _Nullable ct_contiguous(ct_tensor a, bool channels_last, ct_error *error);
ct_tensor _Nullable ct_to(ct_tensor a, int32_t dtype, int32_t device, ct_error *error);
void ct_copy_into(ct_tensor destination, ct_tensor source, ct_error *error);

// MARK: Networks

ct_tensor _Nullable ct_conv2d(
    ct_tensor input, ct_tensor weight, ct_tensor _Nullable bias, int64_t stride, int64_t padding, int64_t groups, ct_error *error);
/// Batch norm, then the sum with `residual` if there is one, then ReLU if `relu`.
ct_tensor _Nullable ct_batch_norm(
    ct_tensor input, ct_tensor weight, ct_tensor bias, ct_tensor running_mean, ct_tensor running_var, bool training,
    double momentum, double epsilon, ct_tensor _Nullable residual, bool relu, ct_error *error);
/// Adds up `values` over all processes, in place, for `ct_synced_batch_norm`.
typedef struct {
    void *context;
    void (*sum)(void *context, double *values, size_t count);
    /// Whether this process's rows count. It takes part in the sums anyway.
    bool counts;
} ct_sums;
/// `ct_batch_norm` in training, with the statistics of all processes' rows. `sums.context` must
/// live until the backward pass.
ct_tensor _Nullable ct_synced_batch_norm(
    ct_tensor input, ct_tensor weight, ct_tensor bias, ct_tensor running_mean, ct_tensor running_var, double momentum,
    double epsilon, ct_tensor _Nullable residual, bool relu, ct_sums sums, ct_error *error);
ct_tensor _Nullable ct_linear(ct_tensor input, ct_tensor weight, ct_tensor _Nullable bias, ct_error *error);
ct_tensor _Nullable ct_max_pool2d(ct_tensor input, int64_t kernel, int64_t stride, int64_t padding, ct_error *error);
enum { ct_cell_rnn = 0, ct_cell_gru = 1, ct_cell_lstm = 2 };
/// One recurrent layer over a packed batch. `data` is (N, F) in time-major packed order,
/// `batch_sizes` int64 on the CPU. Returns the packed output (N, D·H). `final` receives the last
/// hidden states (D, B, H) in the order of the packed batch.
ct_tensor _Nullable ct_recurrent(
    int32_t cell, ct_tensor data, ct_tensor batch_sizes, ct_list parameters,
    int64_t hidden, bool bidirectional, ct_tensor _Nullable *_Nonnull final, ct_error *error);
ct_tensor _Nullable ct_cross_entropy(
    ct_tensor logits, ct_tensor labels, ct_tensor _Nullable class_weights, double label_smoothing, ct_error *error);

// MARK: Single passes over memory (on the CPU, without gradients)

/// (R, H, W, 3) bytes, each colour times its `scale` plus its `shift`: (R, 3, H, W) float32,
/// channels-last.
ct_tensor _Nullable ct_scaled_frames(ct_tensor frames, const float *scale, const float *shift, ct_error *error);
/// A byte q means scale · (q − zero_point).
typedef struct { double scale; int64_t zero_point; } ct_qparams;
/// Rounds (N, C, H, W) to the nearest bytes, channels-last.
ct_tensor _Nullable ct_quantize(ct_tensor a, ct_qparams qparams, ct_error *error);
ct_tensor _Nullable ct_dequantize(ct_tensor a, ct_qparams qparams, ct_error *error);
/// Classifies digits in float32 maps (R, C, h, w) with P places. Each of Q queries scores the
/// places with `looks` (Q, C) and `offsets` (Q, P), and averages the maps by the softmax of the
/// scores. A hidden layer and a classifier of K classes follow. Their weights are (inputs,
/// outputs). Returns (R, Q, K).
ct_tensor _Nullable ct_tied_digits(
    ct_tensor maps, ct_tensor looks, ct_tensor offsets, ct_tensor hidden, ct_tensor hidden_bias, ct_tensor classifier,
    ct_tensor classifier_bias, ct_error *error);

// MARK: Fused convolutions (oneDNN, on the CPU, without gradients)

/// Whether convolutions of this type can be fused on this processor.
bool ct_fuses(int32_t dtype, ct_error *error);
/// Packs a (O, I / groups, K, K) weight in oneDNN's fastest layout for `input`, the four sizes of
/// (N, C, H, W). The result is opaque: only `ct_fused_convolution` can use it.
ct_tensor _Nullable ct_pack_convolution(
    ct_tensor weight, int64_t stride, int64_t padding, int64_t groups, const int64_t *input, ct_error *error);
/// Convolution, bias, the sum with `residual`, and activation, in one pass over memory. `residual`,
/// if given, is overwritten with the result. `activation` is "none", "relu", "relu6", "sigmoid",
/// "swish", "hardswish" or "hardsigmoid"; with a residual, only the first two.
ct_tensor _Nullable ct_fused_convolution(
    ct_tensor input, ct_tensor packed, ct_tensor _Nullable bias, ct_tensor _Nullable residual, int64_t stride, int64_t padding,
    int64_t groups, const char *activation, ct_error *error);

ct_tensor _Nullable ct_quantized_max_pool2d(
    ct_tensor input, int64_t kernel, int64_t stride, int64_t padding, ct_error *error);
/// Rounds a float32 weight to int8, with a scale per output channel (float32, to `weight_scales`).
/// Packs it for input bytes with `qparams`, best for `input`, the four sizes of (N, C, H, W).
ct_tensor _Nullable ct_pack_quantized_convolution(
    ct_tensor weight, int64_t stride, int64_t padding, int64_t groups, const int64_t *input, ct_qparams qparams,
    ct_tensor _Nullable *_Nonnull weight_scales, ct_error *error);
/// Like `ct_fused_convolution`, from bytes to bytes.
ct_tensor _Nullable ct_quantized_convolution(
    ct_tensor input, ct_qparams input_qparams, ct_tensor packed, ct_tensor weight_scales, ct_tensor _Nullable bias,
    ct_tensor _Nullable residual, ct_qparams residual_qparams, int64_t stride, int64_t padding, int64_t groups, bool relu,
    ct_qparams output_qparams, ct_error *error);

/// Whether this processor supports `ct_int8_convolution` with so many sums in a register: 16 needs
/// AVX-512 VNNI, 8 needs AVX-VNNI.
bool ct_has_int8(int64_t lanes);
/// The most sums in a register; 0 if the processor is not supported, or if oneDNN is faster (AMX).
int64_t ct_int8_lanes(void);
/// Whether `ct_int8_convolution` supports this weight: square kernels of at most 8 by 8, O a
/// multiple of 16, and few enough products that no sum overflows.
bool ct_fits_int8(ct_tensor weight);
/// Packs a (O, I, K, K) weight that fits, times a float64 factor per output (O), for input bytes
/// with `input`. `factors` (2, O) receives what turns the sums into bytes with `output`.
///
/// - Parameter lanes: the sums in a register of the convolution that will use the weight.
ct_tensor _Nullable ct_pack_int8(
    ct_tensor weight, ct_tensor _Nullable weight_factors, ct_tensor _Nullable bias, ct_qparams input, ct_qparams output, int64_t lanes,
    ct_tensor _Nullable *_Nonnull factors, ct_error *error);
/// Like `ct_quantized_convolution` with one group, channels-last. The input may also be float32; it
/// is then rounded on the way. Byte input has a multiple of four channels.
ct_tensor _Nullable ct_int8_convolution(
    ct_tensor input, ct_qparams input_qparams, ct_tensor packed, ct_tensor factors, ct_tensor _Nullable residual,
    ct_qparams residual_qparams, int64_t stride, int64_t padding, bool relu, ct_qparams output_qparams, int64_t lanes, ct_error *error);

/// Floats in a register of this processor, 8 or 16, if `ct_winograd_convolution` supports it; else
/// 0.
int64_t ct_winograd_lanes(void);
/// Packs weights (O, I, 3, 3), O and I multiples of 16, times a float64 factor per output (O), for
/// `ct_winograd_convolution`.
///
/// - Parameter lanes: the value of `ct_winograd_lanes`, or 8 if that is 16.
ct_tensor _Nullable ct_pack_winograd(ct_tensor weight, ct_tensor _Nullable factors, int64_t lanes, ct_error *error);
/// Whether `ct_winograd_convolution` is faster than `ct_fused_convolution` for `input`, the four
/// sizes of (N, C, H, W).
bool ct_winograd_pays(const int64_t *input, int32_t dtype, int64_t outputs);
/// Like `ct_fused_convolution` with stride 1, padding 1 and one group, channels-last: float32, or
/// bfloat16 with float32 sums. The bias is float32.
ct_tensor _Nullable ct_winograd_convolution(
    ct_tensor input, ct_tensor packed, ct_tensor _Nullable bias, ct_tensor _Nullable residual, bool relu, ct_error *error);

// MARK: GPUs

/// Convolution, then the sum with `residual` if there is one, then ReLU if `relu`; without
/// gradients.
ct_tensor _Nullable ct_cuda_convolution(
    ct_tensor input, ct_tensor weight, ct_tensor _Nullable bias, ct_tensor _Nullable residual, int64_t stride, int64_t padding,
    int64_t groups, bool relu, ct_error *error);
/// Whether cuDNN measures which of its algorithms is fastest for every new size of convolution.
/// Otherwise it chooses by heuristics.
void ct_tune_convolutions(bool tune);
/// Waits until the GPU has finished its work.
void ct_synchronize(ct_error *error);

typedef struct ct_graph_object *ct_graph;
/// Whether this build can record GPU work.
bool ct_records_graphs(void);
/// Records the GPU work of `body(context)`, for replays with the same tensors. `body` must not wait
/// for the GPU. If `sharing` is given, both graphs use the same memory: a replay of either
/// overwrites the other's results.
ct_graph _Nullable ct_graph_record(
    void (*body)(void *context), void *context, ct_graph _Nullable sharing, ct_error *error);
void ct_graph_replay(ct_graph graph, ct_error *error);
void ct_graph_free(ct_graph graph);

// MARK: Images (uint8 or float)

/// An image (1, C, H, W) warped by the affine map `theta` (2 x 3, row-major). The output at point p
/// is the input at `theta` times p, in coordinates of [-1, 1) from edge to edge; zero if that lies
/// outside.
ct_tensor _Nullable ct_warp(ct_tensor image, const double *theta, ct_error *error);

// MARK: Training

void ct_set_requires_grad(ct_tensor tensor, bool value, ct_error *error);
void ct_backward(ct_tensor loss, ct_error *error);
ct_tensor _Nullable ct_gradient(ct_tensor tensor);
void ct_set_gradient(ct_tensor tensor, ct_tensor gradient, ct_error *error);
void ct_clear_gradient(ct_tensor tensor);
ct_tensor _Nullable ct_detach(ct_tensor tensor, ct_error *error);
/// A copy outside the graph, with the same layout.
ct_tensor _Nullable ct_clone(ct_tensor tensor, ct_error *error);
/// The Euclidean norm of all tensors together, as a scalar tensor.
ct_tensor _Nullable ct_global_norm(ct_list tensors, ct_error *error);
/// Multiplies every tensor in place by the scalar tensor `factor`.
void ct_scale_all(ct_list tensors, ct_tensor factor, ct_error *error);
/// One Adam step in place, by libtorch's fused kernel. `steps` are float32 scalars, which are
/// incremented here.
void ct_adam(
    ct_list parameters, ct_list gradients, ct_list means, ct_list variances, ct_list steps, double rate, double beta1, double beta2, double decay, double epsilon,
    bool decoupled, ct_error *error);
/// Multiplies gradients by `inverse_scale` in place; true if every element was finite.
bool ct_unscale(ct_list gradients, double inverse_scale, ct_error *error);
/// Sets this thread's gradient mode, and returns the former one.
bool ct_set_gradients_enabled(bool enabled);
/// Sets this thread's autocast type for `device`, or switches it off (dtype < 0). Returns the
/// former value.
int32_t ct_set_autocast(int32_t device, int32_t dtype, ct_error *error);

// MARK: Runtime

const char *ct_version(void);
/// The file that libtorch was loaded from.
const char *_Nullable ct_library_path(void);
void ct_set_threads(int32_t count);
int32_t ct_threads(void);
/// Sets how many threads the calling thread's operations may use, without affecting other threads.
/// Returns the former number.
int32_t ct_use_threads(int32_t count);
/// Calls `body(context, index)` for 0..<count, in any order, on libtorch's threads. Each of them
/// then does all operations by itself. If other programs compete for the processors, all calls run
/// on the calling thread. If count is 1, its operations are divided among all threads.
void ct_in_parallel(int64_t count, void *context, void (*body)(void *context, int64_t index));
/// Keeps freed memory for the next allocation instead of returning it to the system, for the rest
/// of the process.
void ct_keep_memory(void);
/// Number of usable CUDA devices. Loads libtorch's CUDA library on first use if it lies beside
/// libtorch.
int32_t ct_cuda_device_count(ct_error *error);
/// The name of a usable CUDA device, to be freed with `ct_free`, and its memory in bytes. NULL if
/// built without CUDA.
char *_Nullable ct_cuda_device_name(int32_t device, uint64_t *bytes, ct_error *error);
/// The code path of libtorch's CPU kernels on this processor, such as "AVX512".
const char *ct_cpu_capability(void);
/// libtorch's own description of its build, to be freed with `ct_free`.
char *_Nullable ct_build_description(ct_error *error);

// MARK: Archives (zip files as torch.save writes them)

typedef struct ct_archive_object *ct_archive;
/// The bytes must outlive the archive.
ct_archive _Nullable ct_archive_open(const void *bytes, size_t count, ct_error *error);
void ct_archive_free(ct_archive archive);
/// The size of a record in bytes, or -1 if there is none of that name.
int64_t ct_archive_size(ct_archive archive, const char *name, ct_error *error);
void ct_archive_read(ct_archive archive, const char *name, void *bytes, size_t count, ct_error *error);

// MARK: Recordings

typedef struct ct_recording_object *ct_recording;
/// Starts to record what this thread asks libtorch to do with `inputs`, and with tensors computed
/// from them. `constants` get the first indices among the tensors that do not depend on the inputs.
/// Others follow in order of appearance.
ct_recording _Nullable ct_recording_begin(ct_list inputs, ct_list constants, ct_error *error);
/// Ends the recording. Returns the steps as JSON, to be freed with `ct_free`: an array of
/// {"operation": "aten::relu", "arguments": […], "results": […]}.
/// A result is the number of a value, counted from the inputs on. Arguments are in the order of the
/// operation's schema, each
/// {"value" | "constant" | "integer" | "number" | "boolean" | "list": {"_0": …}},
/// {"keyword": {"name": …, "value": …}} or {"none": {}}.
/// Keywords with their default value, and devices, are left out.
char *_Nullable ct_recording_end(ct_recording recording, ct_error *error);
void ct_recording_free(ct_recording recording);
/// The number of the value `tensor`, or -1 if it does not depend on the inputs.
int64_t ct_recording_value(ct_recording recording, ct_tensor tensor);
size_t ct_recording_constant_count(ct_recording recording);
ct_tensor _Nullable ct_recording_constant(ct_recording recording, size_t index, ct_error *error);

// MARK: TorchScript, and files as torch.load reads them

typedef struct ct_module_object *ct_module;
/// Compiles methods in TorchScript into a module with `buffers` of these names.
ct_module _Nullable ct_module_compile(
    const char *name, const char *source, const char *const _Nonnull *_Nonnull names, ct_list buffers, ct_error *error);
ct_module _Nullable ct_module_load(const void *bytes, size_t count, ct_error *error);
void ct_module_free(ct_module module);
/// The module's file as a vector of bytes, with `text` under `key` among its extra files.
ct_tensor _Nullable ct_module_bytes(ct_module module, const char *key, const char *text, ct_error *error);
/// Runs `forward`, which returns a dictionary, and returns its entry `output`.
ct_tensor _Nullable ct_module_run(ct_module module, ct_list inputs, const char *output, ct_error *error);
/// {state: {name: tensor}, key: text} as torch.save writes it, as a vector of bytes.
ct_tensor _Nullable ct_pickled_state(
    const char *state, const char *const _Nonnull *_Nonnull names, ct_list tensors, const char *key, const char *text,
    ct_error *error);

#pragma clang assume_nonnull end
#ifdef __cplusplus
}
#endif
