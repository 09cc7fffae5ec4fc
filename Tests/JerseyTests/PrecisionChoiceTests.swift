import Foundation
import Testing
import Torch

@testable import Jersey

@Suite("Choice of a precision")
struct PrecisionChoiceTests {
    private func card(_ agreements: [Precision: PrecisionAgreement]) throws -> Checkpoint.Card {
        var card = Checkpoint.Card(spec: try ModelSpec.named("evidence_tied"))
        card.agreements = agreements
        return card
    }

    private let same = PrecisionAgreement(sequences: 1000, changed: 0, largestDifference: 0.01)
    private let other = PrecisionAgreement(sequences: 1000, changed: 1, largestDifference: 0.1)
    private let few = PrecisionAgreement(sequences: 20, changed: 0, largestDifference: 0.01)

    @Test
    func
        `Automatic takes the fastest that is proven to answer the same and that the processor has instructions for`()
        throws
    {
        func choice(
            _ agreements: [Precision: PrecisionAgreement], _ native: Set<Precision>, _ device: Device = .cpu
        ) throws
            -> Precision
        {
            Precision.Choice.automatic.precision(for: try card(agreements), on: device) { precision, _ in
                native.contains(precision)
            }
        }
        let all: Set<Precision> = [.float32, .bfloat16, .int8]
        #expect(try choice([.bfloat16: same, .int8: same], all) == .int8)
        #expect(try choice([.bfloat16: same, .int8: other], all) == .bfloat16)
        #expect(try choice([.bfloat16: same, .int8: same], [.float32, .bfloat16]) == .bfloat16)
        #expect(try choice([.bfloat16: same, .int8: same], [.float32]) == .float32)
        #expect(try choice([.bfloat16: few, .int8: few], all) == .float32)
        #expect(try choice([:], all) == .float32)
        #expect(try choice([.bfloat16: same], all, .cuda) == .float32)
    }

    @Test(arguments: Precision.allCases)
    func `What is asked for is taken`(_ precision: Precision) throws {
        let choice = try #require(Precision.Choice(rawValue: precision.rawValue))
        #expect(choice.precision(for: try card([.int8: same]), on: .cpu) == precision)
        #expect(choice.rawValue == precision.rawValue)
    }

    @Test func `There is no other choice`() {
        #expect(Precision.Choice(rawValue: "float64") == nil)
        #expect(
            Precision.Choice.allCases.map(\.rawValue) == ["automatic"] + Precision.allCases.map(\.rawValue))
    }

    @Test
    func `A card keeps what was measured, by the names of precisions, and one without it is read`() throws {
        let card = try card([.bfloat16: same])
        let data = try JSONEncoder().encode(card)
        #expect(try JSONDecoder().decode(Checkpoint.Card.self, from: data) == card)
        var object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        let agreements = try #require(object["agreements"] as? [String: [String: Any]])
        #expect(agreements["bfloat16"]?["changed"] as? Int == 0)
        object["agreements"] = nil
        let older = try JSONDecoder().decode(
            Checkpoint.Card.self, from: JSONSerialization.data(withJSONObject: object))
        #expect(older.agreements == nil)
    }

    @Test
    func `An answer counts as changed with another number, and where only one of the two is held back`() {
        /// A reading of a 7 with this probability.
        func reading(_ share: Double, ones: Int = 7) -> Reading {
            let rest = log((1 - share) / 9)
            return Reading(
                sequence: FrameSequence(id: "1", track: "1", number: nil, frames: [], anchor: nil),
                digits: DigitDistribution(
                    tens: [Double](repeating: -50, count: 10) + [0],
                    ones: (0..<10).map { $0 == ones ? log(share) : rest }), used: [], attention: nil,
                problems: [])
        }
        let calibration = ModelCalibration(
            temperature: 1, threshold: 0.8, precision: 1, coverage: 1, sequences: 4)
        let found = PrecisionAgreement(
            [reading(0.9), reading(0.9), reading(0.81), reading(0.6)],
            [reading(0.85), reading(0.9, ones: 1), reading(0.79), reading(0.5)], calibration)
        #expect(found.sequences == 4 && found.changed == 2)
        #expect(abs(found.largestDifference - 0.9 + 0.1 / 9) < 1e-9)
    }
}
