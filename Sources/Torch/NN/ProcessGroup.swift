import Foundation
import JerseySupport

/// The processes that train one model together, each on its part of every batch.
///
/// All of them call the same functions in the same order. A call that cannot succeed, because
/// another process is gone or late, ends all processes with the reason, and does not return:
/// nothing that one process could do would repair it.
package protocol ProcessGroup: AnyObject, Sendable {
    /// This process, 0..<size.
    var rank: Int { get }
    var size: Int { get }
    /// How long a call waits for the other processes, in seconds.
    var timeout: Double { get set }

    /// Replaces the values by their sums over all processes.
    func sum(_ values: UnsafeMutableBufferPointer<Float>)
    func sum(_ values: UnsafeMutableBufferPointer<Double>)
    /// Replaces the bytes by those of process 0.
    func broadcast(_ bytes: UnsafeMutableRawBufferPointer)
    /// Ends the work together, once all processes are here.
    func finish()
    /// Ends all processes at once, with an exit status that is not 0.
    func abort() -> Never
}

/// A process by itself. The sum of its values are its values.
package final class SingleProcess: ProcessGroup {
    package let (rank, size) = (0, 1)
    package var timeout: Double {
        get { .infinity }
        set {}
    }

    package init() {}

    package func sum(_ values: UnsafeMutableBufferPointer<Float>) {}
    package func sum(_ values: UnsafeMutableBufferPointer<Double>) {}
    package func broadcast(_ bytes: UnsafeMutableRawBufferPointer) {}
    package func finish() {}
    package func abort() -> Never { exit(1) }
}

extension ProcessGroup {
    /// Whether this process writes the files.
    package var isFirst: Bool { rank == 0 }

    /// The sums of the values over all processes.
    package func sums(_ values: [Double]) -> [Double] {
        var sums = values
        sums.withUnsafeMutableBufferPointer { sum($0) }
        return sums
    }

    /// The value that process 0 makes; the others only wait for it.
    package func shared<Value: Codable>(_ make: () throws -> Value) throws -> Value {
        let own = isFirst ? try make() : nil
        if let own, size == 1 { return own }
        var bytes = try own.map { try JSON.line([$0]) } ?? Data()
        var count = [Double(bytes.count)]
        count.withUnsafeMutableBytes { broadcast($0) }
        if !isFirst { bytes = Data(count: Int(count[0])) }
        bytes.withUnsafeMutableBytes { broadcast($0) }
        return try own ?? JSON.decoded([Value].self, from: bytes)[0]
    }

    /// Gives the tensors the values that they have in process 0.
    package func broadcast(_ tensors: [Tensor]) {
        guard size > 1 else { return }
        for tensor in tensors {
            var bytes = tensor.to(device: .cpu).data
            bytes.withUnsafeMutableBytes { broadcast($0) }
            bytes.withUnsafeBytes {
                tensor.copy(from: Tensor(bytes: $0, dtype: tensor.dtype, shape: tensor.shape))
            }
        }
    }

    /// Replaces the gradients of `tensors` by their sums over all processes, in one message
    /// together with `values`.
    ///
    /// - Parameter values: numbers that float32 holds, such as counts and losses.
    /// - Returns: the sums of `values`.
    package func sumGradients(of tensors: [Tensor], with values: [Double]) -> [Double] {
        guard size > 1 else { return values }
        return withoutGradients {
            let gradients = tensors.compactMap(\.gradient)
            let flat = Tensor.concatenated(gradients.map { $0.reshaped(-1) }, over: 0)
            var message = flat.floats + values.map(Float.init)
            message.withUnsafeMutableBufferPointer { sum($0) }
            let sums = Tensor(message).to(dtype: flat.dtype, device: flat.device)
            var start = 0
            for gradient in gradients {
                gradient.copy(
                    from: sums.narrowed(0, to: start..<start + gradient.count).reshaped(gradient.shape))
                start += gradient.count
            }
            return message[start...].map(Double.init)
        }
    }
}

/// The rows of a batch that this process computes, if several processes divide the batch.
package struct BatchShare: Sendable, Equatable {
    /// The indices of this process's rows among all.
    package let rows: Range<Int>
    /// The rows of all processes.
    package let all: Int
    /// False if this process has no row, and computes one that counts nowhere, so that it takes
    /// part in all sums. `rows` is then 0..<1.
    package let counts: Bool

    /// - Parameter rows: of each process, in their order.
    package init(rows: [Int], rank: Int) {
        let start = rows[..<rank].reduce(0, +)
        all = rows.reduce(0, +)
        counts = rows[rank] > 0
        self.rows = counts ? start..<start + rows[rank] : 0..<1
    }
}
