import Torch

extension JerseyModel {
    /// What is kept of R frames once they are encoded, all that the rest of a model needs of them: rows of a few tensors.
    struct Frames {
        /// (R, F) features of a model with a recurrent layer; of others the logits of tens, ones, perhaps whole numbers and perhaps
        /// readability, with R rows each.
        let parts: [Tensor]

        /// - Parameter rows: any, in any order.
        func gathered(_ rows: [Int]) -> Frames {
            let rows = Tensor(rows.map(Int64.init))
            return Frames(parts: parts.map { $0.gathered(0, at: rows.to(device: $0.device)) })
        }

        /// - Parameter frames: of one model; not empty.
        static func concatenated(_ frames: [Frames]) -> Frames {
            Frames(parts: frames[0].parts.indices.map { part in .concatenated(frames.map { $0.parts[part] }, over: 0) })
        }
    }
}
