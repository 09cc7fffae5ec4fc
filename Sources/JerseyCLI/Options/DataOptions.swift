import ArgumentParser
import Foundation
import Jersey
import JerseyLab

/// How to read a data set.
struct DataOptions: ParsableArguments {
    @Option(help: .setting("data.format", "name"))
    var format: String?

    @Option(help: .setting("data.classes", "list"))
    var classes: String?

    var numbers: [String]? {
        classes?.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    }

    func config(path: String) -> DataConfig {
        var config = DataConfig()
        config.path = path
        config.format = format ?? config.format
        config.classes = numbers
        return config
    }
}
