import Foundation
import Jersey
import Torch

/// Readers of what comes from outside. Whatever the bytes, they return or throw: libFuzzer takes a trap, a finding of the address
/// sanitizer, seconds without an end and gigabytes of memory for failures.
enum Reader: String, CaseIterable {
    case safetensors, pth, card, image, archive, boxes

    /// The one that `JERSEY_FUZZ` names.
    static let chosen: Reader = {
        let name = ProcessInfo.processInfo.environment["JERSEY_FUZZ"] ?? ""
        guard let reader = Reader(rawValue: name) else {
            fatalError("JERSEY_FUZZ is '\(name)', and should be one of \(allCases.map(\.rawValue).joined(separator: ", "))")
        }
        Runtime.threads = 1
        return reader
    }()

    /// For readers that want a file.
    private static let file = FileManager.default.temporaryDirectory.appending(path: "jersey-fuzz-\(ProcessInfo.processInfo.processIdentifier)")

    func read(_ data: Data) throws {
        switch self {
        case .safetensors: _ = try Safetensors(data: data, named: "x.safetensors")
        case .pth: _ = try PthFile(data: data, named: "x.pth")
        case .card:
            let weights = Safetensors(metadata: ["jersey": String(decoding: data, as: UTF8.self)], tensors: [:])
            try weights.write(to: Self.file)
            _ = try Checkpoint(contentsOf: Self.file).model(on: .cpu, path: "x")
        case .image:
            let image = try RGBImage(decoding: data, named: "x", maximumPixels: 1_000_000)
            _ = image.resized(width: 48, height: 48)
        case .archive:
            try data.write(to: Self.file)
            _ = try UnpackedArchive(Self.file.path)
        case .boxes:
            try data.write(to: Self.file)
            _ = try TrackBoxes(contentsOf: Self.file.path)
        }
    }
}

/// libFuzzer, which calls `body` again and again until it is time to end.
@_silgen_name("LLVMFuzzerRunDriver")
private func runFuzzer(
    _ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ body: @convention(c) (UnsafePointer<UInt8>, Int) -> CInt
) -> CInt

@main
struct Fuzzing {
    static func main() {
        var (count, arguments) = (CommandLine.argc, CommandLine.unsafeArgv)
        exit(
            runFuzzer(&count, &arguments) { bytes, count in
                try? Reader.chosen.read(Data(bytes: bytes, count: count))
                return 0
            })
    }
}
