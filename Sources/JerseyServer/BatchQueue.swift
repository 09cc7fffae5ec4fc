import Foundation

/// A queue in front of one thread that processes items in batches. A batch holds the items that
/// have arrived, or arrive within `deadline` of the first, up to `batchSize`, taken from the
/// clients in turn. `Admission` bounds the queue.
///
/// The thread ends with the last reference to the queue.
final class BatchQueue<Item: Sendable, Output: Sendable>: Sendable {
    /// Statistics of one batch.
    struct Report: Sendable {
        /// How long each item waited.
        let waits: [Duration]
        /// How long the work took.
        let work: Duration
    }

    private let line: BatchLine<Item, Output>

    /// Starts the thread.
    ///
    /// - Parameters:
    ///   - make: runs first on the thread. Returns a value for the caller, and the work, which
    ///     returns an output for each item. The work never leaves the thread, so it may hold
    ///     tensors.
    ///   - report: called on the thread after each batch.
    /// - Returns: the queue, once `make` has returned.
    /// - Throws: what `make` throws.
    static func start<Made: Sendable>(
        named name: String, batchSize: Int, deadline: Duration,
        make: @escaping @Sendable () throws -> (Made, ([Item]) throws -> [Output]),
        report: @escaping @Sendable (Report) -> Void
    ) async throws -> (BatchQueue, Made) {
        let line = BatchLine<Item, Output>(batchSize: batchSize, deadline: deadline, report: report)
        let made = try await withCheckedThrowingContinuation {
            (continuation: CheckedContinuation<Made, any Error>) in
            let thread = Thread {
                do {
                    let (made, work) = try make()
                    continuation.resume(returning: made)
                    line.run(work)
                } catch {
                    continuation.resume(throwing: error)
                }
            }
            thread.name = name
            thread.stackSize = 8 << 20
            thread.start()
        }
        return (BatchQueue(line), made)
    }

    private init(_ line: BatchLine<Item, Output>) {
        self.line = line
    }

    deinit {
        line.close()
    }

    /// Items waiting.
    var depth: Int { line.depth }

    /// Waits for the item's turn and returns its output.
    ///
    /// - Throws: `CancellationError` if the task is cancelled while the item waits, in which case
    ///   the item is dropped; what the work throws.
    func submit(_ item: Item) async throws -> Output {
        let id = UUID()
        let client = Work.current?.client ?? ""
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { line.add(item, id, client, $0) }
        } onCancel: {
            line.remove(id, client)
        }
    }
}

/// State shared by the tasks and the thread.
///
/// `@unchecked Sendable`: all mutable state is accessed only under the condition's lock.
private final class BatchLine<Item: Sendable, Output: Sendable>: @unchecked Sendable {
    private struct Entry {
        let id: UUID
        let item: Item
        let arrival: ContinuousClock.Instant
        let continuation: CheckedContinuation<Output, any Error>
    }

    private let batchSize: Int
    private let deadline: Duration
    private let report: @Sendable (BatchQueue<Item, Output>.Report) -> Void
    private let condition = NSCondition()
    private var waiting = FairQueue<Entry>()
    private var isClosed = false

    init(
        batchSize: Int, deadline: Duration,
        report: @escaping @Sendable (BatchQueue<Item, Output>.Report) -> Void
    ) {
        self.batchSize = batchSize
        self.deadline = deadline
        self.report = report
    }

    var depth: Int { condition.withLock { waiting.count } }

    func add(
        _ item: Item, _ id: UUID, _ client: String, _ continuation: CheckedContinuation<Output, any Error>
    ) {
        let isCancelled = condition.withLock {
            // A later cancellation finds the entry in the queue.
            guard !Task.isCancelled else { return true }
            waiting.append(Entry(id: id, item: item, arrival: .now, continuation: continuation), of: client)
            condition.signal()
            return false
        }
        if isCancelled { continuation.resume(throwing: CancellationError()) }
    }

    func remove(_ id: UUID, _ client: String) {
        let entry = condition.withLock { waiting.remove(of: client) { $0.id == id } }
        entry?.continuation.resume(throwing: CancellationError())
    }

    func close() {
        condition.withLock {
            isClosed = true
            condition.signal()
        }
    }

    func run(_ work: ([Item]) throws -> [Output]) {
        while let batch = next() {
            let start = ContinuousClock.now
            let outputs = Result { try work(batch.map(\.item)) }
            report(.init(waits: batch.map { start - $0.arrival }, work: .now - start))
            switch outputs {
            case .success(let outputs):
                precondition(
                    outputs.count == batch.count, "\(outputs.count) outputs for \(batch.count) items")
                for (entry, output) in zip(batch, outputs) { entry.continuation.resume(returning: output) }
            case .failure(let error):
                for entry in batch { entry.continuation.resume(throwing: error) }
            }
        }
    }

    /// The next batch; nil once the queue is closed and empty.
    private func next() -> [Entry]? {
        condition.withLock {
            while true {
                while waiting.isEmpty {
                    if isClosed { return nil }
                    condition.wait()
                }
                let end = (waiting.heads.map(\.arrival).min() ?? .now) + deadline
                while !waiting.isEmpty, waiting.count < batchSize, !isClosed, ContinuousClock.now < end {
                    _ = condition.wait(until: Date(timeIntervalSinceNow: (end - .now).seconds))
                }
                // All waiting entries may have been cancelled.
                guard !waiting.isEmpty else { continue }
                return (0..<min(batchSize, waiting.count)).compactMap { _ in waiting.popFirst() }
            }
        }
    }
}
