// swift-tools-version: 6.1
import PackageDescription

/// The pkg-config file in which `make setup` says where libtorch is. A clone has a file of its own. A checkout
/// that another package depends on takes the user's, and so does a clone whose path SwiftPM would split at a space.
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
        // For other packages; Examples/ has one.
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
        // The headers and libraries of libtorch.
        .systemLibrary(name: "CLibtorch", pkgConfig: libtorch),
        // The C ABI over libtorch; the only place that sees its headers.
        .target(name: "CTorch", dependencies: ["CLibtorch"], linkerSettings: [.linkedLibrary("stdc++")]),
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
        // Images, archives, videos, models and inference: what it takes to read a number.
        .target(
            name: "Jersey",
            dependencies: ["Torch", "CArchive", "CBundledModel", "CImage", "CVideo"]),
        // Tables, charts, drawings and pages. It takes pictures from Jersey, and knows nothing of shirt numbers.
        .target(
            name: "JerseyOutput",
            dependencies: ["Jersey", "Torch", "CCairo", .product(name: "Mustache", package: "swift-mustache")],
            resources: [.embedInCode("Pages/Templates")]),
        // Predictions and models as pictures and tables.
        .target(name: "JerseyVisualization", dependencies: ["Jersey", "JerseyOutput", "Torch"]),
        // Rendered players, to train with and to try things out.
        .target(name: "JerseySynthesis", dependencies: ["Jersey", "JerseyOutput", "Torch"]),
        // What a researcher does with it: configuration, labelled data, training, evaluation, experiments, analyses, reports.
        .target(
            name: "JerseyLab",
            dependencies: [
                "Jersey", "JerseyOutput", "JerseyVisualization", "Torch", .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Yams", package: "Yams"),
            ],
            resources: [.embedInCode("Experiments/shipped.yaml")]),
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
                "JerseyExport", "JerseyLab", "JerseyOutput", "JerseyServer", "JerseySynthesis", "JerseyVisualization",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        // The measured side of Benchmarks/compare.py.
        .executableTarget(
            name: "jersey-bench",
            dependencies: ["JerseyLab", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            path: "Benchmarks/jersey-bench"),
        // What tests share: folders that go away, pictures, comparisons.
        .target(name: "TestSupport", dependencies: ["Jersey", "Torch", "CArchive"], path: "Tests/TestSupport"),
        // The pages of docs are what the program says and does.
        .testTarget(
            name: "DocsTests",
            dependencies: [
                "JerseyCLI", "JerseyExport", "JerseyLab", "JerseyServer", "JerseyVisualization", "TestSupport", "Torch",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .testTarget(name: "TorchTests", dependencies: ["Torch", "CTorch", "TestSupport"]),
        .testTarget(name: "JerseyTests", dependencies: ["Jersey", "TestSupport"]),
        .testTarget(
            name: "JerseyLabTests",
            dependencies: [
                "JerseyCLI", "JerseyLab", "JerseyOutput", "JerseySynthesis", "JerseyVisualization", "TestSupport",
            ]),
        .testTarget(name: "JerseyExportTests", dependencies: ["JerseyExport", "JerseyLab", "TestSupport"]),
        .testTarget(
            name: "JerseyServerTests",
            dependencies: [
                "JerseyCLI", "JerseyLab", "JerseyServer", "TestSupport",
                .product(name: "HummingbirdTesting", package: "hummingbird"),
            ]),
        // The study's numbers, from its fixtures.
        .testTarget(
            name: "ParityTests", dependencies: ["JerseyLab", "TestSupport", .product(name: "Crypto", package: "swift-crypto")],
            resources: [.copy("Fixtures")]),
    ],
    cxxLanguageStandard: .cxx20
)

// Tools/fuzz.sh builds these; the first with what it takes to link it.
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
