import Foundation
import Jersey

/// Where a run at work is: `progress.json`, for whoever watches. A run is taken up again from its state, not from this.
package struct RunProgress: Codable, Sendable, Equatable, Checked {
    /// From 1.
    package var epoch: Int
    package var epochs: Int
    /// Batches of this epoch that are done.
    package var batch: Int
    package var batches: Int
    /// Training time of all sessions.
    package var seconds: Double

    package var validationError: String? {
        validationError(ofCounts: ["epoch": epoch, "epochs": epochs, "batch": batch, "batches": batches])
            ?? validationError(of: [seconds], "seconds", in: Limits.seconds)
    }

    /// Share of the run that is done, 0...1.
    package var share: Double {
        (Double(epoch - 1) + Double(batch) / Double(max(batches, 1))) / Double(max(epochs, 1))
    }

    package init?(contentsOf url: URL) {
        guard let data = try? Data(wholeFile: url.path), let value = try? JSON.decoded(RunProgress.self, from: data) else {
            return nil
        }
        self = value
    }

    package init(epoch: Int, epochs: Int, batch: Int, batches: Int, seconds: Double) {
        self.epoch = epoch
        self.epochs = epochs
        self.batch = batch
        self.batches = batches
        self.seconds = seconds
    }

    /// Replaces the file, without making sure of the disk: nothing is lost with it, and a full disk is found out elsewhere.
    package func write(to url: URL) {
        try? AtomicFile.write(JSON.line(self), to: url, synced: false)
    }
}
