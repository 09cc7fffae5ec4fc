import ArgumentParser
import Foundation
import Jersey

/// How a data set is read.
struct DataOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Format of the data set: \(DatasetFormat.all.map { "\($0.name) (\($0.summary))" }.joined(separator: ", ")).",
            valueName: "name"))
    var format: String?

    @Option(help: ArgumentHelp("Numbers to use, such as 4,6,07; all where not given.", valueName: "list"))
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
