import NIOPosix
import Torch

/// Threads for work that keeps a processor busy: parsing bodies, decoding and fitting frames. What waits for them is bounded by
/// `Admission`.
struct DecoderPool: Sendable {
    private let threads: NIOThreadPool

    /// Starts the threads; they stay for the rest of the process.
    init(threads count: Int) {
        threads = NIOThreadPool(numberOfThreads: count)
        threads.start()
    }

    /// - Throws: what `body` throws; `CancellationError` where the task is cancelled before a thread is free.
    func run<Output: Sendable>(_ body: @escaping @Sendable () throws -> Output) async throws -> Output {
        try Task.checkCancellation()
        return try await threads.runIfActive {
            Runtime.useCallingThreadOnly()
            return try body()
        }
    }
}
