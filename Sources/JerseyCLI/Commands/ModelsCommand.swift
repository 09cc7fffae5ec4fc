import ArgumentParser
import Foundation
import Jersey
import JerseyLab

struct ModelsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "models", abstract: "Lists the models.")

    @Flag(help: "Print JSON: an array of objects with name, phase, encoder, temporal, pooling, parameters.")
    var json = false

    struct Row: Encodable {
        let name: String
        let phase: String
        let encoder: String
        let temporal: String?
        let pooling: String
        let parameters: Int

        private enum CodingKeys: String, CodingKey { case name, phase, encoder, temporal, pooling, parameters }

        init(_ spec: ModelSpec) {
            name = spec.name
            phase = spec.phase.rawValue
            encoder = spec.encoder.rawValue
            temporal = spec.temporal?.description
            pooling = spec.pooling.description
            parameters = JerseyModel(spec).store.parameterCount
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(name, forKey: .name)
            try container.encode(phase, forKey: .phase)
            try container.encode(self.encoder, forKey: .encoder)
            try container.encode(temporal, forKey: .temporal)
            try container.encode(pooling, forKey: .pooling)
            try container.encode(parameters, forKey: .parameters)
        }
    }

    func run() throws {
        let rows = ModelSpec.all.map(Row.init)
        if json { return print(JSON.text(try JSON.readable(rows)), terminator: "") }
        print(
            Table(
                ["name", "phase", "encoder", "temporal", "pooling", "parameters"],
                rows: rows.map { [$0.name, $0.phase, $0.encoder, $0.temporal ?? "-", $0.pooling, "\($0.parameters)"] }))
        print(
            "\nOlder names: "
                + ModelSpec.aliases.sorted { $0.key < $1.key }.map { "\($0.key) = \($0.value)" }.joined(separator: ", "))
    }
}
