import CSandbox
import Foundation
import Hummingbird
import Jersey

/// The service's side of a decoder. Starts the process, sends it one job at a time, and kills it if
/// it exceeds its limits or the client leaves. Belongs to one thread.
final class DecoderProcess {
    /// Checks the request's state while a pipe is not ready.
    private final class Patience {
        let process: Int32
        var work: Work?
        /// The process's CPU time, in seconds, at which the job has used too much.
        var cpuEnd = Double.infinity

        init(_ process: Int32) {
            self.process = process
        }

        func wait(_ file: Int32, _ events: Int32) throws {
            while true {
                var wanted = pollfd(fd: file, events: Int16(events), revents: 0)
                if poll(&wanted, 1, 20) != 0 { return }
                try check()
            }
        }

        func check() throws {
            try work?.check()
            if let work, cs_cpu_seconds(process) > cpuEnd { throw work.tooSlow }
        }
    }

    /// The largest pipe without privileges. The crops of a sequence fit at once.
    private static let pipeBytes: Int32 = 1 << 20

    let process: Int32
    private let input: Int32
    private let output: Int32
    private let pipes: PipeEnds
    private let patience: Patience
    private let memory: Int
    private var isGone = false

    /// - Parameters:
    ///   - program: path of this program.
    ///   - memory: bytes.
    ///   - nice: the process's nice value, 0...19.
    /// - Throws: `ServiceError` if the process cannot start or cannot enter its sandbox.
    init(_ program: String, memory: Int, nice: Int) throws {
        let jobs = try Self.pipe()
        let answers: (read: Int32, write: Int32)
        do {
            answers = try Self.pipe()
        } catch {
            close(jobs.read)
            close(jobs.write)
            throw error
        }
        let libraries =
            ProcessInfo.processInfo.environment["LD_LIBRARY_PATH"].map { ["LD_LIBRARY_PATH=\($0)"] } ?? []
        process = Self.withWords(["jersey", DecoderWorker.word, "\(memory)", "\(nice)"]) { arguments in
            // The process has one thread, and its exit status already reports a crash.
            Self.withWords(libraries + ["OMP_NUM_THREADS=1", "SWIFT_BACKTRACE=enable=no"]) { environment in
                cs_spawn(program, arguments, environment, jobs.read, answers.write)
            }
        }
        close(jobs.read)
        close(answers.write)
        input = answers.read
        output = jobs.write
        self.memory = memory
        patience = Patience(process)
        pipes = PipeEnds(input: input, output: output) { [patience] in try patience.wait($0, $1) }
        guard process > 0 else { throw Self.failure("it cannot start: \(SystemError(-process).reason)") }
        for file in [input, output] { _ = fcntl(file, F_SETFL, fcntl(file, F_GETFL) | O_NONBLOCK) }
        guard let greeting = try? MediaAnswer(pipes.receive()), case .done = greeting else {
            throw Self.failure(
                "it exited at once; this machine may not support its sandbox (docs/security.md)")
        }
    }

    deinit {
        close(input)
        close(output)
        if process > 0, !isGone { end() }
    }

    @discardableResult
    private func end() -> Int32 {
        kill(process, SIGKILL)
        isGone = true
        return cs_wait(process)
    }

    /// Whether it can take another job.
    var isUsable: Bool { !isGone }

    /// Runs a job.
    ///
    /// - Parameters:
    ///   - work: the request's budget.
    ///   - answer: receives each answer and reads the bytes that follow it from the pipe. Throws
    ///     for a question to refuse it.
    /// - Throws: `ServiceError` if decoding fails or costs too much; what `answer` throws. The
    ///   process may have ended by then.
    func run(
        _ given: MediaJob, _ blocks: [Data], _ work: Work, answer: (MediaAnswer, PipeEnds) throws -> Void
    ) throws {
        var job = given
        // The kernel counts whole seconds.
        job.cpuSeconds = max(1, Int(work.cpu.rounded(.up)))
        job.totalPixels = max(0, work.pixelsLeft)
        try exchange(work) {
            try pipes.send(job.packet)
            for block in blocks { try block.withUnsafeBytes { try pipes.send(block: $0) } }
            try pipes.flush()
            try listen(work, answer)
        }
    }

