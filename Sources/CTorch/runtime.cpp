#include <ATen/Config.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <caffe2/serialize/inline_container.h>
#include <caffe2/serialize/read_adapter_interface.h>
#include <dlfcn.h>
#include <malloc.h>
#include <torch/headeronly/version.h>

#include "support.h"

// Programs look for libtorch where it was when they were built. SwiftPM accepts no rpath from a
// pkg-config file, and none from the manifest of a dependency. But the Swift compiler passes the
// content of this section on to the linker: Swift modules name the libraries that they need in it.
__asm__(
    ".pushsection .swift1_autolink_entries, \"e\", @progbits\n"
    ".asciz \"'-Wl,-rpath," JERSEY_LIBTORCH_LIBRARIES "'\"\n"
    ".popsection");

const char *ct_version(void) { return TORCH_VERSION; }

const char *ct_library_path(void) {
    static Dl_info info{};
    return dladdr(reinterpret_cast<void *>(&at::show_config), &info) ? info.dli_fname : nullptr;
}

void ct_set_threads(int32_t count) { at::set_num_threads(count); }

int32_t ct_threads(void) { return at::get_num_threads(); }

void ct_keep_memory(void) {
    mallopt(M_MMAP_MAX, 0);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
}

int32_t ct_cuda_device_count(ct_error *error) {
    return guarded(error, [&]() -> int32_t {
        // The library registers its kernels when it is loaded. Builds without CUDA's headers do not
        // link it, so it is looked for where the program found libtorch.
        static void *library = dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL);
        if (!library || !at::globalContext().hasCUDA()) return 0;
        return at::detail::getCUDAHooks().getNumGPUs();
    });
}

const char *ct_cpu_capability(void) {
    static const std::string capability = at::get_cpu_capability();
    return capability.c_str();
}

bool has_avx512(void) { return at::get_cpu_capability() == "AVX512"; }

bool has_avx2(void) {
#if defined(__x86_64__)
    return (has_avx512() || at::get_cpu_capability() == "AVX2") && __builtin_cpu_supports("fma");
#else
    return false;
#endif
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
