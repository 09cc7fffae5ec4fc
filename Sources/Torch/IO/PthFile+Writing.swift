import CTorch
import Foundation

extension PthFile {
    /// A file as the study's training saves it, with the state dictionary under "model_state".
    /// `torch.load` can read it, also with `weights_only`.
    ///
    /// - Parameter extra: an additional text, and its key.
    package static func data(_ tensors: [(name: String, tensor: Tensor)], extra: (key: String, text: String))
        -> Data
    {
        let bytes = tensors.map(\.name).withCStrings { names in
            tensors.map(\.tensor).withList { list in
                tensor { ct_pickled_state("model_state", names, list, extra.key, extra.text, $0) }
            }
        }
        return bytes.data
    }
}
