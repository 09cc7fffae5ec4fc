import ArgumentParser
import Foundation
import Jersey

/// Reads the items of a manifest. An item that cannot be read has a result that says why.
struct ItemReader {
    typealias Item = (number: Int, item: Result<Manifest.Item, FileError>)
    /// Reads the tracks of a video, with the boxes in a file or its own.
    typealias VideoReading = (_ path: String, _ boxes: String?) throws -> [Prediction]

    private let recognizer: Recognizer
    /// Called often; what it throws ends the reading.
    private let checkStopped: () throws -> Void
    /// What the command does with the predictions of one item.
    private let finished: ([Prediction]) -> [Prediction]
    private let readVideo: VideoReading
    /// The archive of the last members, which those after them are mostly of, too.
    private var members: ArchiveMembers?

    init(
        _ recognizer: Recognizer, stopping: @escaping () throws -> Void,
        finished: @escaping ([Prediction]) -> [Prediction], video: @escaping VideoReading
    ) {
        self.recognizer = recognizer
        checkStopped = stopping
        self.finished = finished
        readVideo = video
    }

    /// What an item turned out to be.
    private enum Found {
        case sequences([FrameSequence])
        case predictions([Prediction])
        case failure(any Error)
    }

    /// - Returns: the results of all items, in order, at least one of each.
    /// - Throws: `ExitCode` where `stopping` does.
    mutating func read(_ items: [Item]) throws -> [ItemResult] {
        var found: [Found] = []
        for (_, item) in items { found.append(try find(item)) }
        try readSequences(&found)
        return zip(items, found).flatMap { item, found in results(of: item.number, item.item, found) }
    }

    private mutating func find(_ item: Result<Manifest.Item, FileError>) throws -> Found {
        do {
            let item = try item.get()
            guard item.boxes == nil, !VideoReader.isVideo(item.path) else {
                let predictions = try readVideo(item.path, item.boxes)
                guard !predictions.isEmpty else { throw FileError(item.path, "shows no tracks") }
                return .predictions(predictions)
            }
            return .sequences(try sequences(at: item.path))
        } catch let stop as ExitCode {
            throw stop
        } catch {
            return .failure(error)
        }
    }

    private mutating func sequences(at path: String) throws -> [FrameSequence] {
        guard let (archive, member) = ArchiveMembers.parts(of: path) else {
            return try UnlabelledSequences([path], unpacking: checkStopped).sequences
        }
        if members?.path != archive {
            // The one before is removed before there are two.
            members = nil
            members = try ArchiveMembers(archive, unpacking: checkStopped)
        }
        return try members?.sequences(of: member) ?? []
    }

    /// Reads all sequences together, or one item by one if an error ends that.
    private func readSequences(_ found: inout [Found]) throws {
        func sequences(_ index: Int) -> [FrameSequence] {
            if case .sequences(let sequences) = found[index] { sequences } else { [] }
        }
        let places = found.indices.filter { !sequences($0).isEmpty }
        do {
            var rest = try recognizer.predictions(of: places.flatMap(sequences), progress: checkStopped)[...]
            for place in places {
                let count = sequences(place).count
                found[place] = .predictions(Array(rest.prefix(count)))
                rest = rest.dropFirst(count)
            }
        } catch let stop as ExitCode {
            throw stop
        } catch {
            for place in places {
                do {
                    found[place] = .predictions(
                        try recognizer.predictions(of: sequences(place), progress: checkStopped))
                } catch let stop as ExitCode {
                    throw stop
                } catch {
                    found[place] = .failure(error)
                }
            }
        }
    }

    private func results(of number: Int, _ item: Result<Manifest.Item, FileError>, _ found: Found)
        -> [ItemResult]
    {
        let known = try? item.get()
        switch found {
        case .predictions(let predictions):
            return finished(predictions).map { ItemResult(item: number, id: known?.id, prediction: $0) }
        case .sequences: return []
        case .failure(let error):
            return [ItemResult(item: number, id: known?.id, path: known?.path ?? "", error: error.message)]
        }
    }
}
