// swift-tools-version: 6.1
import PackageDescription

let package = Package(
    name: "ReadFolder",
    dependencies: [
        // Where you have jersey from.
        .package(url: "https://example.com/jersey", branch: "main")
    ],
    targets: [
        .executableTarget(name: "ReadFolder", dependencies: [.product(name: "Jersey", package: "jersey")]),
        .executableTarget(name: "ReadStream", dependencies: [.product(name: "Jersey", package: "jersey")]),
    ]
)
