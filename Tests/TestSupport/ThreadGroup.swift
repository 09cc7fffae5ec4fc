import Foundation
import Torch

/// Threads that stand in for processes.
///
/// `@unchecked Sendable`: what the threads share has a lock.
package final class ThreadGroup: ProcessGroup, @unchecked Sendable {
    package let rank: Int
    package let size: Int
    package var timeout = Double.infinity
    private let meeting: Meeting

    private init(_ rank: Int, of size: Int, _ meeting: Meeting) {
        self.rank = rank
        self.size = size
        self.meeting = meeting
    }

    /// Runs `body` once for each process, at the same time.
    ///
    /// - Returns: the results in the order of the processes.
    package static func run<Result: Sendable>(
        _ size: Int, _ body: @escaping @Sendable (ThreadGroup) throws -> Result
    ) throws -> [Result] {
        let meeting = Meeting(size)
        let results = Results<Result>()
        let done = DispatchGroup()
        for rank in 0..<size {
            done.enter()
            let thread = Thread {
                let group = ThreadGroup(rank, of: size, meeting)
                results.set(rank, Swift.Result { try body(group) })
                done.leave()
            }
            thread.stackSize = 8 << 20
            thread.start()
        }
        done.wait()
        return try (0..<size).map { try results.get($0) }
    }

    package func sum(_ values: UnsafeMutableBufferPointer<Float>) {
        exchange(UnsafeMutableRawBufferPointer(values)) { Self.sum($0, of: Float.self) }
    }

    package func sum(_ values: UnsafeMutableBufferPointer<Double>) {
        exchange(UnsafeMutableRawBufferPointer(values)) { Self.sum($0, of: Double.self) }
    }

    package func broadcast(_ bytes: UnsafeMutableRawBufferPointer) {
        exchange(bytes) { $0[0] }
    }

    /// Replaces the bytes by what one thread makes of those of all threads.
    private func exchange(_ bytes: UnsafeMutableRawBufferPointer, _ make: ([Data]) -> Data) {
        _ = meeting.met(rank, Data(bytes), make).copyBytes(to: bytes)
    }

    /// In the order of the processes, so that the sums do not depend on who comes first.
    private static func sum<Element: TensorElement>(_ parts: [Data], of type: Element.Type) -> Data {
        let tensors = parts.map { part in
            part.withUnsafeBytes {
                Tensor(bytes: $0, dtype: Element.dtype, shape: [part.count / Element.dtype.size])
            }
        }
        return tensors.dropFirst().reduce(tensors[0], +).data
    }

    package func finish() { _ = sums([0]) }
    package func abort() -> Never { fatalError("process \(rank) ends all") }
}

/// `@unchecked Sendable`: a lock guards the state.
private final class Meeting: @unchecked Sendable {
    private let condition = NSCondition()
    private var parts: [Data?]
    private var made = Data()
    private var rounds = 0

    init(_ size: Int) { parts = Array(repeating: nil, count: size) }

    /// What the last thread to come makes of the parts of all.
    func met(_ rank: Int, _ part: Data, _ make: ([Data]) -> Data) -> Data {
        condition.lock()
        defer { condition.unlock() }
        parts[rank] = part
        let all = parts.compactMap(\.self)
        if all.count == parts.count {
            made = make(all)
            parts = parts.map { _ in nil }
            rounds += 1
            condition.broadcast()
            return made
        }
        let round = rounds
        while rounds == round { condition.wait() }
        return made
    }
}

/// `@unchecked Sendable`: a lock guards the state.
private final class Results<Value: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var values: [Int: Result<Value, any Error>] = [:]

    func set(_ index: Int, _ value: Result<Value, any Error>) { lock.withLock { values[index] = value } }
    func get(_ index: Int) throws -> Value { try lock.withLock { try values[index]!.get() } }
}
