/// The optimizer and its learning rates.
package struct OptimizerConfig: Sendable, Equatable {
    package enum Rates: String, Codable, Sendable, CaseIterable {
        /// The study's: uniform for single-frame models, discriminative for others.
        case byPhase = "by-phase"
        case uniform
        case discriminative
    }
    package enum Scheduler: String, Codable, Sendable, CaseIterable {
        case cosine
        case oneCycle = "onecycle"
    }

    package var rates = Rates.byPhase
    package var rate = 1e-3
    package var encoderRate = 1e-4
    package var temporalRate = 3e-4
    package var headRate = 3e-4
    package var weightDecay = 1e-4
    package var decoupled = false
    package var excludeNormAndBias = false
    package var clip = 1.0
    package var scheduler = Scheduler.cosine
    package var warmupEpochs = 1

    package init() {}
}
