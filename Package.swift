// swift-tools-version: 6.1
import Foundation
import PackageDescription

/// The folder with libtorch's `include/` and `lib/`: `LIBTORCH`, or Python's torch with `LIBTORCH_USE_PYTORCH=1`, or `.torch/`,
/// where `make setup` puts it. The link is not resolved: SwiftPM keeps what this manifest says, and `.torch` may come to point elsewhere.
let libtorch: String = {
    let environment = ProcessInfo.processInfo.environment
    var folder = Context.packageDirectory + "/.torch"
    if let given = environment["LIBTORCH"], !given.isEmpty {
        folder = given.hasPrefix("/") ? given : Context.packageDirectory + "/" + given
    } else if environment["LIBTORCH_USE_PYTORCH"] == "1" {
        let python = Process()
        let output = Pipe()
        python.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        python.arguments = ["python3", "-c", "import os, torch; print(os.path.dirname(torch.__file__))"]
        python.standardOutput = output
        try? python.run()
        let answer = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        folder = answer.trimmingCharacters(in: .whitespacesAndNewlines)
    }
    if !FileManager.default.fileExists(atPath: folder + "/include/ATen/ATen.h") {
        FileHandle.standardError.write(Data("jersey: no libtorch in '\(folder)': run `make setup`\n".utf8))
    }
    return folder
}()

/// The folder with CUDA's headers, where libtorch is complete for a GPU: beside it, as wheels have them, or the system's. `make setup`
/// notes when it has left out what a GPU needs.
let cuda: String? = {
    let note = (try? String(contentsOfFile: libtorch + "/../.complete", encoding: .utf8)) ?? ""
    guard FileManager.default.fileExists(atPath: libtorch + "/lib/libtorch_cuda.so"), !note.contains(" load ") else { return nil }
    let folders = [libtorch + "/../nvidia/cu13/include", "/usr/local/cuda/include"]
    return folders.first { FileManager.default.fileExists(atPath: $0 + "/nvrtc.h") }
}()

/// Unsafe flags are allowed in a root package, and only there; this is an application, not a dependency.
let torchHeaders: [CXXSetting] =
    [.unsafeFlags(["-isystem", libtorch + "/include"])]
    + (cuda.map { [.define("CT_CUDA"), .unsafeFlags(["-isystem", $0])] } ?? [])
let torchLibraries: [LinkerSetting] =
    [
        .unsafeFlags(["-L" + libtorch + "/lib", "-Xlinker", "-rpath", "-Xlinker", libtorch + "/lib"]),
        .linkedLibrary("torch_cpu"), .linkedLibrary("c10"), .linkedLibrary("stdc++"),
    ] + (cuda == nil ? [] : [.linkedLibrary("torch_cuda"), .linkedLibrary("c10_cuda")])

let package = Package(
    name: "jersey",
    products: [
        .executable(name: "jersey", targets: ["JerseyCLI"]),
        // For programs that read frames as they come (`FrameStream`).
        .library(name: "Jersey", targets: ["Jersey"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: ["FullFoundation"]),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // The C ABI over libtorch; the only place that sees its headers.
        .target(name: "CTorch", cxxSettings: torchHeaders, linkerSettings: torchLibraries),
        // JPEG and PNG to bytes and back.
        .target(
            name: "CImage",
            linkerSettings: [.linkedLibrary("jpeg"), .linkedLibrary("png16"), .linkedLibrary("exif")]),
        // Video files, frame by frame to RGB and back.
        .target(
            name: "CVideo",
            linkerSettings: [
                .linkedLibrary("avformat"), .linkedLibrary("avcodec"), .linkedLibrary("swscale"), .linkedLibrary("avutil"),
            ]),
        // What a process that decodes strangers' media gives up, and how it is started.
        .target(name: "CSandbox"),
        // The weights that come with jersey, within the program: one file is all there is to copy.
        .target(name: "CBundledModel", exclude: ["bundled.safetensors"]),
        // Drawing, for rendered samples and contact sheets.
        .systemLibrary(name: "CCairo"),
        // Zip and tar files.
        .systemLibrary(name: "CArchive"),
        // Tensors, layers, optimizers, weight files; nothing about jerseys.
        .target(name: "Torch", dependencies: ["CTorch"]),
        // Configuration, data, models and inference: what it takes to read a number.
        .target(
            name: "Jersey",
            dependencies: ["Torch", "CArchive", "CBundledModel", "CImage", "CVideo", .product(name: "Yams", package: "Yams")]),
        // What a researcher does with it: training, evaluation, experiments, analyses, reports, rendered data.
        .target(
            name: "JerseyLab",
            dependencies: [
                "Jersey", "Torch", "CCairo", .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Mustache", package: "swift-mustache"),
            ],
            resources: [.embedInCode("Experiments/Shipped"), .embedInCode("Report/Templates")]),
        // Models as files for other programs.
        .target(
            name: "JerseyExport", dependencies: ["Jersey", "Torch", .product(name: "SwiftProtobuf", package: "swift-protobuf")],
            exclude: ["ONNX/onnx.proto"]),
        // Reading numbers over HTTP.
        .target(
            name: "JerseyServer",
            dependencies: ["CSandbox", "Jersey", "Torch", .product(name: "Hummingbird", package: "hummingbird")],
            resources: [.embedInCode("Page")]),
        // The command line.
        .executableTarget(
            name: "JerseyCLI",
            dependencies: [
                "JerseyExport", "JerseyLab", "JerseyServer", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        // The measured side of Benchmarks/compare.py.
        .executableTarget(
            name: "jersey-bench",
            dependencies: ["JerseyLab", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            path: "Benchmarks/jersey-bench"),
        .testTarget(name: "TorchTests", dependencies: ["Torch", "CTorch"]),
        .testTarget(name: "JerseyTests", dependencies: ["Jersey", "CArchive"]),
        .testTarget(name: "JerseyLabTests", dependencies: ["JerseyLab", "JerseyCLI"]),
        .testTarget(name: "JerseyExportTests", dependencies: ["JerseyExport", "JerseyLab"]),
        .testTarget(
            name: "JerseyServerTests",
            dependencies: ["JerseyCLI", "JerseyServer", .product(name: "HummingbirdTesting", package: "hummingbird")]),
        // The study's numbers, from its fixtures.
        .testTarget(
            name: "ParityTests", dependencies: ["JerseyLab", .product(name: "Crypto", package: "swift-crypto")],
            resources: [.copy("Fixtures")]),
    ],
    cxxLanguageStandard: .cxx20
)

// Tools/fuzz.sh builds these; the first with what it takes to link it.
if Context.environment["JERSEY_FUZZ"] != nil {
    package.targets += [
        .executableTarget(name: "jersey-fuzz", dependencies: ["FuzzReaders"], path: "Tools/fuzzing/fuzz"),
        .executableTarget(name: "jersey-cost", dependencies: ["FuzzReaders"], path: "Tools/fuzzing/cost"),
        .target(name: "FuzzReaders", dependencies: ["Jersey", "JerseyLab", "Torch"], path: "Tools/fuzzing/readers"),
    ]
}
