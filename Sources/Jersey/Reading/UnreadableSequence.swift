import Foundation

/// A sequence without a readable frame, or for which the model's output is not finite.
package struct UnreadableSequence: Error, Sendable {
    package let sequence: FrameSequence
    package let problems: [FrameProblem]
    /// Whether frames were read, but the model's output is not finite: its weights are corrupt, or
    /// too large for the precision.
    package let hasBrokenOutput: Bool

    init(sequence: FrameSequence, problems: [FrameProblem]) {
        self.sequence = sequence
        self.problems = problems
        hasBrokenOutput = false
    }

    /// A threshold would not catch such output, because every comparison with NaN is false.
    init(brokenOutput reading: Reading) {
        sequence = reading.sequence
        problems =
            reading.problems + [
                FrameProblem(
                    path: reading.sequence.id,
                    reason:
                        "is unreadable: the model's output is not finite; its weights are corrupt, or need the precision float32"
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
