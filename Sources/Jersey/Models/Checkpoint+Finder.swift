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
        try finderNetwork(parts(of: read(url).0, named: finderPrefix), path: url.path)
    }

    private static func finderNetwork(_ tensors: [String: Tensor], path: String) throws -> FinderNetwork {
        let network = FinderNetwork()
        if let problem = network.store.mismatches(with: tensors).first {
            throw FileError(
                path, "holds no finder of numbers: \(problem)", advice: "train one, or name another file")
        }
        if let broken = tensors.filter({ !$0.value.isFinite }).keys.min() {
            throw FileError(path, "has NaN or infinity in \(broken)", advice: "write the weights again")
        }
        network.store.load(tensors)
        return network
    }

    /// Writes a finder by itself.
    package static func write(_ finder: FinderNetwork, to url: URL) throws {
        try Safetensors(metadata: ["format": "pt"], tensors: prefixed(finder.store.tensors)).write(to: url)
    }

    static func prefixed(_ finder: [String: Tensor]) -> [String: Tensor] {
        Dictionary(uniqueKeysWithValues: finder.map { (finderPrefix + $0.key, $0.value) })
    }

    /// The tensors whose names begin with a prefix, without it.
    static func parts(of tensors: [String: Tensor], named prefix: String) -> [String: Tensor] {
        Dictionary(
            uniqueKeysWithValues: tensors.filter { $0.key.hasPrefix(prefix) }.map {
                (String($0.key.dropFirst(prefix.count)), $0.value)
            })
    }
}
