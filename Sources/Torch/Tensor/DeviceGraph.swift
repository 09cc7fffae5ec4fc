import CTorch

/// The work of a GPU, recorded once and replayed as a whole (a CUDA graph). Launching many small
/// kernels one by one takes longer than running them.
package final class DeviceGraph {
    /// Whether this build supports recording; builds without CUDA do not.
    package static var isAvailable: Bool { ct_records_graphs() }

    private let handle: ct_graph

    /// - Parameters:
    ///   - other: a graph whose memory this one shares. A replay of either overwrites the other's
    ///     results.
    ///   - body: the work to record. It must have run at least once before, so that recording
    ///     initializes nothing. It must not wait for the GPU, nor send it anything. Every replay
    ///     overwrites the tensors that it produced.
    package init(sharingMemoryOf other: DeviceGraph? = nil, _ body: () -> Void) {
        let handle = withoutActuallyEscaping(body) { body in
            withUnsafePointer(to: body) { pointer in
                checked { error in
                    ct_graph_record(
                        { context in context.assumingMemoryBound(to: (() -> Void).self).pointee() },
                        UnsafeMutableRawPointer(mutating: pointer), other?.handle, error)
                }
            }
        }
        guard let handle else { fatalError("libtorch returned no graph and no error") }
        self.handle = handle
    }

    deinit { ct_graph_free(handle) }

    /// Starts the recorded work again, with the current content of its input tensors.
    package func replay() { checked { ct_graph_replay(handle, $0) } }
}
