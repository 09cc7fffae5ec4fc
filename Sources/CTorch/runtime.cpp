#include <ATen/Config.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <caffe2/serialize/inline_container.h>
#include <caffe2/serialize/read_adapter_interface.h>
#include <dlfcn.h>
#include <malloc.h>
#include <torch/headeronly/version.h>

#include <atomic>
#include <exception>

#include "support.h"

const char *ct_version(void) { return TORCH_VERSION; }

const char *ct_library_path(void) {
    static Dl_info info{};
    return dladdr(reinterpret_cast<void *>(&at::show_config), &info) ? info.dli_fname : nullptr;
}

void ct_set_threads(int32_t count) { at::set_num_threads(count); }

int32_t ct_threads(void) { return at::get_num_threads(); }

void ct_use_calling_thread_only(void) {
    // at::set_num_threads would also change what threads started later inherit. libtorch's first look at the thread count, which
    // sets it to what at::set_num_threads was told, is made to happen before, or it would undo ours.
    at::get_num_threads();
    if (auto set = reinterpret_cast<void (*)(int)>(dlsym(RTLD_DEFAULT, "omp_set_num_threads"))) set(1);
}

int64_t usable_threads(void) { return at::in_parallel_region() ? 1 : at::get_num_threads(); }

void in_parallel(int64_t count, const std::function<void(int64_t)> &task) {
    struct Work {
        const std::function<void(int64_t)> &task;
        const int64_t count;
        std::atomic<int64_t> next = 0;
        std::atomic<bool> failed = false;
        std::exception_ptr failure = nullptr;
        // No exception may leave a thread of the runtime's.
        void run() noexcept {
            try {
                for (int64_t i; (i = next++) < count && !failed;) task(i);
            } catch (...) {
                if (!failed.exchange(true)) failure = std::current_exception();
            }
        }
    } work{task, count};
    // The entry point that GCC's code calls, of the runtime that libtorch has loaded.
    using Parallel = void (*)(void (*)(void *), void *, unsigned, unsigned);
    static const auto parallel = reinterpret_cast<Parallel>(dlsym(RTLD_DEFAULT, "GOMP_parallel"));
    const auto threads = std::min(usable_threads(), count);
    if (!parallel || threads < 2) {
        work.run();
    } else {
        parallel([](void *work) { static_cast<Work *>(work)->run(); }, &work, threads, 0);
    }
    if (work.failure) std::rethrow_exception(work.failure);
}

void ct_in_parallel(int64_t count, void *context, void (*body)(void *, int64_t)) {
    in_parallel(count, [&](int64_t index) { body(context, index); });
}

void ct_keep_memory(void) {
    mallopt(M_MMAP_MAX, 0);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
}

int32_t ct_cuda_device_count(ct_error *error) {
    return guarded(error, [&]() -> int32_t {
        // The library registers its kernels as it is loaded. Builds without CUDA's headers do not link it; it is looked for where the
        // program found libtorch itself.
        static void *library = dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL);
        if (!library || !at::globalContext().hasCUDA()) return 0;
        return at::detail::getCUDAHooks().getNumGPUs();
    });
}

const char *ct_cpu_capability(void) {
    static const std::string capability = at::get_cpu_capability();
    return capability.c_str();
}

char *ct_build_description(ct_error *error) {
    return guarded(error, [&] { return strdup((at::show_config() + at::get_parallel_info()).c_str()); });
}

// MARK: Archives

namespace {
struct MemoryAdapter final : caffe2::serialize::ReadAdapterInterface {
    const char *bytes;
    size_t count;
    MemoryAdapter(const void *bytes, size_t count) : bytes(static_cast<const char *>(bytes)), count(count) {}
    size_t size() const override { return count; }
    size_t read(uint64_t position, void *buffer, size_t length, const char *) const override {
        if (position >= count) return 0;
        length = std::min<size_t>(length, count - position);
        memcpy(buffer, bytes + position, length);
        return length;
    }
};

caffe2::serialize::PyTorchStreamReader &reader_(ct_archive archive) {
    return *reinterpret_cast<caffe2::serialize::PyTorchStreamReader *>(archive);
}
}  // namespace

ct_archive ct_archive_open(const void *bytes, size_t count, ct_error *error) {
    return guarded(error, [&] {
        auto adapter = std::make_shared<MemoryAdapter>(bytes, count);
        return reinterpret_cast<ct_archive>(new caffe2::serialize::PyTorchStreamReader(adapter));
    });
}

void ct_archive_free(ct_archive archive) { delete &reader_(archive); }

int64_t ct_archive_size(ct_archive archive, const char *name, ct_error *error) {
    return guarded(error, [&]() -> int64_t {
        if (!reader_(archive).hasRecord(name)) return -1;
        return static_cast<int64_t>(reader_(archive).getRecordSize(name));
    });
}

void ct_archive_read(ct_archive archive, const char *name, void *bytes, size_t count, ct_error *error) {
    guarded(error, [&] { reader_(archive).getRecord(name, bytes, count); });
}
