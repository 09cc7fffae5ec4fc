import Foundation
import Testing

@testable import Jersey
@testable import JerseyLab

/// Python's own output, written by the script beside it; the same for any folder of fixtures.
struct PythonRandomFixture: Decodable {
    struct Shuffle: Decodable, Sendable, CustomTestStringConvertible {
        let seed: String
        let items: [Int]

        var testDescription: String { "seed \(seed), \(items.count) items" }
    }

    struct Split: Decodable, Sendable, CustomTestStringConvertible {
        let seed: UInt64
        let ratios: [Double]
        /// By number.
        let tracks: [String: [String]]
        let train, val, test: Set<String>

        var testDescription: String { "seed \(seed), ratios \(ratios)" }
    }

    let shuffles: [Shuffle]
    let splits: [Split]

    static let result = Result {
        let url = Bundle.module.resourceURL!.appendingPathComponent("Fixtures/python_random.json")
        return try JSONDecoder().decode(Self.self, from: Data(contentsOf: url))
    }
}

@Suite("What the study has drawn is drawn again")
struct PythonRandomTests {
    @Test(arguments: try PythonRandomFixture.result.get().shuffles)
    func `A list is shuffled as Python does`(_ expected: PythonRandomFixture.Shuffle) throws {
        var random = PythonRandom(seed: try #require(UInt64(expected.seed)))
        var items = Array(expected.items.indices)
        random.shuffle(&items)
        #expect(items == expected.items)
    }

    @Test(arguments: try PythonRandomFixture.result.get().splits)
    func `The same tracks are in the same parts`(_ expected: PythonRandomFixture.Split) throws {
        let sequences = expected.tracks.flatMap { number, tracks in
            // A track may have several sequences, but counts once.
            (tracks + tracks).enumerated().map {
                FrameSequence(
                    id: "\($1)/\($0)", track: $1, number: JerseyNumber(number), frames: ["1.jpg"], anchor: nil
                )
            }
        }
        var config = DataConfig()
        (config.splitSeed, config.ratios) = (expected.seed, expected.ratios)
        let dataset = Dataset(root: "", sequences: sequences.shuffled(), remarks: [])
        let splits = try Splits(dataset, config, published: true)
        #expect(splits.train == expected.train && splits.val == expected.val && splits.test == expected.test)
        #expect(try Splits(dataset, config) != splits)
    }
}
