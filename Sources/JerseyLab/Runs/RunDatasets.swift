import Jersey
import Synchronization

/// A cache of the runs' data sets, so that each is scanned once.
final class RunDatasets: Sendable {
    private struct Known {
        let config: DataConfig
        let sequences: (all: [FrameSequence], byID: [String: FrameSequence])
    }

    private let known = Mutex<[Known]>([])

    /// Sequences in data set order, and by id.
    ///
    /// - Throws: `FileError` if the data set cannot be read.
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
