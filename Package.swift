// swift-tools-version: 6.1
import PackageDescription

/// The pkg-config file in which `make setup` describes libtorch. A clone has its own. A checkout
/// for another package uses the user's, and so does a clone whose path contains a space, at which
/// SwiftPM would split it.
let libtorch: String = {
    let own = Context.packageDirectory + "/.pkgconfig/jersey-libtorch.pc"
    guard own.contains("/checkouts/") || own.contains(" ") else { return own }
    var cache = Context.environment["XDG_CACHE_HOME"] ?? ""
    if cache.isEmpty { cache = (Context.environment["HOME"] ?? "") + "/.cache" }
    return cache + "/jersey/pkgconfig/jersey-libtorch.pc"
}()

let package = Package(
    name: "jersey",
    products: [
        .executable(name: "jersey", targets: ["JerseyCLI"]),
        // For other packages; see Examples/.
        .library(name: "Jersey", targets: ["Jersey"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(
            url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1",
            traits: ["FullFoundation"]),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // libtorch's headers and libraries.
        .systemLibrary(name: "CLibtorch", pkgConfig: libtorch),
        // The C ABI over libtorch; nothing else sees its headers.
        .target(name: "CTorch", dependencies: ["CLibtorch"], linkerSettings: [.linkedLibrary("stdc++")]),
        // JPEG and PNG to bytes and back.
        .target(
            name: "CImage",
            linkerSettings: [.linkedLibrary("jpeg"), .linkedLibrary("png16"), .linkedLibrary("exif")]),
        // Video files, frame by frame to RGB and back.
        .target(
            name: "CVideo",
            linkerSettings: [
                .linkedLibrary("avformat"), .linkedLibrary("avcodec"), .linkedLibrary("swscale"),
                .linkedLibrary("avutil"),
            ]),
        // The sandbox for the processes that decode untrusted media, and how they start.
        .target(name: "CSandbox"),
        // The bundled weights, embedded in the program, so that it is a single file.
        .target(name: "CBundledModel", exclude: ["bundled.safetensors", "detector.safetensors"]),
        // Drawing, for rendered samples and contact sheets.
        .systemLibrary(name: "CCairo"),
        // Zip and tar files.
        .systemLibrary(name: "CArchive"),
        // What every program with files and settings needs: errors, JSON, file names, random numbers. It knows neither
        // tensors nor jerseys. Jersey hands it on, so that its importers can catch its errors.
        .target(name: "JerseySupport"),
        // Tensors, layers, optimizers, weight files; nothing about jerseys.
        .target(name: "Torch", dependencies: ["CTorch", "JerseySupport"]),
        // Images, archives, videos, models and inference: everything needed to read a number.
        .target(
            name: "Jersey",
            dependencies: ["JerseySupport", "Torch", "CArchive", "CBundledModel", "CImage", "CVideo"]),
        // Tables, charts, drawings and pages. Uses Jersey's images, but knows nothing of shirt
        // numbers.
        .target(
            name: "JerseyOutput",
            dependencies: [
                "Jersey", "JerseySupport", "CCairo", .product(name: "Mustache", package: "swift-mustache"),
            ],
            resources: [.embedInCode("Pages/Templates")]),
        // Predictions and models as pictures and tables.
        .target(name: "JerseyVisualization", dependencies: ["Jersey", "JerseyOutput", "Torch"]),
        // Rendered players, for training and trying things out.
        .target(name: "JerseySynthesis", dependencies: ["Jersey", "JerseyOutput"]),
        // For research: configuration, labelled data, training, evaluation, experiments, analyses,
        // reports.
        .target(
            name: "JerseyLab",
            dependencies: [
                "Jersey", "JerseyOutput", "JerseySupport", "JerseyVisualization", "Torch",
                .product(name: "GRDB", package: "GRDB.swift"), .product(name: "Yams", package: "Yams"),
            ],
            resources: [.embedInCode("Experiments/shipped.yaml")]),
        // Exports models for other programs.
        .target(
            name: "JerseyExport",
            dependencies: ["Jersey", "Torch", .product(name: "SwiftProtobuf", package: "swift-protobuf")],
            exclude: ["ONNX/onnx.proto"]),
        // The HTTP service.
        .target(
            name: "JerseyServer",
            dependencies: [
                "CSandbox", "Jersey", "JerseySupport", "Torch",
                .product(name: "Hummingbird", package: "hummingbird"),
            ],
            resources: [.embedInCode("Page")]),
        // The command line.
        .executableTarget(
            name: "JerseyCLI",
            dependencies: [
                "JerseyExport", "JerseyLab", "JerseyOutput", "JerseyServer", "JerseySynthesis",
                "JerseyVisualization",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        // jersey's side of Benchmarks/compare.py.
        .executableTarget(
            name: "jersey-bench",
            dependencies: [
                "JerseyLab", "JerseySynthesis",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Benchmarks/jersey-bench"),
        // Shared by tests: temporary folders, images, comparisons.
        .target(
            name: "TestSupport", dependencies: ["Jersey", "Torch", "CArchive"], path: "Tests/TestSupport"),
        // Checks that docs/ matches what the program says and does.
        .testTarget(
            name: "DocsTests",
            dependencies: [
                "JerseyCLI", "JerseyExport", "JerseyLab", "JerseyServer", "JerseyVisualization",
                "TestSupport", "Torch",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .testTarget(name: "JerseySupportTests", dependencies: ["JerseySupport", "TestSupport"]),
        .testTarget(name: "TorchTests", dependencies: ["JerseySupport", "Torch", "CTorch", "TestSupport"]),
        .testTarget(name: "JerseyTests", dependencies: ["Jersey", "TestSupport"]),
        .testTarget(
            name: "JerseyLabTests",
            dependencies: [
                "JerseyCLI", "JerseyLab", "JerseyOutput", "JerseySupport", "JerseySynthesis",
                "JerseyVisualization",
                "TestSupport",
            ]),
        .testTarget(name: "JerseyExportTests", dependencies: ["JerseyExport", "JerseyLab", "TestSupport"]),
        .testTarget(
            name: "JerseyServerTests",
            dependencies: [
                "CSandbox", "JerseyCLI", "JerseyLab", "JerseyServer", "TestSupport",
                .product(name: "HummingbirdTesting", package: "hummingbird"),
            ]),
        // Checks against the study's numbers, from fixtures.
        .testTarget(
            name: "ParityTests",
            dependencies: ["JerseyLab", "TestSupport", .product(name: "Crypto", package: "swift-crypto")],
            resources: [.copy("Fixtures")]),
    ],
    cxxLanguageStandard: .cxx20
)

// Tools/fuzz.sh builds these. The first links libFuzzer.
if Context.environment["JERSEY_FUZZ"] != nil {
    package.targets += [
        .executableTarget(name: "jersey-fuzz", dependencies: ["FuzzReaders"], path: "Tools/fuzzing/fuzz"),
        .executableTarget(name: "jersey-cost", dependencies: ["FuzzReaders"], path: "Tools/fuzzing/cost"),
        .target(
            name: "FuzzReaders",
            dependencies: [
                "Jersey", "JerseyLab",
                "JerseyServer", "Torch",
            ], path: "Tools/fuzzing/readers"),
    ]
}
