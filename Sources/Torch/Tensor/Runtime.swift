import CTorch
import JerseySupport

/// libtorch as a whole: its threads, devices and version.
public enum Runtime {
    package static var version: String { String(cString: ct_version()) }

    /// The file that libtorch was loaded from.
    package static var libraryPath: String? { ct_library_path().map { String(cString: $0) } }

    /// "AVX512", "AVX2" or "DEFAULT": the code path of libtorch's CPU kernels on this processor.
    package static var cpuCapability: String { String(cString: ct_cpu_capability()) }

    /// The valid numbers of threads.
    package static let threadLimits = 1...1024

    /// How many threads an operation that this thread starts may use, 1...1024.
    public static var threads: Int {
        get { Int(ct_threads()) }
        set { ct_set_threads(Int32(clamping: newValue)) }
    }

    /// Keeps operations on the calling thread, so that worker threads and OpenMP do not compete for
    /// the cores.
    package static func useCallingThreadOnly() {
        _ = ct_use_threads(1)
    }

    /// Runs `body` with its operations on the calling thread. With several threads, a small
    /// operation would wait until the system has given each of them a processor.
    package static func onCallingThread<Result>(_ body: () -> Result) -> Result {
        let threads = ct_use_threads(1)
        defer { _ = ct_use_threads(threads) }
        return body()
    }

    /// Returns the results of `body` for 0..<count. Each call runs on one of libtorch's threads,
    /// which does its operations by itself and without gradients. If other programs compete for the
    /// processors, all calls run on the calling thread, because threads would wait for each other.
    ///
    /// The results are handed to the calling thread, and no other thread keeps them.
    package static func concurrentMap<Result>(_ count: Int, _ body: @Sendable (Int) -> sending Result)
        -> [Result]
    {
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

    /// Keeps freed memory for the next allocation, for the rest of the process. Training allocates
    /// the same large tensors at every step; without this the system clears their pages each time.
    package static func keepMemory() {
        ct_keep_memory()
    }

    /// Usable CUDA devices. libtorch's CUDA library is loaded on first use if it lies beside
    /// libtorch.
    package static var cudaDeviceCount: Int {
        (try? attempt { Int(ct_cuda_device_count($0)) }) ?? 0
    }

    /// A GPU, under the name that its driver gives it.
    package struct GPU: Sendable, CustomStringConvertible {
        package let name: String
        package let bytes: UInt64

        /// "NVIDIA H200, 140 GiB".
        package var description: String { "\(name), \((bytes + 1 << 29) >> 30) GiB" }
    }

    /// The usable CUDA devices. Devices whose name is not available are left out, as in a program
    /// built without CUDA.
    package static var gpus: [GPU] {
        (0..<cudaDeviceCount).compactMap { device in
            var bytes: UInt64 = 0
            guard let name = try? attempt({ ct_cuda_device_name(Int32(device), &bytes, $0) }) else {
                return nil
            }
            defer { ct_free(name) }
            return GPU(name: String(cString: name), bytes: bytes)
        }
    }

    /// Waits until a GPU has finished its work, for time measurements. A CPU always has.
    package static func finish(_ device: Device) {
        if device == .cuda { checked { ct_synchronize($0) } }
    }

    /// Whether cuDNN measures which of its algorithms is fastest for each size of convolution. That
    /// takes a while for every new size. Otherwise cuDNN chooses by heuristics.
    package static func tuneConvolutions(_ tune: Bool) { ct_tune_convolutions(tune) }

    /// libtorch's own description of its build and threading.
    package static var buildDescription: String {
        guard let text = checked({ ct_build_description($0) }) else { return "" }
        defer { ct_free(text) }
        return String(cString: text)
    }
}
