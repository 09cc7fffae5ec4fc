import Jersey

extension Remedy {
    /// What the command line has for it.
    var commandLine: String {
        switch self {
        case .boxColumns: "--box-columns"
        case .boxes: "--boxes"
        case .clusterOptions: "--sbatch \"--partition=gpu --time=2:00:00\""
        case .calibration: "`jersey calibrate`"
        case .device: "`jersey doctor` says why, --device cpu does without"
        case .earlyExit: "--anytime"
        case .encoder: "--encoder"
        case .experimentList: "`jersey experiment list` shows them"
        case .launcher: "--launcher local does without"
        case .model: "--model"
        case .modelList: "`jersey models` lists them"
        case .precision: "--precision"
        case .published: "leave out --published"
        case .shards: "--shards"
        case .settingList: "`jersey train --list-settings` lists them"
        }
    }
}

extension Error {
    /// The message of an error for users of the command line: with the flag or the command that helps.
    var message: String {
        "\(self)" + (remedy.map { " (\($0.commandLine))" } ?? "")
    }
}
