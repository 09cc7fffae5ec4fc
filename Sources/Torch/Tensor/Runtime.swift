import CTorch
import JerseySupport

/// libtorch as a whole: its threads, devices and version.
public enum Runtime {
    package static var version: String { String(cString: ct_version()) }

    /// The file that libtorch was loaded from.
    package static var libraryPath: String? { ct_library_path().map { String(cString: $0) } }

    /// "AVX512", "AVX2" or "DEFAULT": the code path of libtorch's CPU kernels on this processor.
    package static var cpuCapability: String { String(cString: ct_cpu_capability()) }

    /// How many threads may be asked for.
    package static let threadLimits = 1...1024

    /// How many threads an operation that this thread starts may use, 1...1024.
    public static var threads: Int {
        get { Int(ct_threads()) }
        set { ct_set_threads(Int32(clamping: newValue)) }
    }

    /// Keeps operations on the calling thread, so that worker threads and OpenMP do not fight over the cores.
    package static func useCallingThreadOnly() {
        _ = ct_use_threads(1)
    }

    /// Does `body` with operations that stay on the calling thread: with several threads, a small one lasts until the system has given
    /// each of them a processor.
    package static func onCallingThread<Result>(_ body: () -> Result) -> Result {
        let threads = ct_use_threads(1)
        defer { _ = ct_use_threads(threads) }
        return body()
    }

    /// What `body` gives for 0..<count, each on one of libtorch's threads, which does its operations by itself and without gradients. Where
    /// other programs want the processors, and threads would wait for each other, all is done on the calling thread.
    ///
    /// What it gives is handed to the calling thread, and no thread keeps it.
    package static func concurrentMap<Result>(_ count: Int, _ body: @Sendable (Int) -> sending Result) -> [Result] {
        [Result](unsafeUninitializedCapacity: count) { results, initialized in
            guard let first = results.baseAddress else { return }
            let work = { (index: Int) in (first + index).initialize(to: withoutGradients { body(index) }) }
            withoutActuallyEscaping(work) { work in
                withUnsafePointer(to: work) { work in
                    ct_in_parallel(Int64(count), UnsafeMutableRawPointer(mutating: work)) { context, index in
                        context.assumingMemoryBound(to: ((Int) -> Void).self).pointee(Int(index))
                    }
                }
            }
            initialized = count
        }
    }

    /// Keeps freed memory for the next allocation, for the rest of the process. Training allocates the same large tensors at every
    /// step; without this the system clears their pages each time.
    package static func keepMemory() {
        ct_keep_memory()
    }

    /// Usable CUDA devices. libtorch's CUDA library is loaded on first use, where it lies beside libtorch.
    package static var cudaDeviceCount: Int {
        (try? attempt { Int(ct_cuda_device_count($0)) }) ?? 0
    }

    /// A GPU as its driver calls it.
    package struct GPU: Sendable, CustomStringConvertible {
        package let name: String
        package let bytes: UInt64

        /// "NVIDIA H200, 140 GiB".
        package var description: String { "\(name), \((bytes + 1 << 29) >> 30) GiB" }
    }

    /// The usable CUDA devices; those are left out whose names cannot be had, as in a program that was built without CUDA.
    package static var gpus: [GPU] {
        (0..<cudaDeviceCount).compactMap { device in
            var bytes: UInt64 = 0
            guard let name = try? attempt({ ct_cuda_device_name(Int32(device), &bytes, $0) }) else { return nil }
            defer { ct_free(name) }
            return GPU(name: String(cString: name), bytes: bytes)
        }
    }

    /// Waits until a GPU has done what it was given, for whoever looks at a clock. A CPU has done it already.
    package static func finish(_ device: Device) {
        if device == .cuda { checked { ct_synchronize($0) } }
    }

    /// Whether cuDNN measures which of its algorithms is the fastest for each size of convolution, which takes a while for every new
    /// one; else it goes by rules.
    package static func tuneConvolutions(_ tune: Bool) { ct_tune_convolutions(tune) }

    /// libtorch's own account of how it was built and of its threading.
    package static var buildDescription: String {
        guard let text = checked({ ct_build_description($0) }) else { return "" }
        defer { ct_free(text) }
        return String(cString: text)
    }
}
