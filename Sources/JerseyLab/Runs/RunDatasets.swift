import Jersey
import Synchronization

/// The data sets of runs, each looked through once.
final class RunDatasets: Sendable {
    private struct Known {
        let config: DataConfig
        let sequences: (all: [FrameSequence], byID: [String: FrameSequence])
    }

    private let known = Mutex<[Known]>([])

    /// Sequences in order, and by their ids.
    ///
    /// - Throws: `FileError` when the data set cannot be read.
    func sequences(_ config: DataConfig) throws -> (all: [FrameSequence], byID: [String: FrameSequence]) {
        try known.withLock { known in
            if let there = known.first(where: { $0.config == config }) { return there.sequences }
            let all = try Dataset(config).sequences
            let byID = Dictionary(all.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
            known.append(Known(config: config, sequences: (all, byID)))
            return (all, byID)
        }
    }
}
