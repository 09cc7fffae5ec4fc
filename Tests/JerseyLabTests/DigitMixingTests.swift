import Jersey
import Testing
import Torch

@testable import JerseyLab

@Suite("Mixing digits")
struct DigitMixingTests {
    static let lengths = [2, 3, 1, 2, 1]
    static let numbers: [JerseyNumber?] = [JerseyNumber("12"), JerseyNumber("34"), JerseyNumber("7"), nil, JerseyNumber("05")]

    /// Every frame of one level, ten times its sequence's place.
    private func mixed(_ probability: Double, seed: UInt64) -> (frames: Tensor, numbers: [JerseyNumber?]) {
        let (height, width) = (4, 24)
        let levels = Self.lengths.indices.flatMap {
            Array(repeating: UInt8(10 * $0), count: Self.lengths[$0] * height * width * 3)
        }
        var random = RandomStream(seed)
        let frames = Tensor(levels, shape: [Self.lengths.reduce(0, +), height, width, 3])
        return DigitMixing(probability: probability)(frames, lengths: Self.lengths, numbers: Self.numbers, random: &random)
    }

    /// Which sequences the left and the right edge of each sequence's frames are from; all frames say the same.
    private func sources(_ frames: Tensor) -> [(left: Int, right: Int)] {
        var start = 0
        return Self.lengths.map { length in
            let own = frames.narrowed(0, to: start..<start + length)
            start += length
            func level(_ column: Int) -> Int {
                let levels = Set(own.narrowed(2, to: column..<column + 1).contiguous().array(of: UInt8.self))
                #expect(levels.count == 1)
                return Int(levels.first ?? 0) / 10
            }
            return (level(0), level(frames.shape[2] - 1))
        }
    }

    @Test("Pictures keep their left half and tens, and get another's right half and ones", arguments: 0..<20)
    func halves(seed: Int) throws {
        let (frames, numbers) = mixed(1, seed: UInt64(seed))
        for (index, source) in sources(frames).enumerated() {
            #expect(source.left == index)
            guard let own = Self.numbers[index], own.tens != JerseyNumber.blank else {
                #expect(source.right == index && numbers[index] == Self.numbers[index])
                continue
            }
            let other = try #require(Self.numbers[source.right])
            #expect(other.tens != JerseyNumber.blank)
            #expect(numbers[index] == JerseyNumber(tens: own.tens, ones: other.ones))
        }
    }

    @Test("Some are mixed, in the end with every other number of two digits")
    func partners() {
        let pairs = (0..<60).flatMap { seed in sources(mixed(0.5, seed: UInt64(seed)).frames).enumerated().map { ($0, $1.right) }
        }
        let partners = Dictionary(grouping: pairs, by: \.0).mapValues { Set($0.map(\.1)) }
        for index in [0, 1, 4] { #expect(partners[index] == [0, 1, 4]) }
    }

    @Test("Without a chance, nothing changes")
    func never() {
        let (frames, numbers) = mixed(0, seed: 1)
        #expect(numbers == Self.numbers)
        #expect(sources(frames).enumerated().allSatisfy { $1.left == $0 && $1.right == $0 })
    }
}
