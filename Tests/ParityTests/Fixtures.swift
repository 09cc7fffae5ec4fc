import Foundation
import Testing

/// The study's numbers, from the fixtures beside these tests, or from the folder in the same format
/// that `JERSEY_PARITY` names.
enum Fixtures {
    static let folder: URL = {
        if let given = ProcessInfo.processInfo.environment["JERSEY_PARITY"], !given.isEmpty {
            return URL(fileURLWithPath: given)
        }
        return Bundle.module.resourceURL!.appendingPathComponent("Fixtures")
    }()

    /// The folder that the image paths of `data.json` are relative to, which `JERSEY_SHARED` names.
    /// Nil without it: real images are not part of the repository.
    static let images: URL? = ProcessInfo.processInfo.environment["JERSEY_SHARED"].flatMap {
        $0.isEmpty ? nil : URL(fileURLWithPath: $0)
    }

    /// A file in the folder.
    enum File: String {
        case stateDict = "statedict.json"
        case models = "models.json"
        case training = "training.json"
        case data = "data.json"

        var isThere: Bool {
            FileManager.default.fileExists(atPath: folder.appendingPathComponent(rawValue).path)
        }
    }

    private static func decode<Value: Decodable>(_ file: File) throws -> Value {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(
            Value.self, from: Data(contentsOf: folder.appendingPathComponent(file.rawValue)))
    }

    // Read once. A broken file fails every test that uses it. Tests whose file is missing are
    // skipped.
    private static let stateDictResult = Result { try decode(.stateDict) as StateDictFixture }
    private static let modelsResult = Result { try decode(.models) as ModelsFixture }
    private static let trainingResult = Result { try decode(.training) as TrainingFixture }
    private static let dataResult = Result { try decode(.data) as DataFixture }

    static var stateDict: StateDictFixture { get throws { try stateDictResult.get() } }
    static var models: ModelsFixture { get throws { try modelsResult.get() } }
    static var training: TrainingFixture { get throws { try trainingResult.get() } }
    static var data: DataFixture { get throws { try dataResult.get() } }
}

extension Trait where Self == ConditionTrait {
    /// Skips the test, with a reason, if the folder of fixtures lacks one of these files.
    static func needs(_ files: Fixtures.File...) -> Self {
        let missing = files.filter { !$0.isThere }.map(\.rawValue).joined(separator: " and ")
        return .enabled(if: missing.isEmpty, "there is no \(missing) in \(Fixtures.folder.path)")
    }
}

/// Records an issue with the largest difference if it exceeds `tolerance`. NaN always does.
func expectClose(
    _ values: [Double], _ expected: [Double], within tolerance: Double, _ what: String,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    guard values.count == expected.count else {
        Issue.record(
            "\(what): \(values.count) values instead of \(expected.count)", sourceLocation: sourceLocation)
        return
    }
    let distances = zip(values, expected).map { abs($0 - $1) }
    guard let worst = distances.indices.first(where: { !(distances[$0] <= tolerance) }) else { return }
    Issue.record(
        "\(what)[\(worst)] is \(values[worst]) instead of \(expected[worst]): \(distances[worst]) apart, allowed \(tolerance)",
        sourceLocation: sourceLocation)
}

// MARK: - statedict.json

struct StateDictFixture: Decodable, Sendable {
    struct RuleChecks: Decodable, Sendable {
        let fnv1a64: [String: String]
        let splitmix64: [String: String]
        let units: [String: [Double]]
    }

    /// A tensor of a model, or an input.
    struct Example: Decodable, Sendable, CustomTestStringConvertible {
        let model: String?
        let tensor: String?
        let input: String?
        let shape: [Int]
        let first4: [Double]
        let sum: Double

        var testDescription: String { (model.map { $0 + ": " } ?? "") + (tensor ?? input ?? "") }
    }

    /// `[name, shape]`.
    struct NamedShape: Decodable, Sendable {
        let name: String
        let shape: [Int]

        init(from decoder: any Decoder) throws {
            var pair = try decoder.unkeyedContainer()
            name = try pair.decode(String.self)
            shape = try pair.decode([Int].self)
        }
    }

    struct Model: Decodable, Sendable {
        let backbone: String
        let prefix: String
        let own: [NamedShape]
    }

    let ruleChecks: RuleChecks
    let examples: [Example]
    let backbones: [String: [NamedShape]]
    let models: [String: Model]
}

// MARK: - models.json

struct ModelsFixture: Decodable, Sendable {
    struct Features: Decodable, Sendable {
        let first8: [Double]
        let l2: Double
    }

    struct Case: Decodable, Sendable {
        let `case`: String
        let input: String
        let shape: [Int]
        let lengths: [Int]?
        let attentionRule: String?
        let tensLogits: [[Double]]
        let onesLogits: [[Double]]
        let attention: [[Double]]?
        let firstImageFeatures: Features?
    }

