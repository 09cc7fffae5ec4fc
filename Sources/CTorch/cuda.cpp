// What only a GPU does: graphs, and kernels where libtorch has no fast ones. This needs CUDA's
// headers beside libtorch (see Tools/setup.sh). Without them, models run on the GPU by libtorch's
// own operations alone.
#include "support.h"

ct_tensor ct_cuda_convolution(
    ct_tensor input, ct_tensor weight, ct_tensor bias, ct_tensor residual, int64_t stride, int64_t padding, int64_t groups, bool relu,
    ct_error *error) {
    return guarded(error, [&] {
        const at::Tensor &x = at_(input), &w = at_(weight);
        const int64_t strides[] = {stride, stride}, paddings[] = {padding, padding}, dilations[] = {1, 1};
        // cuDNN cannot fuse depthwise convolutions.
        if (relu && groups == 1) {
            return own(
                residual ? at::cudnn_convolution_add_relu(
                               x, w, at_(residual), at::Scalar(1.0), maybe_(bias), strides, paddings, dilations, groups)
                         : at::cudnn_convolution_relu(x, w, maybe_(bias), strides, paddings, dilations, groups));
        }
        auto y = at::conv2d(x, w, maybe_(bias), strides, paddings, dilations, groups);
        if (residual) y.add_(at_(residual));
        return own(relu ? y.relu_() : y);
    });
}

void ct_tune_convolutions(bool tune) { at::globalContext().setBenchmarkCuDNN(tune); }

#ifdef CT_CUDA

#include <ATen/autocast_mode.h>
#include <ATen/core/grad_mode.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/StreamGuard.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAStream.h>
#include <cuda.h>
#include <dlfcn.h>
#include <nvrtc.h>

#include <map>
#include <mutex>

void ct_synchronize(ct_error *error) {
    guarded(error, [] { c10::cuda::device_synchronize(); });
}

// MARK: Graphs

bool ct_records_graphs(void) { return true; }

namespace {
at::cuda::CUDAGraph &graph_(ct_graph graph) { return *reinterpret_cast<at::cuda::CUDAGraph *>(graph); }
}  // namespace

ct_graph ct_graph_record(void (*body)(void *), void *context, ct_graph sharing, ct_error *error) {
    return guarded(error, [&] {
        auto graph = std::make_unique<at::cuda::CUDAGraph>();
        c10::cuda::device_synchronize();
        // The default stream cannot be recorded.
        c10::StreamGuard guard(c10::cuda::getStreamFromPool());
        graph->capture_begin(sharing ? graph_(sharing).pool() : at::cuda::MempoolId_t{0, 0}, cudaStreamCaptureModeThreadLocal);
        body(context);
        graph->capture_end();
        return reinterpret_cast<ct_graph>(graph.release());
    });
}

void ct_graph_replay(ct_graph graph, ct_error *error) {
    guarded(error, [&] { graph_(graph).replay(); });
}

void ct_graph_free(ct_graph graph) { delete &graph_(graph); }

// MARK: Kernels

