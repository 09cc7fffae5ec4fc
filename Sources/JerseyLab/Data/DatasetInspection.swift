import Foundation
import Jersey
import Synchronization

/// Contents and problems of a data set.
package struct DatasetInspection: Encodable, Sendable {
    /// Counts for one number.
    package struct NumberCount: Encodable, Sendable, Equatable {
        package let number: JerseyNumber
        package let tracks: Int
        package let sequences: Int
        package let frames: Int
    }

    /// Counts of anchors, as the study verifies them.
    package struct Anchors: Encodable, Sendable, Equatable {
        package let marked: Int
        package let missing: Int
        /// Marked anchors that are their sequence's first frame; `last` and `between` count the
        /// others.
        package let first: Int
        package let last: Int
        package let between: Int
    }

    package struct Problem: Encodable, Sendable, Equatable {
        package enum Kind: String, Encodable, Sendable, CaseIterable {
            case unreadable
            case duplicate
            case twoNumbers = "two numbers"
            case remark
        }
        package let kind: Kind
        package let text: String
    }

    package let numbers: [NumberCount]
    package let anchors: Anchors
    /// Frame counts of the shortest, median and longest sequence.
    package let lengths: [Int]
    package let problems: [Problem]

    /// Reads every file of the data set.
    ///
    /// - Parameter progress: called after each frame, from several threads.
    package init(_ dataset: Dataset, workers: Int, progress: @escaping @Sendable () -> Void = {}) {
        numbers = dataset.numbers.map { number in
            let sequences = dataset.sequences.filter { $0.number == number }
            return NumberCount(
                number: number, tracks: Set(sequences.map(\.track)).count, sequences: sequences.count,
                frames: sequences.reduce(0) { $0 + $1.frames.count })
        }
        let marked = dataset.sequences.filter { $0.anchor != nil }
        let first = marked.count { $0.anchor == 0 }
        let last = marked.count { $0.anchor == $0.frames.count - 1 && $0.frames.count > 1 }
        anchors = Anchors(
            marked: marked.count, missing: dataset.sequences.count - marked.count, first: first, last: last,
            between: marked.count - first - last)
        let lengths = dataset.sequences.map(\.frames.count).sorted()
        self.lengths =
            lengths.isEmpty ? [] : [lengths[0], lengths[lengths.count / 2], lengths[lengths.count - 1]]
        let files = Self.readFiles(dataset.sequences.flatMap(\.frames), workers: workers, progress: progress)
        problems =
            dataset.remarks.map { Problem(kind: .remark, text: $0) } + files + Self.duplicates(dataset)
            + Self.twoNumbers(dataset)
    }

    private static func readFiles(_ paths: [String], workers: Int, progress: @escaping @Sendable () -> Void)
        -> [Problem]
    {
        let reasons = FileReasons(count: paths.count)
        let chunk = max(1, (paths.count + workers - 1) / max(workers, 1))
        DispatchQueue.concurrentPerform(iterations: (paths.count + chunk - 1) / chunk) { part in
            for index in part * chunk..<min((part + 1) * chunk, paths.count) {
                do {
                    _ = try RGBImage(contentsOf: URL(fileURLWithPath: paths[index]))
                } catch {
                    reasons.set(index, "\(error)")
                }
                progress()
            }
        }
        return reasons.all.map { Problem(kind: .unreadable, text: $0) }
    }

    /// Identical files in different sequences. Only files of equal size are compared.
    private static func duplicates(_ dataset: Dataset) -> [Problem] {
        var bySize: [Int: [(path: String, sequence: String)]] = [:]
        for sequence in dataset.sequences {
            for path in sequence.frames {
                let size = FileNames.size(path) ?? 0
                bySize[size, default: []].append((path, sequence.id))
            }
        }
        var problems: [Problem] = []
        for (size, files) in bySize.sorted(by: { $0.key < $1.key }) where files.count > 1 && size > 0 {
            let groups = Dictionary(grouping: files) {
                (try? Data(wholeFile: $0.path)) ?? Data($0.path.utf8)
            }
            for group in groups.values where Set(group.map(\.sequence)).count > 1 {
                let paths = group.map(\.path).sorted(by: naturallyPrecedes)
                problems.append(
                    Problem(
                        kind: .duplicate,
                        text:
                            "\(paths[0]) has the same content as \(paths.dropFirst().joined(separator: ", "))"
                    ))
            }
        }
        return problems.sorted { naturallyPrecedes($0.text, $1.text) }
    }

    /// Track folders whose name occurs under several numbers.
    private static func twoNumbers(_ dataset: Dataset) -> [Problem] {
        let owners = Dictionary(grouping: dataset.tracks) { String($0.drop { $0 != "/" }.dropFirst()) }
        return owners.filter { !$0.key.isEmpty && $0.value.count > 1 }.sorted {
            naturallyPrecedes($0.key, $1.key)
        }.map {
            name, tracks in
            Problem(
                kind: .twoNumbers,
                text: "track \(name) is under several numbers: \(tracks.joined(separator: ", "))")
        }
    }
}

private final class FileReasons: Sendable {
    private let reasons: Mutex<[String?]>

    init(count: Int) {
        reasons = Mutex(Array(repeating: nil, count: count))
    }

    func set(_ index: Int, _ reason: String) {
        reasons.withLock { $0[index] = reason }
    }

    var all: [String] { reasons.withLock { $0.compactMap { $0 } } }
}
