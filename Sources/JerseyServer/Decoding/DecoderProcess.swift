import CSandbox
import Foundation
import Hummingbird
import Jersey

/// The service's side of a decoder: starts the process, gives it a job at a time, and ends it where it overruns, or where nobody waits
/// for it any more. Belongs to one thread.
final class DecoderProcess {
    /// Looks at the job's request while a pipe is not ready.
    private final class Patience {
        let process: Int32
        var work: Work?
        /// Processor time of the process, seconds; beyond it the job has taken too much.
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

    /// A pipe's largest size without privileges: crops of a sequence go through at once.
    private static let pipeBytes: Int32 = 1 << 20

    let process: Int32
    private let input: Int32
    private let output: Int32
    private let pipes: PipeEnds
    private let patience: Patience
    private let memory: Int
    private var isGone = false

    /// - Parameters:
    ///   - program: this program.
    ///   - memory: bytes.
    ///   - nice: how far to stand behind others for a processor, 0...19.
    /// - Throws: `ServiceError` where it cannot be started, or cannot give up what it must.
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
        let libraries = ProcessInfo.processInfo.environment["LD_LIBRARY_PATH"].map { ["LD_LIBRARY_PATH=\($0)"] } ?? []
        process = Self.withWords(["jersey", DecoderWorker.word, "\(memory)", "\(nice)"]) { arguments in
            // One thread is what it has, and a crash is told by its end.
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
        guard process > 0 else { throw Self.failure("it cannot be started: \(SystemError(-process).reason)") }
        for file in [input, output] { _ = fcntl(file, F_SETFL, fcntl(file, F_GETFL) | O_NONBLOCK) }
        guard let greeting = try? MediaAnswer(pipes.receive()), case .done = greeting else {
            throw Self.failure("it ended at once; this machine may not allow what it does without (docs/security.md)")
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

    /// Whether it can be given another job.
    var isUsable: Bool { !isGone }

    /// Does a job.
    ///
    /// - Parameters:
    ///   - work: of the request.
    ///   - answer: is given what comes of it, up to the end, and takes the bytes that follow from the pipe; tells of a question whether to go on.
    /// - Throws: `ServiceError` for what cannot be decoded, or costs too much; what `answer` throws. The process may be gone then.
    func run(
        _ given: MediaJob, _ blocks: [Data], _ work: Work, answer: (MediaAnswer, PipeEnds) throws -> Void
    ) throws {
        var job = given
        // The kernel counts whole ones.
        job.cpuSeconds = max(1, Int(work.cpu.rounded(.up)))
        job.totalPixels = max(0, work.pixelsLeft)
        let before = cs_cpu_seconds(process)
        patience.work = work
        patience.cpuEnd = before + work.cpu
        defer { patience.work = nil }
        do {
            try pipes.send(job.packet)
            for block in blocks { try block.withUnsafeBytes { try pipes.send(block: $0) } }
            try pipes.flush()
            try listen(work, answer)
        } catch let refusal as DecoderRefusal {
            // It waits for the next job.
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

    /// Why a job is not done, of a process that is as good as before.
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
                do { try work.spend(pixels: pixels) } catch let error as ServiceError { throw DecoderRefusal(error: error) }
                return
            case .failed(let isTooLarge, let text):
                if let refusal { throw DecoderRefusal(error: refusal) }
                if text.isEmpty { throw DecoderRefusal(error: Work.tooManyPixels(work.limits)) }
                throw DecoderRefusal(error: ServiceError(isTooLarge ? .contentTooLarge : .unprocessableContent, text))
            case .question:
                do { try body(answer, pipes) } catch let error as ServiceError { refusal = error }
                try [refusal == nil ? 1 : 0 as UInt8].withUnsafeBytes { try pipes.send(block: $0) }
                try pipes.flush()
            case .picture, .broken, .file: try body(answer, pipes)
            }
        }
    }

    private var died: ServiceError {
        ServiceError(
            .unprocessableContent,
            "it cannot be decoded: it takes more than \(memory >> 20) MiB, or is made to do harm; save it again in a plain form")
    }

    private static func failure(_ why: String) -> ServiceError {
        ServiceError(.serviceUnavailable, "no decoder is there (\(why)); try again later", retryAfter: 10)
    }

    private static func pipe() throws -> (read: Int32, write: Int32) {
        var ends: [Int32] = [-1, -1]
        let code = cs_pipe(&ends, pipeBytes)
        guard code == 0 else { throw failure("no pipe: \(SystemError(code).reason)") }
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
