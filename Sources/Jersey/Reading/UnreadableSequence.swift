import Foundation

/// A sequence of which no frame could be read, or of which the model's output is not a number.
package struct UnreadableSequence: Error, Sendable {
    package let sequence: FrameSequence
    package let problems: [FrameProblem]
    /// Whether frames were read, and what the model made of them is no number: its weights are broken, or too large for the
    /// precision.
    package let hasBrokenOutput: Bool

    init(sequence: FrameSequence, problems: [FrameProblem]) {
        self.sequence = sequence
        self.problems = problems
        hasBrokenOutput = false
    }

    /// No comparison with what is not a number holds, so that a threshold would let it pass.
    init(brokenOutput reading: Reading) {
        sequence = reading.sequence
        problems =
            reading.problems + [
                FrameProblem(
                    path: reading.sequence.id,
                    reason:
                        "is unreadable: the model's output is not a number; its weights are broken, or need the precision float32"
                )
            ]
        hasBrokenOutput = true
    }
}

extension UnreadableSequence: CustomStringConvertible, LocalizedError {
    package var description: String {
        if hasBrokenOutput, let last = problems.last { return "\(last.path) \(last.reason)" }
        let first = problems.first.map { ": \($0.path) \($0.reason)" } ?? ""
        return "none of the \(sequence.frames.count) frames of \(sequence.id) can be read\(first)"
    }
    package var errorDescription: String? { description }
}
