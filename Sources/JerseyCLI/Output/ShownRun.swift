import Foundation
import Jersey
import JerseyLab

/// A run for JSON output: its database row, with the JSON text in it decoded.
struct ShownRun: Encodable {
    let run: RunRecord
    var epochs: [EpochRecord]?

    init(_ run: RunRecord, epochs: [EpochRecord]? = nil) {
        self.run = run
        self.epochs = epochs
    }

    private enum CodingKeys: String, CodingKey {
        case config, result, epochs
    }

    func encode(to encoder: any Encoder) throws {
        try run.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(Self.value(run.config), forKey: .config)
        try container.encode(run.result.map(Self.value), forKey: .result)
        try container.encodeIfPresent(epochs, forKey: .epochs)
    }

    private static func value(_ text: String) throws -> ConfigTree { try JSON.decoded(from: Data(text.utf8)) }
}
