import Foundation
import FuzzReaders

/// Checks that reading costs no more than a file's size justifies. Each file is read in its own
/// process, whose CPU time and peak memory must stay below a + b × bytes, beyond those of an empty
/// file.
///
///     jersey-cost FOLDER [READER...]      reads the files in FOLDER/READER/
@main
struct Cost {
    /// Also holds for test builds, which are about ten times slower than optimised ones.
    private static let seconds = (fixed: 4.0, perByte: 6e-6)
    /// An image of the largest allowed size is 48 MB, twice while it is being made.
    private static let bytes = (fixed: 256.0 * 1_048_576, perByte: 48.0)

    private struct Use {
        let seconds: Double
        let bytes: Double
        /// The exit status: 0 on success, and if an error was thrown.
        let status: Int32
    }

    /// Stands for an empty file, the cost of the process itself.
    private static let nothing = "-"

    static func main() throws {
        let words = Array(CommandLine.arguments.dropFirst())
        if words.first == "--read", words.count == 3 {
            let data = words[2] == nothing ? Data() : try Data(contentsOf: URL(fileURLWithPath: words[2]))
            do { try Reader(named: words[1]).read(data) } catch { print(String("\(error)".prefix(200))) }
            return
        }
        guard let folder = words.first else {
            print("usage: jersey-cost FOLDER [READER...]")
            exit(2)
        }
        let readers = words.count > 1 ? words.dropFirst().map(Reader.init(named:)) : Reader.allCases
        var findings = 0
        print("reader       file                             bytes   seconds       MiB")
        for reader in readers {
            let place = URL(fileURLWithPath: folder).appendingPathComponent(reader.rawValue)
            let names = ((try? FileManager.default.contentsOfDirectory(atPath: place.path)) ?? []).sorted()
            guard !names.isEmpty else { continue }
            let idle = use(nothing, reader, limit: 60)
            guard idle.status == 0 else {
                print("\(reader.rawValue): fails even on an empty file (status \(idle.status))")
                exit(1)
            }
            for name in names {
                let path = place.appendingPathComponent(name).path
                let size = (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
                let most = Use(
                    seconds: seconds.fixed + seconds.perByte * Double(size), bytes: bytes.fixed + bytes.perByte * Double(size),
                    status: 0)
                let used = use(path, reader, limit: 2 * (most.seconds + idle.seconds))
                let (time, memory) = (used.seconds - idle.seconds, used.bytes - idle.bytes)
                let isFinding = used.status != 0 || time > most.seconds || memory > most.bytes
                findings += isFinding ? 1 : 0
                print(
                    String(
                        format: "%-12@ %-26@ %11d %9.2f %9.0f%@", reader.rawValue, name, size, max(0, time),
                        max(0, memory) / 1_048_576,
                        isFinding
                            ? String(
                                format: "   TOO MUCH: at most %.1f s and %.0f MiB (status %d)", most.seconds,
                                most.bytes / 1_048_576,
                                used.status)
                            : ""))
            }
        }
        print(findings == 0 ? "no reader exceeds its bounds" : "\(findings) files exceed their bounds")
        exit(findings == 0 ? 0 : 1)
    }

    /// Reads a file in its own process.
    private static func use(_ path: String, _ reader: Reader, limit: Double) -> Use {
        let words = ["/proc/self/exe", "--read", reader.rawValue, path]
        var arguments = words.map { strdup($0) } + [nil]
        defer { for word in arguments { free(word) } }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        var child = pid_t()
        guard posix_spawn(&child, "/proc/self/exe", &actions, nil, &arguments, environ) == 0 else {
            return Use(seconds: 0, bytes: 0, status: -1)
        }
        // Kill what runs too long; it counts as a finding.
        let end = ContinuousClock.now + .seconds(max(60, 4 * limit))
        var (status, usage) = (Int32(0), rusage())
        while wait4(child, &status, WNOHANG, &usage) == 0 {
            if ContinuousClock.now > end { kill(child, SIGKILL) }
            usleep(20_000)
        }
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return Use(
            seconds: seconds(usage.ru_utime) + seconds(usage.ru_stime), bytes: Double(usage.ru_maxrss) * 1024, status: status)
    }
}
