import Foundation
import Torch

/// The machine's processor.
package enum Processor {
    /// Such as "AMD EPYC 9554 64-Core Processor".
    package static var name: String {
        let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
        return line?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) } ?? "unknown"
    }

    /// Load average of the last minute; nil if unknown.
    static var load: Double? {
        var load = 0.0
        return getloadavg(&load, 1) == 1 ? load : nil
    }
}

extension Device {
    /// "cuda (NVIDIA H200, 140 GiB)", "cpu (AMD EPYC 9554 64-Core Processor, 64 threads)".
    var displayName: String {
        switch self {
        case .cpu: "cpu (\(Processor.name), \(Runtime.threads) thread\(Runtime.threads == 1 ? "" : "s"))"
        // jersey uses the first GPU.
        case .cuda: Runtime.gpus.first.map { "cuda (\($0))" } ?? "cuda"
        }
    }
}
