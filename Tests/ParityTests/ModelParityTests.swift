import Foundation
import Jersey
import Testing
import Torch

// Serialised within the suite and one thread per test, so that parallel suites do not compete for
// the cores.
@Suite("Networks compute what PyTorch computes", .serialized, .needs(.models))
struct ModelParityTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let model: String
        let values: ModelsFixture.Case

        var testDescription: String {
            [model, values.case, values.attentionRule].compactMap(\.self).joined(separator: ", ")
        }

        static var all: [Case] {
            get throws {
                try Fixtures.models.models.sorted { $0.key < $1.key }
                    .flatMap { name, model in model.cases.map { Case(model: name, values: $0) } }
            }
        }
    }

    @Test(arguments: try Case.all)
    func `Logits, attention and features are PyTorch's`(_ item: Case) throws {
        Runtime.useCallingThreadOnly()
        let expected = item.values
        let model = try JerseyModel.fixture(item.model, published: expected.attentionRule == "hc_reference")
        try withoutGradients {
            let packed = FrameRows(
                expected.input, shape: expected.shape, lengths: expected.lengths, padded: false)
            try compare(model, packed, expected)
            // In evaluation, frames after the end of a sequence do not matter.
            if Set(packed.lengths).count > 1 {
                try compare(
                    model,
                    FrameRows(expected.input, shape: expected.shape, lengths: expected.lengths, padded: true),
                    expected)
            }
            if let features = expected.firstImageFeatures {
                let found = model.encode(packed.frames.narrowed(0, to: 0..<1)).array(of: Double.self)
                let largest = found.reduce(0) { max($0, abs($1)) }
                expectClose(
                    Array(found.prefix(features.first8.count)), features.first8, within: 1e-4 * largest,
                    "feature")
                let norm = found.reduce(0) { $0 + $1 * $1 }.squareRoot()
                expectClose([norm], [features.l2], within: 1e-4 * features.l2, "norm of the features")
            }
        }
    }

    private func compare(_ model: JerseyModel, _ rows: FrameRows, _ expected: ModelsFixture.Case) throws {
        let output = model(rows.frames, lengths: rows.lengths, isPadded: rows.isPadded)
        let (tens, ones) = (expected.tensLogits.flatMap(\.self), expected.onesLogits.flatMap(\.self))
        let largest = (tens + ones).reduce(0) { max($0, abs($1)) }
        let layout = rows.isPadded ? "padded" : "packed"
        expectClose(output.tens.array(), tens, within: 1e-4 * largest, "\(layout): tens logit")
        expectClose(output.ones.array(), ones, within: 1e-4 * largest, "\(layout): ones logit")
        if let weights = expected.attention {
            let found = try #require(output.attention)
            #expect(found.shape == [weights.count, weights[0].count])
            expectClose(found.array(), weights.flatMap(\.self), within: 1e-4, "\(layout): attention")
        }
    }
}
