import CTorch

/// What a GPU was asked to do, recorded once and done again in one go: to launch many small kernels one by one takes longer than
/// they run.
package final class DeviceGraph {
    /// Whether this build records; else it has no CUDA.
    package static var isAvailable: Bool { ct_records_graphs() }

    private let handle: ct_graph

    /// - Parameters:
    ///   - other: a graph whose memory this one takes as well. A replay of either overwrites what the other has left.
    ///   - body: what to record, done before at least once, so that nothing is made for the first time. It must not wait for the GPU,
    ///     nor send it anything. Every replay overwrites what it leaves in tensors.
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

    /// Asks the GPU to do it again, with what its input tensors hold now.
    package func replay() { checked { ct_graph_replay(handle, $0) } }
}
