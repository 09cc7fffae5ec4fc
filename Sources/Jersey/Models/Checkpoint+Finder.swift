import Foundation
import Torch

/// The finder of numbers in a model's file. Its tensors have a prefix of their own.
extension Checkpoint {
    static let finderPrefix = "finder."

    /// The finder that the model reads with: its own, or the bundled one if the file has none.
    ///
    /// - Throws: `FileError` if names or shapes differ, or values are not finite.
    package func finderNetwork(path: String) throws -> FinderNetwork {
        guard finder.isEmpty else { return try Self.finderNetwork(finder, path: path) }
        return try Self.finderNetwork(Checkpoint.bundled().finder, path: Self.bundledName)
    }

    /// The finder in a file that holds nothing else, or with a model.
    ///
    /// - Throws: `FileError` if there is none, or it is broken.
    package static func finderNetwork(contentsOf url: URL) throws -> FinderNetwork {
        try finderNetwork(read(url).0.part(finderPrefix), path: url.path)
    }

    private static func finderNetwork(_ tensors: [String: Tensor], path: String) throws -> FinderNetwork {
        let network = FinderNetwork()
        if let problem = network.store.mismatches(with: tensors).first {
            throw FileError(
                path, "holds no finder of numbers: \(problem)", advice: "train one, or name another file")
        }
        try checkFinite(tensors, path: path)
        network.store.load(tensors)
        return network
    }

    /// Writes a finder by itself.
    package static func write(_ finder: FinderNetwork, to url: URL) throws {
        try Safetensors(metadata: ["format": "pt"], tensors: finder.store.tensors.prefixed(by: finderPrefix))
            .write(to: url)
    }
}
