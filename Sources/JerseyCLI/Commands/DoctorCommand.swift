import ArgumentParser
import Foundation
import Jersey
import JerseyLab
import JerseyOutput
import Torch

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Shows which libtorch, processor and GPU were found, and what training will use.")

    @Flag(help: "Also print how libtorch was built.")
    var verbose = false

    /// What `--precision automatic` selects.
    private static var reading: String {
        let faster = Precision.fastestFirst.filter { $0.isNative(on: .cpu) }.map(\.rawValue)
        let bundled = (try? Checkpoint.bundled()).map {
            Precision.Choice.automatic.precision(for: $0.card, on: .cpu).rawValue
        }
        let rule =
            faster.isEmpty
            ? "float32: bfloat16 and int8 are not faster on this processor"
            : "\(faster.joined(separator: " or ")) for models calibrated to answer as float32 does, float32 for others"
        return rule + (bundled.map { "; the bundled model: \($0)" } ?? "")
    }

    func run() throws {
        let devices = Runtime.cudaDeviceCount
        let hasDriver = FileManager.default.fileExists(atPath: "/proc/driver/nvidia/version")
        let library = Runtime.libraryPath
        let hasCUDALibrary =
            library.map {
                FileManager.default.fileExists(
                    atPath: URL(fileURLWithPath: $0).deletingLastPathComponent().path + "/libtorch_cuda.so")
            } ?? false
        var rows = [
            [
                "libtorch",
                "\(Runtime.version), \(hasCUDALibrary ? "with" : "without") CUDA, \(library ?? "of unknown origin")",
            ],
            [
                "processor",
                "\(Processor.name), \(ProcessInfo.processInfo.activeProcessorCount) cores, libtorch uses its \(Runtime.cpuCapability) path",
            ],
            ["threads", "\(Runtime.threads) for computation"],
            ["memory", "\(ProcessInfo.processInfo.physicalMemory >> 30) GiB"],
            ["video", "FFmpeg \(VideoReader.libraryVersion), annotated videos as \(VideoWriter.codec)"],
            ["GPU", Self.gpus(devices, hasDriver: hasDriver)],
            ["reading uses", Self.reading],
            [
                "training uses",
                devices > 0 ? "the GPU, in float16 with loss scaling" : "the processor, in float32",
            ],
        ]
        if devices == 0 {
            rows.append(["what to do", Self.advice(hasDriver: hasDriver, hasCUDALibrary: hasCUDALibrary)])
        }
        if Runtime.cpuCapability == "DEFAULT" {
            rows.append([
                "note",
                "this processor has no AVX2, or ATEN_CPU_CAPABILITY disables it; computation will be slow",
            ])
        }
        Console.print(Table([], rows: rows))
        if verbose {
            Console.print()
            Console.printExactly(Runtime.buildDescription + "\n")
        }
    }

    private static func gpus(_ count: Int, hasDriver: Bool) -> String {
        guard count > 0 else { return hasDriver ? "a driver is installed, but no device is usable" : "none" }
        let names = Runtime.gpus.map(\.description).joined(separator: "; ")
        return "\(count) usable" + (names.isEmpty ? "" : ": \(names)")
    }

    /// Advice for a machine without a usable GPU.
    static func advice(hasDriver: Bool, hasCUDALibrary: Bool) -> String {
        switch (hasDriver, hasCUDALibrary) {
        case (false, false):
            "nothing; if you add an NVIDIA GPU and its driver, `make setup` fetches a libtorch with CUDA"
        case (false, true):
            "nothing; this libtorch will use an NVIDIA GPU once one is installed with its driver"
        case (true, false): "this libtorch has no CUDA: run `JERSEY_TORCH_CUDA=1 make setup` and rebuild"
        case (true, true):
            "check that `nvidia-smi` works and that the driver is new enough for libtorch's CUDA version"
        }
    }
}
