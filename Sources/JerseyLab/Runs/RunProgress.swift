import Foundation
import Jersey

/// `progress.json`: the progress of an active run, for observers. Resuming uses the saved state
/// instead.
package struct RunProgress: Codable, Sendable, Equatable, Checked {
    /// Counts from 1.
    package var epoch: Int
    package var epochs: Int
    /// Completed batches of this epoch.
    package var batch: Int
    package var batches: Int
    /// Training time over all sessions.
    package var seconds: Double

    package var validationError: String? {
        validationError(ofCounts: ["epoch": epoch, "epochs": epochs, "batch": batch, "batches": batches])
            ?? validationError(of: [seconds], "seconds", in: Limits.seconds)
    }

    /// Completed share of the run, 0...1.
    package var share: Double {
        (Double(epoch - 1) + Double(batch) / Double(max(batches, 1))) / Double(max(epochs, 1))
    }

    package init?(contentsOf url: URL) {
        guard let data = try? Data(wholeFile: url.path),
            let value = try? JSON.decoded(RunProgress.self, from: data)
        else {
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

    /// Replaces the file without fsync and ignores errors. Losing it does no harm, and writing
    /// other files reports a full disk.
    package func write(to url: URL) {
        try? AtomicFile.write(JSON.line(self), to: url, synced: false)
    }
}
