import CTorch

/// Adam (Kingma & Ba 2015) over groups of parameters, each with its own learning rate.
///
/// Weight decay is added to the gradient (L2), as in the study; `decoupled` makes it AdamW
/// (Loshchilov & Hutter 2019).
package final class Adam {
    /// Parameters that share a learning rate.
    package struct Group {
        package let name: String
        package let rate: Double
        package let decay: Double
        package let entries: [Entry]

        package init(name: String, rate: Double, decay: Double, entries: [Entry]) {
            self.name = name
            self.rate = rate
            self.decay = decay
            self.entries = entries
        }
    }

    private struct Moments {
        let mean: Tensor
        let variance: Tensor
        let steps: Tensor
    }

    package let groups: [Group]
    package let epsilon: Double
    package let decoupled: Bool
    private var moments: [String: Moments] = [:]

    package init(_ groups: [Group], epsilon: Double = 1e-8, decoupled: Bool = false) {
        self.groups = groups
        self.epsilon = epsilon
        self.decoupled = decoupled
        for entry in groups.flatMap(\.entries) {
            // Moments get the layout of their parameter. Otherwise the fused kernel would convert
            // them at every step.
            func zeros() -> Tensor { withoutGradients { entry.tensor.detached() * 0 } }
            moments[entry.name] = Moments(
                mean: zeros(), variance: zeros(), steps: .zeros([], device: entry.tensor.device))
        }
    }

    /// Updates every parameter that has a gradient.
    ///
    /// - Parameters:
    ///   - factor: the schedule's factor for every rate at this step.
    ///   - betas: decay rates of the two moments.
    package func step(factor: Double = 1, betas: (Double, Double) = (0.9, 0.999)) {
        withoutGradients {
            for group in groups {
                let live = group.entries.filter { $0.tensor.gradient != nil }
                if live.isEmpty { continue }
                let states = live.map { moments[$0.name]! }
                let lists = [
                    live.map(\.tensor), live.map { $0.tensor.gradient! }, states.map(\.mean),
                    states.map(\.variance), states.map(\.steps),
                ]
                lists.withLists { lists in
                    checked {
                        ct_adam(
                            lists[0], lists[1], lists[2], lists[3], lists[4], group.rate * factor, betas.0,
                            betas.1, group.decay, epsilon, decoupled, $0)
                    }
                }
            }
        }
    }

    /// The moments by name, for saving: `<parameter>.mean`, `.variance`, `.steps`.
    package var state: [String: Tensor] {
        var state: [String: Tensor] = [:]
        for (name, moment) in moments {
            state[name + ".mean"] = moment.mean
            state[name + ".variance"] = moment.variance
            state[name + ".steps"] = moment.steps
        }
        return state
    }

    /// Restores what `state` returned.
    ///
    /// - Returns: names that are missing or have another shape; empty on success.
    package func restore(_ saved: [String: Tensor]) -> [String] {
        var missing: [String] = []
        for (name, tensor) in state {
            if let value = saved[name], value.shape == tensor.shape {
                tensor.copy(from: value)
            } else {
                missing.append(name)
            }
        }
        return missing
    }
}

/// Scales the gradients so that their joint norm is at most `limit` (Pascanu et al. 2013).
///
/// The factor is limit / (norm + 1e-6), as in PyTorch. Nothing is read back, so the call does not
/// wait for the device.
///
/// - Returns: the norm before clipping, as a scalar tensor.
@discardableResult
package func clipGradients(of tensors: [Tensor], to limit: Double) -> Tensor {
    let gradients = tensors.compactMap(\.gradient)
    guard !gradients.isEmpty else { return .zeros([]) }
    return withoutGradients {
        let norm = gradients.withList { list in tensor { ct_global_norm(list, $0) } }
        let factor = (Tensor.full([], limit, device: norm.device) / (norm + 1e-6)).clamped(to: 0...1)
        gradients.withList { list in checked { ct_scale_all(list, factor.handle, $0) } }
        return norm
    }
}
