import Foundation

/// The machine's memory.
enum Memory {
    /// Free bytes within the limits of machine and container; nil if unknown.
    static var available: Int? {
        let bounds = [
            system, container("/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"),
            container(
                "/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
                "total_inactive_file"),
        ]
        return bounds.compactMap(\.self).min()
    }

    private static var system: Int? { value("MemAvailable:", in: "/proc/meminfo").map { $0 << 10 } }

    /// Free bytes of a cgroup. The page cache counts as used but can be reclaimed, so it is added
    /// back.
    private static func container(_ folder: String, _ limit: String, _ usage: String, _ files: String) -> Int?
    {
        func number(_ name: String) -> Int? {
            (try? String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)).flatMap {
                Int($0.trimmingCharacters(in: .whitespacesAndNewlines))
            }
        }
        guard let limit = number(limit), let usage = number(usage) else { return nil }
        return max(0, limit - usage + (value(files, in: "\(folder)/memory.stat") ?? 0))
    }

    /// The number after `word` at the start of a line.
    private static func value(_ word: String, in file: String) -> Int? {
        let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count > 1, words[0] == word { return Int(words[1]) }
        }
        return nil
    }
}
