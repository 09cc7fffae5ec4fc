import Foundation

/// The factor of the learning rates, and Adam's first beta, as functions of the optimizer step.
package struct Schedule: Sendable {
    package let factor: @Sendable (_ step: Int) -> Double
    package let beta1: @Sendable (_ step: Int) -> Double

    /// Linear warm-up, (step + 1) / warm, then half a cosine (Loshchilov & Hutter 2017).
    ///
    /// As in the study, the peak is used twice, and the factor of the last step is above zero.
    ///
    /// - Precondition: `warm < total`.
    package static func cosine(total: Int, warm: Int) -> Schedule {
        precondition(warm < total, "warm-up (\(warm) steps) must be shorter than training (\(total) steps)")
        return Schedule(
            factor: { step in
                if step < warm { return Double(step + 1) / Double(warm) }
                return 0.5 * (1 + cos(.pi * Double(step - warm) / Double(total - warm)))
            },
            beta1: { _ in 0.9 })
    }

    /// PyTorch's one-cycle policy (Smith & Topin 2018), by cosine: from peak / 25 up to the peak
    /// within 30% of the steps, then down to peak / 250,000. Beta1 moves in the opposite direction,
    /// between 0.95 and 0.85.
    package static func oneCycle(total: Int, warmFraction: Double = 0.3) -> Schedule {
        let peak = warmFraction * Double(total) - 1
        let end = Double(total - 1)
        @Sendable func anneal(_ step: Int, _ start: Double, _ top: Double, _ finish: Double) -> Double {
            func blend(_ a: Double, _ b: Double, _ part: Double) -> Double {
                b + (a - b) / 2 * (1 + cos(.pi * part))
            }
            let step = Double(step)
            if step <= peak { return blend(start, top, step / peak) }
            return blend(top, finish, min((step - peak) / max(end - peak, 1e-9), 1))
        }
        return Schedule(
            factor: { anneal($0, 1 / 25, 1, 1 / 25 / 10_000) },
            beta1: { anneal($0, 0.95, 0.85, 0.95) })
    }
}
