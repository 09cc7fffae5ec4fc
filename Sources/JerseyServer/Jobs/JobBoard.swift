import Foundation
import Hummingbird
import Jersey
import Synchronization
import Torch

/// The videos that are received, wait, are read, or were read. A few are read at once, those of all
/// clients in turn, on threads of lower priority than those of requests. Results are kept for a while.
final class JobBoard: Sendable {
    private struct Entry {
        let client: String
        /// Jobs are numbered in the order in which they came.
        let place: Int
        var status: JobStatus
        /// Until it is done.
        var job: VideoJob?
        /// While it is running.
        var work: Work?
        var result: Result<Data, ServiceError>?
        /// When it is forgotten; nil until it is done.
        var end: ContinuousClock.Instant?
    }

    private struct State {
        var entries: [String: Entry] = [:]
        var waiting = FairQueue<String>()
        var running = 0
        var count = 0
        /// Clients who are sending a video.
        var receiving: [String] = []
        /// Jobs that were forgotten and why, the latest of them, oldest first.
        var gone: [(id: String, why: String)] = []
        /// Why no more jobs are taken.
        var end: ServiceError?

        mutating func forget(_ id: String, _ why: String) {
            guard entries.removeValue(forKey: id) != nil else { return }
            gone.append((id, why))
            if gone.count > JobBoard.mostGone { gone.removeFirst(JobBoard.mostGone / 2) }
        }

        mutating func forgetExpired() {
            for (id, entry) in entries where entry.end.map({ $0 <= .now }) ?? false {
                forget(id, "was deleted some time after it was ready, or read")
            }
        }
    }

    private static let mostGone = 4096
    /// The most results that are kept.
    private static let mostKept = 64
    /// How long a result can be read again, for a client whose connection broke.
    private static let again = Duration.seconds(60)

    private let settings: ServerSettings
    private let metrics: ServiceMetrics
    private let state = Mutex(State())

    init(_ settings: ServerSettings, _ metrics: ServiceMetrics) {
        (self.settings, self.metrics) = (settings, metrics)
    }

    /// Jobs by state, and "receiving".
    var counts: [String: Int] {
        state.withLock { state in
            state.forgetExpired()
            let counts = Dictionary(grouping: state.entries.values, by: \.status.state.rawValue)
                .mapValues(\.count)
            return counts.merging(["receiving": state.receiving.count]) { first, _ in first }
        }
    }

    // MARK: Requests

    /// Takes a place for a video that a client is about to send. Give it back with `submit` or
    /// `giveUp`.
    ///
    /// - Throws: `ServiceError` if there are too many.
    func take(_ client: String) throws {
        try state.withLock { state in
            if let end = state.end { throw end }
            state.forgetExpired()
            let open = state.entries.values.filter { $0.end == nil }.map(\.client) + state.receiving
            guard open.count < settings.jobs else {
                throw ServiceError(
                    .tooManyRequests,
                    "\(open.count) videos are waiting or being read; try again in a few minutes",
                    retryAfter: 60)
            }
            let own = open.count { $0 == client }
            guard own < settings.clientJobs else {
                throw ServiceError(
                    .tooManyRequests, "\(own) of your videos are waiting or being read; wait for one of them",
                    retryAfter: 60)
            }
            state.receiving.append(client)
        }
    }

    func giveUp(_ client: String) {
        state.withLock { state in
            state.receiving.firstIndex(of: client).map { _ = state.receiving.remove(at: $0) }
        }
    }

    func submit(_ job: VideoJob, of client: String) throws -> JobStatus {
        // Nobody can guess it, and who knows it may read the result.
        let id = UUID().uuidString.lowercased()
        let startsThread = try state.withLock { state in
            if let end = state.end { throw end }
            state.receiving.firstIndex(of: client).map { _ = state.receiving.remove(at: $0) }
            state.count += 1
            state.entries[id] = Entry(
                client: client, place: state.count, status: JobStatus(id: id, video: job.name), job: job)
            state.waiting.append(id, of: client)
            guard state.running < settings.jobsAtOnce else { return false }
            state.running += 1
            return true
        }
        if startsThread {
            let thread = Thread { self.readAll() }
            thread.name = "videos"
            thread.stackSize = 8 << 20
            thread.start()
        }
        return try status(id)
    }

    /// - Throws: `ServiceError` for a job that is unknown or was forgotten.
    func status(_ id: String) throws -> JobStatus {
        try state.withLock { state in
            let entry = try Self.entry(id, &state)
            var status = entry.status
            if status.state == .queued {
                status.before = state.entries.values.count { $0.end == nil && $0.place < entry.place }
            }
            return status
        }
    }

