import Foundation
import FuzzReaders

/// libFuzzer's driver, which calls `body` until its time is up. Traps, sanitizer findings, hangs of
/// minutes and gigabytes of memory count as failures.
@_silgen_name("LLVMFuzzerRunDriver")
private func runFuzzer(
    _ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ body: @convention(c) (UnsafePointer<UInt8>, Int) -> CInt
) -> CInt

/// The reader in `JERSEY_FUZZ`.
private let chosen = Reader(named: ProcessInfo.processInfo.environment["JERSEY_FUZZ"] ?? "")

/// CPU seconds per input. Unlike wall time, this does not depend on the machine's load.
private let most = 30

private func readOne(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    setTimer(most)
    try? chosen.read(Data(bytes: bytes, count: count))
    setTimer(0)
    return 0
}

private func setTimer(_ seconds: Int) {
    var timer = itimerval(it_interval: timeval(), it_value: timeval(tv_sec: seconds, tv_usec: 0))
    setitimer(__itimer_which_t(ITIMER_PROF.rawValue), &timer, nil)
}

/// libFuzzer keeps the input when the program aborts.
private func giveUp(_ signal: CInt) { abort() }

@main
struct Fuzzing {
    static func main() throws {
        try chosen.makeSeeds(in: URL(fileURLWithPath: "corpus"))
        signal(SIGPROF, giveUp)
        var count = CommandLine.argc
        var arguments = CommandLine.unsafeArgv
        exit(runFuzzer(&count, &arguments, readOne))
    }
}
