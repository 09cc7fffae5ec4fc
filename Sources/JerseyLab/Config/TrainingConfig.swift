import Jersey
import Torch

/// Duration, device and loss of a training run.
package struct TrainingConfig: Sendable, Equatable {
    package enum Balance: String, Codable, Sendable, CaseIterable {
        case none
        /// Each number equally often.
        case numbers
        /// Each track equally often, regardless of its number of sequences.
        case tracks
    }

    package var epochs = 30
    package var batchSize = 64
    package var patience = 30
    package var tensWeight = 1.0
    package var onesWeight = 1.0
    package var fullWeight = 0.0
    package var readabilityWeight = 0.3
    package var labelSmoothing = 0.0
    package var logitAdjustment = false
    package var balance = Balance.none
    package var precision = TrainingPrecision.automatic
    package var device = Device.Choice.automatic
    package var threads: Int?
    package var saveEverySteps: Int?
    package var syncBatchNorm = true
    package var processTimeout = 300.0

    package init() {}
}

/// The compute precision of a training run, where lower precision helps.
package enum TrainingPrecision: String, Codable, Sendable, CaseIterable {
    /// float16 on CUDA, as in the study; float32 on the CPU.
    case automatic
    case float32
    case float16
    case bfloat16
}
