import Torch

/// The logits of a batch and their labels, on the model's device. There is a row for each sequence,
/// or for each frame if the model reads frames by themselves.
package struct LearningTargets {
    /// (N, 11)
    package let tens: Tensor
    /// (N, 10)
    package let ones: Tensor
    /// (N, 110); nil without that head.
    package let full: Tensor?
    package let labels: Labels
    /// Logits of every frame (R, 2) for "misread" and "read correctly", and which it was (R). Nil
    /// if the model does not judge readability.
    package let readability: (logits: Tensor, isRight: Tensor)?

    /// Classes of numbers, (N) each.
    package struct Labels {
        package let tens: Tensor
        package let ones: Tensor
        package let full: Tensor

        init(_ numbers: [JerseyNumber], on device: Device) {
            tens = Tensor(numbers.map { Int64($0.tens) }).to(device: device)
            ones = Tensor(numbers.map { Int64($0.ones) }).to(device: device)
            full = Tensor(numbers.map { Int64($0.index) }).to(device: device)
        }
    }

    /// One row for each sequence.
    init(_ output: JerseyModel.Output, _ numbers: [JerseyNumber?]) {
        tens = output.tens
        ones = output.ones
        full = output.full
        labels = Labels(numbers.compactMap(\.self), on: output.tens.device)
        readability = nil
    }

    /// One row for each frame of the sequences with a visible number. A frame without a visible
    /// number counts as misread, so no labels of single frames are needed.
    ///
    /// - Parameters:
    ///   - readability: (R, 1), the logits of the frames being read correctly.
    ///   - numbers: of each frame (R).
    init(_ frames: FrameLogits, readability judged: Tensor, _ numbers: [JerseyNumber?]) {
        let device = judged.device
        let readable = Tensor(numbers.indices.filter { numbers[$0] != nil }.map(Int64.init)).to(
            device: device)
        func rows(_ logits: Tensor) -> Tensor { logits.indexSelected(0, at: readable) }
        let (tens, ones) = (rows(frames.tens), rows(frames.ones))
        let labels = Labels(numbers.compactMap(\.self), on: device)
        let isRight = withoutGradients {
            let right = Self.isRight(tens, labels.tens) * Self.isRight(ones, labels.ones)
            return Tensor.zeros([numbers.count], device: device).scattered(0, at: readable, values: right).to(
                dtype: .int64)
        }
        self.tens = tens
        self.ones = ones
        self.labels = labels
        full = frames.full.map(rows)
        readability = (.concatenated([judged * 0, judged], over: 1), isRight)
    }

    /// 1 if the most probable class is the label, else 0: (N, C) and (N) to (N).
    package static func isRight(_ logits: Tensor, _ labels: Tensor) -> Tensor {
        logits.argmax(over: 1).isEqual(to: labels).to(dtype: .float32)
    }
}
