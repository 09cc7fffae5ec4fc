import Foundation
import FuzzReaders

/// libFuzzer, which calls `body` again and again until it is time to end. It takes a trap, a finding of the address sanitizer, seconds
/// without an end and gigabytes of memory for failures.
@_silgen_name("LLVMFuzzerRunDriver")
private func runFuzzer(
    _ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ body: @convention(c) (UnsafePointer<UInt8>, Int) -> CInt
) -> CInt

/// The one that `JERSEY_FUZZ` names.
private let chosen = Reader(named: ProcessInfo.processInfo.environment["JERSEY_FUZZ"] ?? "")

@main
struct Fuzzing {
    static func main() throws {
        try chosen.makeSeeds(in: URL(fileURLWithPath: "corpus"))
        var (count, arguments) = (CommandLine.argc, CommandLine.unsafeArgv)
        exit(
            runFuzzer(&count, &arguments) { bytes, count in
                try? chosen.read(Data(bytes: bytes, count: count))
                return 0
            })
    }
}
