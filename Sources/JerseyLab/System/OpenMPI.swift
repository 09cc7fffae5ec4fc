import Foundation
import Jersey
import Torch

/// The processes that Open MPI started.
///
/// The library is loaded when it is needed, so the program runs where there is none. The
/// declarations are those of Open MPI 4 and 5 (libmpi.so.40). Other implementations have others.
///
/// `@unchecked Sendable`: one thread at a time calls it. That is the thread that trains, or during
/// the backward pass the thread of libtorch that it waits for.
package final class OpenMPI: ProcessGroup, @unchecked Sendable {
    package let rank: Int
    package let size: Int
    package var timeout = 300.0

    private let library: Library
    private let fail: @Sendable (String) -> Void

    /// Waits for all processes.
    ///
    /// - Parameter fail: shows why the processes are ended.
    /// - Throws: `UsageError` if the library is missing or does not start.
    package init(fail: @escaping @Sendable (String) -> Void) throws {
        self.fail = fail
        library = try Library()
        // Its default, to end the process, would leave no reason.
        var (provided, rank, size) = (Int32(0), Int32(0), Int32(1))
        let serialized: Int32 = 2
        guard library.initialize(nil, nil, serialized, &provided) == 0,
            library.setErrorHandler(library.world, library.returnErrors) == 0,
            library.rank(library.world, &rank) == 0, library.size(library.world, &size) == 0
        else {
            throw UsageError(
                "MPI does not start; run a small program of MPI with the same command to see why")
        }
        (self.rank, self.size) = (Int(rank), Int(size))
    }

    package func sum(_ values: UnsafeMutableBufferPointer<Float>) {
        sum(values.baseAddress, values.count, library.float)
    }

    package func sum(_ values: UnsafeMutableBufferPointer<Double>) {
        sum(values.baseAddress, values.count, library.double)
    }

    private func sum(_ values: UnsafeMutableRawPointer?, _ count: Int, _ type: Library.Handle) {
        complete {
            library.allReduce(Library.inPlace, values, Int32(count), type, library.plus, library.world, $0)
        }
    }

    package func broadcast(_ bytes: UnsafeMutableRawBufferPointer) {
        // A count is 32 bits wide.
        for start in stride(from: 0, to: bytes.count, by: 1 << 30) {
            let part = UnsafeMutableRawBufferPointer(
                rebasing: bytes[start..<min(start + 1 << 30, bytes.count)])
            complete {
                library.broadcast(part.baseAddress, Int32(part.count), library.byte, 0, library.world, $0)
            }
        }
    }

    package func finish() {
        _ = sums([0])
        _ = library.finalize()
    }

    package func abort() -> Never {
        // Without a way to the other machines, Open MPI would try for minutes.
        let limit = Thread {
            Thread.sleep(forTimeInterval: 5)
            _exit(1)
        }
        limit.start()
        _ = library.abort(library.world, 1)
        exit(1)
    }

    // MARK: Waiting

    private static let (question, answer) = (Int32(1), Int32(2))

    /// Starts an operation, and waits for it. MPI only works while it is called.
    private func complete(_ start: (UnsafeMutablePointer<Library.Request>) -> Int32) {
        var request = Library.Request(nilLiteral: ())
        check(start(&request))
        let begin = ContinuousClock.now
        var isDone = Int32(0)
        while true {
            check(library.test(&request, &isDone, nil))
            if isDone != 0 { return }
            let waited = (ContinuousClock.now - begin).seconds
            if waited < 1 {
                sched_yield()
                continue
            }
            Thread.sleep(forTimeInterval: 0.001)
            answerQuestion()
            if waited > timeout { endLate() }
        }
    }

    private func check(_ status: Int32) {
        guard status != 0 else { return }
        var text = [CChar](repeating: 0, count: 1024)
        var count = Int32(0)
        _ = library.errorText(status, &text, &count)
        end(
            "cannot reach the others: \(String(decoding: text.prefix(Int(count)).map(UInt8.init), as: UTF8.self))"
        )
    }

    /// Ends all processes, because some are not where this one waits for them. Those that wait as
    /// well answer; the others are named.
    private func endLate() {
        var missing = Set(0..<size)
        missing.remove(rank)
        var requests = [Library.Request](repeating: Library.Request(nilLiteral: ()), count: size)
        for other in missing { send(Self.question, to: Int32(other), &requests[other]) }
        let begin = ContinuousClock.now
        while (ContinuousClock.now - begin).seconds < 3, !missing.isEmpty {
            answerQuestion()
            missing = missing.filter { receive(Self.answer, from: Int32($0)) == nil }
            Thread.sleep(forTimeInterval: 0.001)
        }
        let names = missing.sorted().prefix(10).map(String.init).joined(separator: ", ")
        let what =
            switch missing.count {
            case 0: "the others wait too, but their messages do not arrive"
            case 1: "process \(names) does not answer"
            default: "\(missing.count) processes do not answer (\(names)\(missing.count > 10 ? "…" : ""))"
            }
        end(
            "waited \(Int(clamping: timeout)) s: \(what); look at their machines, and continue with --resume, "
                + "or set training.processTimeout higher if they are only slow")
    }

    private func end(_ reason: String) -> Never {
        fail("process \(rank) of \(size) on \(ProcessInfo.processInfo.hostName) \(reason)")
        abort()
    }

    private func answerQuestion() {
        let anyone: Int32 = -1
        guard let other = receive(Self.question, from: anyone) else { return }
        var request = Library.Request(nilLiteral: ())
        send(Self.answer, to: other, &request)
    }

    private func send(_ tag: Int32, to other: Int32, _ request: inout Library.Request) {
        _ = library.send(nil, 0, library.byte, other, tag, library.world, &request)
    }

    /// The sender of an empty message that has arrived; nil if none has.
    private func receive(_ tag: Int32, from other: Int32) -> Int32? {
        var (isThere, status) = (Int32(0), Library.Status())
        guard library.probe(other, tag, library.world, &isThere, &status) == 0, isThere != 0,
            library.receive(nil, 0, library.byte, status.source, tag, library.world, nil) == 0
        else { return nil }
        return status.source
    }
}