    /// A part of a job in which the service leads.
    ///
    /// - Parameters:
    ///   - packet: what is asked.
    ///   - answer: receives each answer, and returns whether it was the last.
    /// - Throws: as `run`.
    func ask(_ packet: Packet, _ work: Work, answer: (MediaAnswer, PipeEnds) throws -> Bool) throws {
        try exchange(work) {
            try pipes.send(packet)
            try pipes.flush()
            while true {
                try work.check()
                let next = try MediaAnswer(pipes.receive())
                if case .failed(let isTooLarge, let text) = next {
                    throw DecoderRefusal(
                        error: ServiceError(isTooLarge ? .contentTooLarge : .unprocessableContent, text))
                }
                if try answer(next, pipes) { return }
                try pipes.flush()
            }
        }
    }

    /// Ends the process where the two no longer agree, and counts its processor time.
    private func exchange(_ work: Work, _ body: () throws -> Void) throws {
        let before = cs_cpu_seconds(process)
        patience.work = work
        patience.cpuEnd = before + work.cpu
        defer { patience.work = nil }
        do {
            try body()
        } catch let refusal as DecoderRefusal {
            // The process waits for the next job.
            throw refusal.error
        } catch is PipeEnds.Closed {
            isGone = true
            throw cs_wait(process) == SIGXCPU ? work.tooSlow : died
        } catch {
            end()
            throw error is Packet.Malformed ? died : error
        }
        try work.spend(cpu: max(0, cs_cpu_seconds(process) - before))
    }

    /// Why a job failed, from a process that is still usable.
    private struct DecoderRefusal: Error {
        let error: ServiceError
    }

    private func listen(_ work: Work, _ body: (MediaAnswer, PipeEnds) throws -> Void) throws {
        var refusal: ServiceError?
        while true {
            try work.check()
            let answer = try MediaAnswer(pipes.receive())
            switch answer {
            case .done(let pixels):
                guard pixels <= max(0, work.limits.totalPixels) else { throw Packet.Malformed() }
                do { try work.spend(pixels: pixels) } catch let error as ServiceError {
                    throw DecoderRefusal(error: error)
                }
                return
            case .failed(let isTooLarge, let text):
                if let refusal { throw DecoderRefusal(error: refusal) }
                if text.isEmpty { throw DecoderRefusal(error: Work.tooManyPixels(work.limits)) }
                throw DecoderRefusal(
                    error: ServiceError(isTooLarge ? .contentTooLarge : .unprocessableContent, text))
            case .question:
                do { try body(answer, pipes) } catch let error as ServiceError { refusal = error }
                try [refusal == nil ? 1 : 0 as UInt8].withUnsafeBytes { try pipes.send(block: $0) }
                try pipes.flush()
            case .picture, .broken, .file: try body(answer, pipes)
            case .wanted, .opened, .frame: throw Packet.Malformed()
            }
        }
    }

    private var died: ServiceError {
        ServiceError(
            .unprocessableContent,
            "the file cannot be decoded: it needs more than \(memory >> 20) MiB, or is malicious; save it again in a plain format"
        )
    }

    private static func failure(_ why: String) -> ServiceError {
        ServiceError(.serviceUnavailable, "no decoder is available (\(why)); try again later", retryAfter: 10)
    }

    private static func pipe() throws -> (read: Int32, write: Int32) {
        var ends: [Int32] = [-1, -1]
        let code = cs_pipe(&ends, pipeBytes)
        guard code == 0 else { throw failure("no pipe could be made: \(SystemError(code).reason)") }
        return (ends[0], ends[1])
    }

    private static func withWords<Result>(
        _ words: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        var copies = words.map { strdup($0) } + [nil]
        defer { for copy in copies { free(copy) } }
        return copies.withUnsafeMutableBufferPointer { body(UnsafePointer($0.baseAddress!)) }
    }
}
