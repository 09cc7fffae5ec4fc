/// A tensor that a model owns, under its PyTorch name.
package struct Entry {
    package let name: String
    package let tensor: Tensor
    /// The part of the model that it belongs to.
    package let group: String
    /// Learned by gradient; otherwise a buffer, such as a running mean.
    package let isTrainable: Bool
}

/// All parameters and buffers of a model, in the order of their birth.
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

    /// What keeps `tensors` from being this model's weights: missing names, wrong shapes, names too many. Empty if nothing.
    ///
    /// PyTorch's batch counters may be missing, as they are of no use here.
    package func mismatches(with tensors: [String: Tensor]) -> [String] {
        var problems: [String] = []
        for entry in entries {
            if let tensor = tensors[entry.name] {
                if tensor.shape != entry.tensor.shape {
                    problems.append("\(entry.name) is \(tensor.shape) and should be \(entry.tensor.shape)")
                }
            } else if !entry.name.hasSuffix("num_batches_tracked") {
                problems.append("\(entry.name) is missing")
            }
        }
        let known = Set(entries.map(\.name))
        return problems + tensors.keys.filter { !known.contains($0) }.sorted().map { "\($0) is not part of the model" }
    }

    /// Takes over the values of all entries that `tensors` names.
    package func load(_ tensors: [String: Tensor]) {
        for entry in entries {
            if let tensor = tensors[entry.name] { entry.tensor.copy(from: tensor) }
        }
    }
}