    /// The encoded players. It is forgotten soon afterwards.
    ///
    /// - Throws: `ServiceError` for a job that is unknown, was forgotten, is not done, or failed.
    func result(_ id: String) throws -> Data {
        try state.withLock { state in
            let entry = try Self.entry(id, &state)
            guard let result = entry.result else {
                throw ServiceError(
                    .conflict,
                    "the video \(entry.status.video) is not read yet; ask for the job until it is done",
                    retryAfter: 1)
            }
            state.entries[id]?.end = min(entry.end ?? .now, .now + Self.again)
            return try result.get()
        }
    }

    /// Stops a job, and forgets it.
    ///
    /// - Throws: `ServiceError` for a job that is unknown or was forgotten.
    func cancel(_ id: String) throws -> JobStatus {
        let (status, work) = try state.withLock { state in
            let entry = try Self.entry(id, &state)
            _ = state.waiting.remove(of: entry.client) { $0 == id }
            state.forget(id, "was cancelled")
            var status = entry.status
            status.state = .cancelled
            return (status, entry.work)
        }
        work?.end(.clientLeft)
        return status
    }

    /// Stops all jobs, and takes no more.
    func endAll(_ reason: ServiceError) {
        let works = state.withLock { state in
            state.end = reason
            while let id = state.waiting.popFirst() { Self.finish(id, .failure(reason), settings, &state) }
            return state.entries.values.compactMap(\.work)
        }
        for work in works { work.end(reason) }
    }

    private static func entry(_ id: String, _ state: inout State) throws -> Entry {
        state.forgetExpired()
        if let entry = state.entries[id] { return entry }
        if let gone = state.gone.last(where: { $0.id == id }) {
            throw ServiceError(.gone, "the job \(gone.why); send the video again")
        }
        throw ServiceError(.notFound, "there is no job '\(id)'; sending a video gives a new one")
    }

    // MARK: Work

    private func readAll() {
        // Both apply to this thread only, and to those that it starts.
        setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, Int32(VideoJob.nice))
        Runtime.useCallingThreadOnly()
        while let (id, job, work) = next() { read(id, job, work) }
    }

    /// Nil if none is waiting, and the thread ends.
    private func next() -> (id: String, VideoJob, Work)? {
        state.withLock { state in
            while let id = state.waiting.popFirst() {
                guard let entry = state.entries[id], let job = entry.job else { continue }
                var limits = settings.limits
                (limits.seconds, limits.cpuSeconds) = (settings.jobSeconds, settings.jobSeconds)
                let work = Work(limits, of: entry.client)
                state.entries[id]?.work = work
                state.entries[id]?.status.state = .running
                return (id, job, work)
            }
            state.running -= 1
            return nil
        }
    }

    private func read(_ id: String, _ job: VideoJob, _ work: Work) {
        let start = ContinuousClock.now
        let result = Result { () throws(ServiceError) -> Data in
            do {
                let table = try job.read(settings, work) { step, frame, frames in
                    state.withLock { state in
                        state.entries[id]?.status.step = step
                        state.entries[id]?.status.frame = frame
                        state.entries[id]?.status.frames = frames
                    }
                }
                metrics.add(table.predictions, model: job.model.about.name)
                return try JSON.output(table)
            } catch {
                throw work.end ?? ServiceError(error)
            }
        }
        let wasCancelled = work.end == .clientLeft
        let outcome = wasCancelled ? "cancelled" : (try? result.get()) == nil ? "failed" : "done"
        metrics.job.observe((ContinuousClock.now - start).seconds, outcome)
        state.withLock { Self.finish(id, result, settings, &$0) }
        Task.detached { [weak self, keep = settings.resultSeconds] in
            try? await Task.sleep(for: .seconds(keep))
            self?.state.withLock { $0.forgetExpired() }
        }
    }

    private static func finish(
        _ id: String, _ result: Result<Data, ServiceError>, _ settings: ServerSettings, _ state: inout State
    ) {
        guard var entry = state.entries[id] else { return }
        // The video's file goes with the job.
        (entry.job, entry.work) = (nil, nil)
        entry.result = result
        entry.end = .now + .seconds(settings.resultSeconds)
        switch result {
        case .success: entry.status.state = .done
        case .failure(let error): (entry.status.state, entry.status.error) = (.failed, error.description)
        }
        state.entries[id] = entry
        let kept = state.entries.compactMap { id, entry in entry.end.map { (id, $0) } }
        guard kept.count > mostKept, let oldest = kept.min(by: { $0.1 < $1.1 }) else { return }
        state.forget(oldest.0, "was deleted, because newer ones took its place")
    }
}
