import Jersey
import Torch

/// The sequences of each part of the split.
struct Parts {
    let train: [FrameSequence]
    let val: [FrameSequence]
    let test: [FrameSequence]

    init(_ dataset: Dataset, _ splits: Splits) {
        train = splits.sequences(.train, of: dataset)
        val = splits.sequences(.val, of: dataset)
        test = splits.sequences(.test, of: dataset)
    }

    func check(_ observer: any TrainingObserver) throws {
        guard !train.isEmpty else {
            throw UsageError("the split has no training tracks; use more tracks or other data.ratios")
        }
        if val.isEmpty { observer.say("warning: no validation sequences; the last epoch's weights are kept") }
        if test.isEmpty { observer.say("warning: no test sequences") }
    }

    /// - Throws: `FileError` in a process that has other training sequences than process 0.
    func checkSame(in group: any ProcessGroup, _ config: RunConfig) throws {
        let names = train.flatMap { sequence in
            [sequence.id] + sequence.frames.map { String($0.split(separator: "/").last ?? "") }
        }
        let own = fnv1a(names.joined(separator: "\n"))
        guard try group.shared({ own }) == own else {
            throw FileError(
                config.data.path, "has other files here than where process 0 runs",
                advice: "give all machines the same data set")
        }
    }
}

extension RunConfig {
    /// - Throws: `UsageError` if the run cannot be divided among these processes.
    func checkDivides(among group: any ProcessGroup) throws {
        guard group.size > 1 else { return }
        guard !published else {
            throw UsageError(
                "published is for one process, because the study's padding depends on the whole batch; "
                    + "start one process, or leave out published")
        }
        guard training.batchSize >= group.size else {
            throw UsageError(
                "training.batchSize is \(training.batchSize), too few for \(group.size) processes; "
                    + "start fewer processes, or use a larger batch")
        }
    }
}