extension OpenMPI {
    /// The functions and objects of libmpi.so.40, as its mpi.h declares them.
    private struct Library {
        /// `MPI_Comm`, `MPI_Datatype`, `MPI_Op` and `MPI_Errhandler`: pointers to objects of the
        /// library.
        typealias Handle = UnsafeMutableRawPointer
        typealias Buffer = UnsafeMutableRawPointer?
        /// `MPI_Request`.
        typealias Request = UnsafeMutableRawPointer?
        typealias Numbers = UnsafeMutablePointer<Int32>

        /// `MPI_Status`.
        struct Status {
            var source: Int32 = 0
            var tag: Int32 = 0
            var error: Int32 = 0
            var cancelled: Int32 = 0
            var count = 0
        }

        /// `MPI_IN_PLACE`.
        static var inPlace: Buffer { UnsafeMutableRawPointer(bitPattern: 1) }

        let world, float, double, byte, plus, returnErrors: Handle
        let initialize: @convention(c) (Buffer, Buffer, Int32, Numbers) -> Int32
        let finalize: @convention(c) () -> Int32
        let abort: @convention(c) (Handle, Int32) -> Int32
        let setErrorHandler: @convention(c) (Handle, Handle) -> Int32
        let errorText: @convention(c) (Int32, UnsafeMutablePointer<CChar>, Numbers) -> Int32
        let rank: @convention(c) (Handle, Numbers) -> Int32
        let size: @convention(c) (Handle, Numbers) -> Int32
        let allReduce:
            @convention(c) (Buffer, Buffer, Int32, Handle, Handle, Handle, UnsafeMutablePointer<Request>) ->
                Int32
        let broadcast:
            @convention(c) (Buffer, Int32, Handle, Int32, Handle, UnsafeMutablePointer<Request>) -> Int32
        let test: @convention(c) (UnsafeMutablePointer<Request>, Numbers, Buffer) -> Int32
        let send:
            @convention(c) (Buffer, Int32, Handle, Int32, Int32, Handle, UnsafeMutablePointer<Request>) ->
                Int32
        let probe: @convention(c) (Int32, Int32, Handle, Numbers, Buffer) -> Int32
        let receive: @convention(c) (Buffer, Int32, Handle, Int32, Int32, Handle, Buffer) -> Int32

        init() throws {
            // Its plug-ins look for its functions among the global ones.
            guard let library = dlopen("libmpi.so.40", RTLD_NOW | RTLD_GLOBAL) else {
                let reason = dlerror().map { String(cString: $0) } ?? "unknown reason"
                throw UsageError(
                    "this process was started together with others, but Open MPI cannot be loaded (\(reason)); install it on "
                        + "every machine (Debian: openmpi-bin), or start one process")
            }
            func object(_ name: String) throws -> Handle {
                guard let address = dlsym(library, name) else {
                    throw UsageError("libmpi.so.40 has no \(name); install Open MPI 4 or 5")
                }
                return address
            }
            func function<Function>(_ name: String, _ type: Function.Type = Function.self) throws -> Function
            {
                unsafeBitCast(try object(name), to: type)
            }
            world = try object("ompi_mpi_comm_world")
            float = try object("ompi_mpi_float")
            double = try object("ompi_mpi_double")
            byte = try object("ompi_mpi_byte")
            plus = try object("ompi_mpi_op_sum")
            returnErrors = try object("ompi_mpi_errors_return")
            initialize = try function("MPI_Init_thread")
            finalize = try function("MPI_Finalize")
            abort = try function("MPI_Abort")
            setErrorHandler = try function("MPI_Comm_set_errhandler")
            errorText = try function("MPI_Error_string")
            rank = try function("MPI_Comm_rank")
            size = try function("MPI_Comm_size")
            allReduce = try function("MPI_Iallreduce")
            broadcast = try function("MPI_Ibcast")
            test = try function("MPI_Test")
            send = try function("MPI_Isend")
            probe = try function("MPI_Iprobe")
            receive = try function("MPI_Recv")
        }
    }
}
