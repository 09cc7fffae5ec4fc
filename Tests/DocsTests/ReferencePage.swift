import ArgumentParser
import Foundation
import Jersey
import JerseyLab
import JerseyVisualization
import TestSupport
import Testing

@testable import JerseyCLI
@testable import JerseyExport

/// A page of docs/reference, rendered from the program's own definitions.
struct ReferencePage: Sendable, CustomTestStringConvertible {
    let name: String
    let render: @Sendable () throws -> String

    static let all: [ReferencePage] = [.settings, .models, .formats, .analyses, .experiments, .cli, .http]

    var testDescription: String { name }

    /// The page's place in the repository.
    var file: URL { Places.repository.appendingPathComponent("docs/reference/\(name).md") }

    /// The whole file.
    func text() throws -> String {
        try
            "<!-- Written by `UPDATE_DOCS=1 swift test --filter Docs`; a test compares it with the program. -->\n\n"
            + render()
    }
}

// MARK: - The pages

extension ReferencePage {
    static let settings = ReferencePage(name: "settings") {
        let sections = [
            ("", "The run"), ("data.", "Data"), ("augmentation.", "Augmentation"),
            ("optimizer.", "Optimizer"),
            ("training.", "Training"),
        ]
        let tables = sections.map { prefix, title in
            let rows = Setting.all.filter {
                $0.key.hasPrefix(prefix) && (prefix != "" || !$0.key.contains("."))
            }
            return "## \(title)\n\n" + table(["key", "default", "values", "flag", "meaning"], rows.map(row))
        }
        return """
            # Settings

            A file (`jersey train --config`, YAML or JSON) overrides the defaults, the environment overrides the file, and flags \
            override both. `--set KEY=VALUE` takes every key. The environment variable of a key starts with `JERSEY_` and has `_` \
            for each dot and before each capital: `JERSEY_TRAINING_BATCH_SIZE` for `training.batchSize`. \
            `jersey train --list-settings` prints all settings, and `jersey help KEY` prints one. An unknown key is an error.

            Settings with a * affect only where and how a run executes, not its numbers. You can change them when you resume a run.

            \(tables.joined(separator: "\n\n"))

            """
    }

    private static func row(_ setting: Setting) -> [String] {
        let value = setting.text(in: RunConfig())
        return [
            "`\(setting.key)`" + (setting.isMachineOnly ? " *" : ""), value == "-" ? "" : "`\(value)`",
            escaped(setting.allowed), setting.flag.map { "`\($0.usage)`" } ?? "", escaped(setting.meaning),
        ]
    }

    static let models = ReferencePage(name: "models") {
        let models = ModelSpec.all.map { spec in
            let older = ModelSpec.aliases.filter { $0.value == spec.name }.keys.sorted()
            return [
                "`\(spec.name)`", spec.phase.rawValue, "`\(spec.encoder.name)`",
                spec.temporal?.description ?? "",
                spec.poolingName, "\(ModelOutline(spec).parameters)", code(older),
            ]
        }
        return """
            # Models

            `--model NAME` trains a model, `jersey models NAME` lists its parts, and `--diagram` draws it. Phases 0, A and B are \
            the study's, E is ours.

            \(table(["name", "phase", "encoder", "recurrent layer", "pooling", "parameters", "older names"], models))

            ## Encoders

            `--encoder NAME` replaces the model's own encoder.

            \(table(["name", "network", "other names"], EncoderKind.all.map { encoder in
                let others = EncoderKind.aliases.filter { $0.value == encoder.name }.keys.sorted()
                return ["`\(encoder.name)`", encoder.summary, code(others)]
            }))

            ## Pooling

            `none` reads one frame. `weighted mean` reads every frame alone and averages the log-probabilities, weighted by how \
            readable the frame is. The others pool the states of a recurrent layer:

            \(list(ModelSpec.Pooling.self))

            """
    }

    static let formats = ReferencePage(name: "formats") {
        """
        # Formats

        ## Data sets

        Values of `--format` in `train`, `evaluate`, `calibrate`, `benchmark` and `dataset`. See \
        [files.md](files.md#data-sets) for details.

        \(list(DatasetFormat.self))

        ## Predictions

        Values of `jersey predict --format`. See [files.md](files.md#predictions) for the keys and columns.

        \(list(OutputFormat.self))

        ## Exports

        Values of `jersey export --format`. See [export.md](../guides/export.md) for how to load each.

        \(list(ExportFormat.self))

        """
    }

    static let analyses = ReferencePage(name: "analyses") {
        """
        # Analyses

        Analyses of `jersey analyze NAME FOLDER`. See [experiments.md](../guides/experiments.md#analyses) for the files of each.

        \(list(Analysis.self))

        """
    }

    static let experiments = ReferencePage(name: "experiments") {
        let rows = ShippedExperiment.all.map {
            ["`\($0.name)`", "\($0.experiment.runCount)", escaped($0.summary)]
        }
        return """
            # Shipped experiments

            `jersey experiment run NAME` runs an experiment, `jersey experiment show NAME` prints its file. See \
            [experiments.md](../guides/experiments.md).

            \(table(["name", "runs", "what"], rows))

            """
    }

    static let cli = ReferencePage(name: "cli") {
        """
        # Command line

        \(help(of: JerseyCommand.self, path: ["jersey"]).joined(separator: "\n\n"))

        """
    }

    /// The help of a command and its subcommands.
    private static func help(of command: any ParsableCommand.Type, path: [String]) -> [String] {
        let text = JerseyCommand.helpMessage(for: command, columns: 100)
        let heading = String(repeating: "#", count: min(path.count + 1, 6))
        var pages = ["\(heading) \(path.joined(separator: " "))\n\n```\n\(text)\n```"]
        for child in command.configuration.subcommands where child.configuration.shouldDisplay {
            pages += help(of: child, path: path + [child._commandName])
        }
        return pages
    }
}

// MARK: - Markdown

extension ReferencePage {
    static func list<Thing: Catalogued>(_: Thing.Type) -> String {
        table(["name", "what"], Thing.all.map { ["`\($0.name)`", escaped($0.summary)] })
    }

    static func table(_ header: [String], _ rows: [[String]]) -> String {
        ([header, header.map { _ in "---" }] + rows).map { "| \($0.joined(separator: " | ")) |" }.joined(
            separator: "\n")
    }

    private static func code(_ names: [String]) -> String { names.map { "`\($0)`" }.joined(separator: ", ") }

    /// Escapes HTML in text, except between backticks.
    static func escaped(_ text: String) -> String {
        text.split(separator: "`", omittingEmptySubsequences: false).enumerated().map { place, part in
            let safe =
                place.isMultiple(of: 2)
                ? String(part.replacing("<", with: "&lt;").replacing("*", with: "\\*")) : String(part)
            return safe.replacing("|", with: "\\|")
        }
        .joined(separator: "`")
    }
}
