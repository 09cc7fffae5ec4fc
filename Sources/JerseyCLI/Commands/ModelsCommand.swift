import ArgumentParser
import Foundation
import Jersey
import JerseyOutput
import JerseyVisualization

struct ModelsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models", abstract: "Lists all models, or shows or draws one.",
        discussion: """
            Example: jersey models attn_bgru_luong
            Example: jersey models attn_bgru_luong --diagram luong.svg
            """)

    @Argument(help: ArgumentHelp("Model to show in detail (default: list all).", valueName: "name"))
    var name: String?

    @Option(help: ArgumentHelp("Use this encoder instead of the model's own.", valueName: "name"))
    var encoder: String?

    @Option(
        defaultAsFlag: "",
        help: ArgumentHelp("Draw the model as SVG or PNG (default file: NAME.svg).", valueName: "file"))
    var diagram: String?

    @Flag(
        help:
            "Print JSON: an array of objects with name, phase, encoder, temporal, pooling, parameters; for one model its object, with parts."
    )
    var json = false

    struct Row: Encodable {
        let name: String
        let phase: String
        let encoder: String
        let temporal: String?
        let pooling: String
        let parameters: Int
        /// Nil in the list of all models.
        let parts: [ModelOutline.Part]?

        private enum CodingKeys: String, CodingKey {
            case name, phase, encoder, temporal, pooling, parameters, parts
        }

        init(_ spec: ModelSpec, parameters: Int, parts: [ModelOutline.Part]? = nil) {
            name = spec.name
            phase = spec.phase.rawValue
            encoder = spec.encoder.rawValue
            temporal = spec.temporal?.description
            pooling = spec.poolingName
            self.parameters = parameters
            self.parts = parts
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(name, forKey: .name)
            try container.encode(phase, forKey: .phase)
            try container.encode(self.encoder, forKey: .encoder)
            try container.encode(temporal, forKey: .temporal)
            try container.encode(pooling, forKey: .pooling)
            try container.encode(parameters, forKey: .parameters)
            try container.encodeIfPresent(parts, forKey: .parts)
        }
    }

    func run() throws {
        if let name { return try show(ModelSpec.named(name, encoder: encoder.map(EncoderKind.named))) }
        guard encoder == nil && diagram == nil else {
            throw UsageError(
                "--encoder and --diagram need a model; name it, such as jersey models attn_bgru_luong --diagram"
            )
        }
        let rows = ModelSpec.all.map { Row($0, parameters: JerseyModel($0).store.parameterCount) }
        if json { return Console.printExactly(JSON.text(try JSON.output(rows))) }
        Console.print(
            Table(
                ["name", "phase", "encoder", "temporal", "pooling", "parameters"],
                rows: rows.map {
                    [$0.name, $0.phase, $0.encoder, $0.temporal ?? "-", $0.pooling, "\($0.parameters)"]
                }))
        Console.print()
        Console.print(
            "Older names: "
                + ModelSpec.aliases.sorted { $0.key < $1.key }.map { "\($0.key) = \($0.value)" }.joined(
                    separator: ", "))
    }

    private func show(_ spec: ModelSpec) throws {
        let file = try diagram.map { try Self.file($0.isEmpty ? "\(spec.name).svg" : $0) }
        let outline = ModelOutline(spec)
        if let file {
            let drawing = ModelDiagram(outline)
            try AtomicFile.write(
                file.pathExtension.lowercased() == "png" ? drawing.png() : drawing.svg(), to: file)
            Console.error("drew \(spec.title) in \(file.relativePath)")
            return
        }
        if json {
            let row = Row(spec, parameters: outline.parameters, parts: outline.parts)
            return Console.printExactly(JSON.text(try JSON.output(row)))
        }
        let older = ModelSpec.aliases.filter { $0.value == spec.name && spec.title == spec.name }.keys
            .sorted()
        let former = older.isEmpty ? "" : ", formerly \(older.joined(separator: ", "))"
        Console.print(spec.title + former + ", phase \(spec.phase.rawValue)")
        Console.print()
        Console.print(outline.table)
    }

    private static func file(_ path: String) throws -> URL {
        let file = URL(fileURLWithPath: path)
        guard ["svg", "png"].contains(file.pathExtension.lowercased()) else {
            throw UsageError("--diagram writes .svg or .png, not '\(path)'")
        }
        try AtomicFile.check(path)
        return file
    }
}