    struct Model: Decodable, Sendable {
        let phase: String
        let backbone: String
        let recurrent: String?
        let bidirectional: Bool?
        let hidden: Int?
        let headFeatureDim: Int
        let gain: Double
        let parameters: Int
        let stateEntries: Int
        let stateDigest: String
        let cases: [Case]
    }

    let gains: [String: Double]
    let models: [String: Model]
}

// MARK: - training.json

struct TrainingFixture: Decodable, Sendable {
    struct Optimizer: Decodable, Sendable {
        let weightDecay: Double
        let clipGlobalNorm: Double
        let lrUniform: Double
        let lrBackbone: Double
        let lrTemporal: Double
        let lrHeads: Double
    }

    struct Group: Decodable, Sendable, Equatable {
        let lr: Double
        let parameters: Int
    }

    struct FinalEval: Decodable, Sendable {
        let tensLogits: [[Double]]
        let onesLogits: [[Double]]
        let tolerance: Double
    }

    struct Case: Decodable, Sendable, CustomTestStringConvertible {
        let model: String
        let learningRates: String
        let input: String
        let shape: [Int]
        let lengths: [Int]?
        let framesEncoded: String?
        let attentionRule: String?
        let tensLabels: [Int]
        let onesLabels: [Int]
        let groups: [String: Group]
        let forgottenParameters: [String]
        let loss: [Double]
        let lossTolerance: [Double]
        let lossTens: [Double]
        let lossTensTolerance: [Double]
        let lossOnes: [Double]
        let lossOnesTolerance: [Double]
        let gradNorm: [Double]
        let gradNormTolerance: [Double]
        let finalEval: FinalEval?

        var testDescription: String {
            let frames = framesEncoded.map { $0 + " frames encoded" }
            return [model, learningRates, frames, attentionRule].compactMap(\.self).joined(separator: ", ")
        }
    }

    struct Micro: Decodable, Sendable, CustomTestStringConvertible {
        struct Step: Decodable, Sendable {
            let gradA: [Double]
            let gradB: [Double]
            let gradNorm: Double
            let a: [Double]
            let b: [Double]
        }

        let setting: String
        let lrA: Double
        let lrB: Double
        let weightDecay: Double
        let betas: [Double]
        let eps: Double
        let clip: Double
        let startA: [Double]
        let startB: [Double]
        let steps: [Step]

        var testDescription: String { setting }
    }

    struct Schedule: Decodable, Sendable, CustomTestStringConvertible {
        let kind: String
        let epochs: Int
        let stepsPerEpoch: Int
        let warmupEpochs: Int?
        let pctStart: Double?
        let multiplier: [Double]
        let multiplierAfterLastStep: Double?
        let adamBeta1: [Double]?

        var testDescription: String { kind }
    }

    let optimizer: Optimizer
    let cases: [Case]
    let optimizerMicro: [Micro]
    let schedules: [Schedule]
}

// MARK: - data.json

struct DataFixture: Decodable, Sendable {
    struct Picture: Decodable, Sendable, CustomTestStringConvertible {
        let path: String
        let size: [Int]
        let decodedSha256: String
        let decodedMean: Double
        let resizedSize: [Int]
        let resizedSha256: String
        let resizedFirst30: [Int]
        let resizedMean: Double
        let padTop: Int
        let padLeft: Int
        let tensorMean: Double
        let tensorStd: Double
        /// Channel, y, x, value.
        let tensorSamples: [[Double]]

        var testDescription: String { path }
    }

    struct Pixels: Decodable, Sendable {
        /// The operations of a chain; nil for a single one.
        let ops: [String]?
        let sha256: String
        let mean: Double
        /// y, x, red, green, blue.
        let pixels: [[Int]]
    }

    struct Augmentation: Decodable, Sendable {
        let path: String
        let resizedSize: [Int]
        let base: Pixels
        let ops: [String: Pixels]
        let chain: Pixels
    }

    struct Ordering: Decodable, Sendable {
        let listing: [String]
        let anchorFirst: Bool
        let frames: [String]
        let anchorIndex: Int
    }

    struct Sampling: Decodable, Sendable {
        let frames: Int
        let limit: Int
        let anchorFirst: Bool
        let indices: [Int]
    }

    struct Collate: Decodable, Sendable {
        let itemLengths: [Int]
        let limit: Int
        let lengths: [Int]
        let frames: [[Int]]
    }

    struct Metrics: Decodable, Sendable {
        let jerseys: [String]
        let tensLabels: [Int]
        let onesLabels: [Int]
        let tensLogits: [[Double]]
        let onesLogits: [[Double]]
        let predicted: [String]
        let accTens: Double
        let accOnes: Double
        let accNumber: Double
        let loss: Double
        let lossTens: Double
        let lossOnes: Double
    }

    let preprocess: [Picture]
    /// Width, height, new width, new height.
    let fitSize: [[Int]]
    let augmentation: Augmentation
    let ordering: [Ordering]
    let sampling: [Sampling]
    let collate: [Collate]
    /// Tracks, train, validation, test.
    let splitSizes: [[Int]]
    let metrics: Metrics
}