namespace {
/// A CUDA function. It is looked up, not linked, so that programs start on machines without a
/// driver.
template <typename Function>
Function *function(const char *name) {
    // libtorch's own access to the compiler and the driver. It knows where they are.
    static void *library = dlopen("libcaffe2_nvrtc.so", RTLD_NOW);
    auto found = library ? dlsym(library, name) : nullptr;
    TORCH_CHECK(found, "the CUDA libraries beside libtorch have no ", name);
    return reinterpret_cast<Function *>(found);
}

#define CALL(name, ...) \
    TORCH_CHECK(function<decltype(name)>(#name)(__VA_ARGS__) == 0, "a CUDA call failed: " #name)

CUfunction compiled(const char *name, const char *source, const std::string &definition, int device) {
    int major = 0, minor = 0;
    CALL(cuDeviceGetAttribute, &major, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, device);
    CALL(cuDeviceGetAttribute, &minor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, device);
    const std::string architecture = "--gpu-architecture=sm_" + std::to_string(major * 10 + minor), macro = "-D" + definition;
    const char *options[] = {architecture.c_str(), macro.c_str()};
    nvrtcProgram program;
    CALL(nvrtcCreateProgram, &program, source, name, 0, nullptr, nullptr);
    CALL(nvrtcCompileProgram, program, 2, options);
    size_t size = 0;
    CALL(nvrtcGetCUBINSize, program, &size);
    std::string code(size, '\0');
    CALL(nvrtcGetCUBIN, program, code.data());
    CALL(nvrtcDestroyProgram, &program);
    CUmodule module;
    CUfunction entry;
    CALL(cuModuleLoadData, &module, code.data());
    CALL(cuModuleGetFunction, &entry, module, name);
    return entry;
}

/// A kernel for the current device, compiled on first use; null if that fails.
CUfunction kernel(const char *name, const char *source, const std::string &definition) {
    static std::mutex mutex;
    static std::map<std::tuple<int, std::string, std::string>, CUfunction> kernels;
    std::lock_guard lock(mutex);
    const int device = c10::cuda::current_device();
    auto [place, isNew] = kernels.try_emplace({device, name, definition});
    if (isNew) {
        try {
            place->second = compiled(name, source, definition, device);
        } catch (const c10::Error &e) {
            TORCH_WARN("continuing with libtorch's own operations: ", e.what_without_backtrace());
        }
    }
    return place->second;
}

void launch(CUfunction kernel, dim3 blocks, unsigned threads, void **arguments) {
    CALL(
        cuLaunchKernel, kernel, blocks.x, blocks.y, 1, threads, 1, 1, 0, c10::cuda::getCurrentCUDAStream().stream(), arguments,
        nullptr);
}

bool is_reading(const at::Tensor &x) { return x.is_cuda() && !at::GradMode::is_enabled(); }
}  // namespace

char *ct_cuda_device_name(int32_t device, uint64_t *bytes, ct_error *error) {
    return guarded(error, [&] {
        CUdevice found;
        char text[256] = {};
        size_t size = 0;
        CALL(cuInit, 0);
        CALL(cuDeviceGet, &found, device);
        CALL(cuDeviceGetName, text, sizeof(text) - 1, found);
        // The versioned name: `cuDeviceTotalMem` itself is an old function that counts in 32 bits.
        CALL(cuDeviceTotalMem_v2, &size, found);
        *bytes = size;
        return strdup(text);
    });
}

// libtorch's kernel is written for channels first and also stores where each maximum came from. It
// takes 30% of the time of ResNet-18 in float16. This one reads 16 bytes of channels at a time.
std::optional<at::Tensor> cuda_max_pool(const at::Tensor &x, int64_t kernel_size, int64_t stride, int64_t padding) {
    static const char *source = R"(
#if TYPE == 5
#define LOWEST 0xFC00FC00u
#define TAKE(a, b) asm("max.NaN.f16x2 %0, %0, %1;" : "+r"(a) : "r"(b))
#elif TYPE == 15
#define LOWEST 0xFF80FF80u
#define TAKE(a, b) asm("max.NaN.bf16x2 %0, %0, %1;" : "+r"(a) : "r"(b))
#else
#define LOWEST 0xFF800000u
#define TAKE(a, b) asm("max.NaN.f32 %0, %0, %1;" : "+r"(a) : "r"(b))
#endif
extern "C" __global__ void max_pool(
    const uint4 *x, uint4 *y, long long count, int channels, int height, int width, int out_height, int out_width, int kernel,
    int stride, int padding) {
  long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
  if (i >= count) return;
  long long place = i / channels;
  int left = int(place % out_width) * stride - padding;
  place /= out_width;
  int top = int(place % out_height) * stride - padding;
  x += place / out_height * height * width * channels + i % channels;
  uint4 best = {LOWEST, LOWEST, LOWEST, LOWEST};
  for (int row = max(top, 0); row < min(top + kernel, height); row++)
    for (int column = max(left, 0); column < min(left + kernel, width); column++) {
      uint4 v = x[(row * width + column) * channels];
      TAKE(best.x, v.x);
      TAKE(best.y, v.y);
      TAKE(best.z, v.z);
      TAKE(best.w, v.w);
    }
  y[i] = best;
})";
    const auto type = x.scalar_type();
    const int64_t lanes = 16 / x.element_size();
    if (!is_reading(x) || x.dim() != 4 || x.size(1) % lanes || !x.is_contiguous(at::MemoryFormat::ChannelsLast)) return {};
    if (type != at::kHalf && type != at::kBFloat16 && type != at::kFloat) return {};
    auto side = [&](int64_t size) { return (size + 2 * padding - kernel_size) / stride + 1; };
    c10::DeviceGuard guard(x.device());
    const auto pool = kernel("max_pool", source, "TYPE=" + std::to_string(static_cast<int>(type)));
    if (!pool) return {};
    auto y = at::empty({x.size(0), x.size(1), side(x.size(2)), side(x.size(3))}, x.options(), at::MemoryFormat::ChannelsLast);
    const void *from = x.const_data_ptr();
    void *to = y.data_ptr();
    long long count = y.numel() / lanes;
    int channels = x.size(1) / lanes, height = x.size(2), width = x.size(3), out_height = y.size(2), out_width = y.size(3);
    int size = kernel_size, step = stride, border = padding;
    void *arguments[] = {&from, &to, &count, &channels, &height, &width, &out_height, &out_width, &size, &step, &border};
    launch(pool, dim3((count + 255) / 256), 256, arguments);
    return y;
}

// cuDNN runs one direction after the other, step by step. Here each sequence and direction has its
// own block of threads. They keep the weights in registers, so that a step takes a few hundred
// cycles.
std::optional<std::pair<at::Tensor, at::Tensor>> cuda_gru(
    const at::Tensor &data, const at::Tensor &batch_sizes, const std::vector<at::Tensor> &weights, int64_t hidden) {
    constexpr int64_t width = 128, times = 512;
    // r, z and n of Cho et al. 2014, in PyTorch's order. Thread r computes row r of the weights.
    // `rows` holds where the frames of each time step start.
    static const char *source = R"(
struct Starts { int rows[TIMES + 1]; };
extern "C" __global__ void __launch_bounds__(384) gru(
    const float *inputs, const float *inputs_back, const float *weights, const float *weights_back, const float *bias,
    const float *bias_back, float *states, float *last, Starts starts, int longest) {
  __shared__ float4 before[32];
  __shared__ float gates[384], news[128];
  float *state = (float *)before;
  int sequence = blockIdx.x, row = threadIdx.x;
  bool back = blockIdx.y == 1;
  const float *x = back ? inputs_back : inputs;
  const float4 *mine = (const float4 *)(back ? weights_back : weights) + row * 32;
  float4 w[32];
#pragma unroll
  for (int k = 0; k < 32; k++) w[k] = mine[k];
  float b = (back ? bias_back : bias)[row];
  int length = 0;
  while (length < longest && starts.rows[length + 1] - starts.rows[length] > sequence) length++;
  if (row < 128) state[row] = 0;
  float next = x[(long long)(starts.rows[back ? length - 1 : 0] + sequence) * 384 + row];
  __syncthreads();
  for (int step = 0; step < length; step++) {
    int time = back ? length - 1 - step : step;
    float given = next;
    if (step + 1 < length) next = x[(long long)(starts.rows[back ? time - 1 : time + 1] + sequence) * 384 + row];
    float s0 = b, s1 = 0, s2 = 0, s3 = 0;
#pragma unroll
    for (int k = 0; k < 32; k++) {
      float4 h = before[k];
      s0 += w[k].x * h.x;
      s1 += w[k].y * h.y;
      s2 += w[k].z * h.z;
      s3 += w[k].w * h.w;
    }
    float sum = (s0 + s1) + (s2 + s3);
    if (row < 256) {
      gates[row] = 1 / (1 + expf(-(given + sum)));
    } else {
      gates[row] = sum;
      news[row - 256] = given;
    }
    __syncthreads();
    if (row < 128) {
      float fresh = tanhf(news[row] + gates[row] * gates[256 + row]);
      float now = fresh + gates[128 + row] * (state[row] - fresh);
      state[row] = now;
      states[((long long)(starts.rows[time] + sequence) * gridDim.y + blockIdx.y) * 128 + row] = now;
    }
    __syncthreads();
  }
  if (row < 128) last[((long long)blockIdx.y * gridDim.x + sequence) * 128 + row] = state[row];
})";
    const auto *sizes = static_cast<const int64_t *>(batch_sizes.const_data_ptr());
    if (!is_reading(data) || data.scalar_type() != at::kFloat || hidden != width || batch_sizes.numel() > times) return {};
    if (weights[0].scalar_type() != at::kFloat || at::autocast::is_autocast_enabled(at::kCUDA)) return {};
    c10::DeviceGuard guard(data.device());
    const auto gru = kernel("gru", source, "TIMES=" + std::to_string(times));
    if (!gru) return {};
    struct {
        int rows[times + 1] = {};
    } starts;
    int longest = batch_sizes.numel();
    for (int time = 0; time < longest; time++) starts.rows[time + 1] = starts.rows[time] + sizes[time];
    const unsigned directions = weights.size() / 4, sequences = sizes[0];
    auto states = at::empty({data.size(0), directions * width}, data.options());
    auto last = at::empty({directions, sequences, width}, data.options());
    std::vector<at::Tensor> kept;
    const void *inputs[2] = {}, *recurrent[2] = {}, *bias[2] = {};
    for (unsigned way = 0; way < directions; way++) {
        const auto *w = &weights[4 * way];
        kept.push_back(at::addmm(w[2], data, w[0].t()));
        inputs[way] = kept.back().const_data_ptr();
        kept.push_back(w[1].contiguous());
        recurrent[way] = kept.back().const_data_ptr();
        bias[way] = w[3].const_data_ptr();
    }
    void *to = states.data_ptr(), *end = last.data_ptr();
    void *arguments[] = {&inputs[0], &inputs[1], &recurrent[0], &recurrent[1], &bias[0], &bias[1], &to, &end, &starts, &longest};
    launch(gru, dim3(sequences, directions), 3 * width, arguments);
    return std::pair(states, last);
}

#else

namespace {
[[noreturn]] void missing() { TORCH_CHECK(false, "jersey was built without CUDA: run `JERSEY_TORCH_CUDA=1 make setup` and build again"); }
}  // namespace

void ct_synchronize(ct_error *error) {
    guarded(error, [] { missing(); });
}

char *ct_cuda_device_name(int32_t, uint64_t *, ct_error *) { return nullptr; }

bool ct_records_graphs(void) { return false; }

ct_graph ct_graph_record(void (*)(void *), void *, ct_graph, ct_error *error) {
    return guarded(error, []() -> ct_graph { missing(); });
}

void ct_graph_replay(ct_graph, ct_error *error) {
    guarded(error, [] { missing(); });
}

void ct_graph_free(ct_graph) {}

std::optional<at::Tensor> cuda_max_pool(const at::Tensor &, int64_t, int64_t, int64_t) { return {}; }

std::optional<std::pair<at::Tensor, at::Tensor>> cuda_gru(
    const at::Tensor &, const at::Tensor &, const std::vector<at::Tensor> &, int64_t) {
    return {};
}

#endif
