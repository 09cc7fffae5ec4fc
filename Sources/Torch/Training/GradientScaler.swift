import CTorch

/// Dynamic loss scaling for float16 (Micikevicius et al. 2018), with PyTorch's constants.
package struct GradientScaler: Codable, Sendable, Equatable {
    package private(set) var scale: Double = 65_536
    private var goodSteps = 0

    package init() {}

    /// What is wrong with a scaler from a file; nil if nothing is.
    package var validationError: String? {
        if !(1e-30...1e30 ~= scale) { return "scale \(scale)" }
        return 0..<2000 ~= goodSteps ? nil : "goodSteps \(goodSteps)"
    }

    /// Divides the gradients by the scale.
    ///
    /// - Returns: false if a gradient was infinite or NaN. The scale has then been halved, and the
    ///   step must be skipped.
    package mutating func unscale(_ tensors: [Tensor]) -> Bool {
        let gradients = tensors.compactMap(\.gradient)
        guard !gradients.isEmpty else { return true }
        let finite = withoutGradients {
            gradients.withList { list in checked { ct_unscale(list, 1 / scale, $0) } }
        }
        if !finite {
            scale /= 2
            goodSteps = 0
            return false
        }
        goodSteps += 1
        if goodSteps == 2000 {
            scale *= 2
            goodSteps = 0
        }
        return true
    }
}
