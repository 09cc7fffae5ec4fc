import Foundation
import Synchronization
import Testing

@testable import JerseyServer

@Suite struct BatchQueueTests {
    private typealias Queue = BatchQueue<Int, Int>

    /// The batches that the thread got, and a gate before its work.
    private final class Log: Sendable {
        let batches = Mutex<[[Int]]>([])
        let gate = DispatchSemaphore(value: 0)
    }

    private func queue(
        _ log: Log, size: Int = 4, deadline: Duration = .zero, isGated: Bool = true
    ) async throws -> Queue {
        try await Queue.start(named: "test", batchSize: size, deadline: deadline) {
            (
                (),
                { items in
                    log.batches.withLock { $0.append(items) }
                    if isGated { log.gate.wait() }
                    if items.contains(-1) { throw ServiceError(.badRequest, "no") }
                    return items.map { $0 * 10 }
                }
            )
        } report: { _ in
        }.0
    }

    @Test
    func
        `What comes while the thread works is one batch, no larger than allowed, and every item gets its own output`()
        async throws
    {
        let log = Log()
        let queue = try await queue(log)
        let first = Task { try await queue.submit(0) }
        try await eventually("the first is at work") { log.batches.withLock { $0.count } == 1 }
        let others = (1...6).map { item in Task { try await queue.submit(item) } }
        try await eventually("the others wait") { queue.depth == 6 }
        for _ in 0..<3 { log.gate.signal() }
        #expect(try await first.value == 0)
        for (index, task) in others.enumerated() { #expect(try await task.value == (index + 1) * 10) }
        #expect(log.batches.withLock { $0.map(\.count) } == [1, 4, 2])
    }

    @Test func `The first of a batch waits for others, but not beyond the deadline`() async throws {
        let log = Log()
        let patient = try await queue(log, size: 2, deadline: .seconds(60), isGated: false)
        async let one = patient.submit(1)
        try await eventually("one waits") { patient.depth == 1 }
        #expect(log.batches.withLock { $0.isEmpty })
        #expect(try await patient.submit(2) == 20)
        #expect(try await one == 10)
        #expect(log.batches.withLock { $0.map(\.count) } == [2])
        let hasty = try await queue(log, size: 2, deadline: .milliseconds(5), isGated: false)
        #expect(try await hasty.submit(3) == 30)
    }

    @Test
    func
        `An item whose task is cancelled while it waits is not worked on, and one that is cancelled before does not wait`()
        async throws
    {
        let log = Log()
        let queue = try await queue(log, size: 1)
        let first = Task { try await queue.submit(0) }
        try await eventually("the first is at work") { log.batches.withLock { $0.count } == 1 }
        let left = Task { try await queue.submit(1) }
        let stays = Task { try await queue.submit(2) }
        try await eventually("two wait") { queue.depth == 2 }
        left.cancel()
        await #expect(throws: CancellationError.self) { try await left.value }
        let late = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await queue.submit(3)
        }
        await #expect(throws: CancellationError.self) { try await late.value }
        for _ in 0..<2 { log.gate.signal() }
        _ = try await (first.value, stays.value)
        #expect(log.batches.withLock { $0 } == [[0], [2]])
    }

    @Test
    func
        `An error in a batch reaches all its requests, and the thread continues; an error at start is reported at once`()
        async throws
    {
        let queue = try await queue(Log(), isGated: false)
        await #expect(throws: ServiceError.self) { try await queue.submit(-1) }
        #expect(try await queue.submit(5) == 50)
        await #expect(throws: ServiceError.self) {
            _ = try await Queue.start(named: "test", batchSize: 1, deadline: .zero) {
                () throws -> (Void, ([Int]) throws -> [Int]) in
                throw ServiceError(.badRequest, "no")
            } report: { _ in
            }
        }
    }

    @Test func `The thread ends with the last reference to its queue`() async throws {
        final class Witness: Sendable {}
        weak var witness: Witness?
        do {
            let held = Witness()
            witness = held
            let (queue, _) = try await Queue.start(named: "test", batchSize: 1, deadline: .zero) {
                ((), { [held] items in withExtendedLifetime(held) { items } })
            } report: { _ in
            }
            #expect(try await queue.submit(1) == 1)
        }
        try await eventually("the work is gone") { [weak witness] in witness == nil }
    }
}
