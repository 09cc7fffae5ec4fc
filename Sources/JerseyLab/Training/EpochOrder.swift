import Jersey

/// The order of the training sequences in an epoch: a function of seed and epoch.
struct EpochOrder {
    let config: RunConfig

    init(_ config: RunConfig) {
        self.config = config
    }

    func items(_ sequences: [FrameSequence], epoch: Int) -> [BatchLoader.Item] {
        var random = RandomStream(config.seed, UInt64(epoch), 0x6f72_6465_72)
        var occurrences: [String: Int] = [:]
        return order(sequences, &random).map { sequence in
            let occurrence = occurrences[sequence.id, default: 0]
            occurrences[sequence.id] = occurrence + 1
            return BatchLoader.Item(sequence, seed: config.seed, epoch: epoch, occurrence: occurrence)
        }
    }

    private func order(_ sequences: [FrameSequence], _ random: inout RandomStream) -> [FrameSequence] {
        switch config.training.balance {
        case .none: sequences.shuffled(using: &random)
        case .numbers:
            draw(Dictionary(grouping: sequences) { $0.number?.description ?? "" }, sequences.count, &random)
        case .tracks: draw(Dictionary(grouping: sequences, by: \.track), sequences.count, &random)
        }
    }

    /// Draws a random group, then a random sequence of it, `count` times.
    private func draw(_ groups: [String: [FrameSequence]], _ count: Int, _ random: inout RandomStream)
        -> [FrameSequence]
    {
        let sorted = groups.sorted { $0.key < $1.key }.map(\.value)
        return (0..<count).compactMap { _ in
            sorted.randomElement(using: &random)?.randomElement(using: &random)
        }
    }
}
