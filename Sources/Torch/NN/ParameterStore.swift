/// A tensor of a model, with its PyTorch name.
package struct Entry {
    package let name: String
    package let tensor: Tensor
    /// The part of the model that it belongs to.
    package let group: String
    /// True for a parameter, which the optimizer updates; false for a buffer, such as a running
    /// mean.
    package let isTrainable: Bool
}

/// All parameters and buffers of a model, in the order of their creation.
package final class ParameterStore {
    package private(set) var entries: [Entry] = []

    package init() {}

    package var trainable: [Entry] { entries.filter(\.isTrainable) }
    /// Number of trainable values.
    package var parameterCount: Int { trainable.reduce(0) { $0 + $1.tensor.count } }

    func add(_ entry: Entry) {
        precondition(!entries.contains { $0.name == entry.name }, "two tensors named \(entry.name)")
        entries.append(entry)
    }
}

// MARK: - Weights from outside

extension ParameterStore {
    /// All tensors by name.
    package var tensors: [String: Tensor] {
        Dictionary(uniqueKeysWithValues: entries.map { ($0.name, $0.tensor) })
    }

    /// Why `tensors` cannot be this model's weights: missing names, wrong shapes, unknown names.
    /// Empty if they fit.
    ///
    /// PyTorch's batch counters may be missing, because nothing here uses them.
    package func mismatches(with tensors: [String: Tensor]) -> [String] {
        var problems: [String] = []
        for entry in entries {
            if let tensor = tensors[entry.name] {
                if tensor.shape != entry.tensor.shape {
                    problems.append(
                        "\(entry.name) has shape \(tensor.shape) instead of \(entry.tensor.shape)")
                }
            } else if !entry.name.hasSuffix("num_batches_tracked") {
                problems.append("\(entry.name) is missing")
            }
        }
        let known = Set(entries.map(\.name))
        return problems
            + tensors.keys.filter { !known.contains($0) }.sorted().map { "\($0) is not part of the model" }
    }

    /// Copies the values of `tensors` into the entries of the same names.
    package func load(_ tensors: [String: Tensor]) {
        for entry in entries {
            if let tensor = tensors[entry.name] { entry.tensor.copy(from: tensor) }
        }
    }
}

extension [String: Tensor] {
    /// The tensors whose names begin with a prefix, without it.
    package func part(_ prefix: String) -> [String: Tensor] {
        Dictionary(
            uniqueKeysWithValues: filter { $0.key.hasPrefix(prefix) }.map {
                (String($0.key.dropFirst(prefix.count)), $0.value)
            })
    }

    /// The same tensors with a prefix before their names.
    package func prefixed(by prefix: String) -> [String: Tensor] {
        Dictionary(uniqueKeysWithValues: map { (prefix + $0.key, $0.value) })
    }
}
