import Foundation
import Jersey
import TestSupport
import Testing

@testable import JerseyLab

@Suite struct SummaryTests {
    @Test func `A summary has the sample's deviation, and says nothing of what it does not know`() {
        let summary = Summary([2, 4, 4, 4, 5, 5, 7, 9])
        #expect(summary.n == 8 && summary.mean == 5 && summary.minimum == 2 && summary.maximum == 9)
        #expect(isClose(summary.standardDeviation, (32.0 / 7).squareRoot()))
        #expect(
            Summary([0.95, 0.97]).text == "0.9600 ± 0.0141"
                && Summary([0.95, 0.97]).percentText == "96.00 ± 1.41%")
        #expect(Summary([0.5]).standardDeviation == nil && Summary([0.5]).text == "0.5000")
        #expect(Summary([]).mean == nil && Summary([]).text == "-" && Summary([]).percentText == "-")
    }

    @Test(arguments: [
        (0, 20, 0.0, 0.16112515805281938), (20, 20, 0.8388748419471806, 1),
        (15, 20, 0.531299122381256, 0.8881382985923343),
        (81, 263, 0.2552885198782742, 0.36620957698280004), (1, 1, 0.20654931437723742, 1),
    ])
    func `Wilson's interval has the published values`(
        successes: Int, count: Int, lower: Double, upper: Double
    ) throws {
        let interval = try #require(Proportion(successes, of: count).interval)
        #expect(isClose(interval[0], lower) && isClose(interval[1], upper))
    }

    @Test func `The interval of none begins at zero, and that of all ends at one, to the last bit`() throws {
        for count in 1...200 {
            #expect(try #require(Proportion(0, of: count).interval)[0] == 0)
            #expect(try #require(Proportion(count, of: count).interval)[1] == 1)
        }
    }

    @Test(arguments: [
        (1, 9, 0.021484375), (9, 1, 0.021484375), (0, 0, 1), (5, 5, 1), (0, 5, 0.0625),
        (3, 15, 0.007537841796875),
        (10, 20, 0.09873714670538902), (400, 500, 0.0009564441369189461),
    ])
    func `McNemar's exact test is a fair coin's`(b: Int, c: Int, p: Double) {
        #expect(isClose(PairedComparison.mcNemar(b, c), p, within: 1e-12 + 1e-9 * p))
    }

    @Test(arguments: [
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]), ([0.6, 0.7], [1, 1]),
        ([0.02, 0.02], [0.04, 0.04]), ([0.3], [0.3]),
        ([], []),
    ])
    func `Holm's adjustment is that of the textbook`(values: [Double], adjusted: [Double]) {
        let found = PairedComparison.holm(values)
        #expect(found.count == adjusted.count && zip(found, adjusted).allSatisfy { isClose($0, $1) })
    }

    @Test func `A quantile lies between its neighbours`() {
        let values: [Double] = [1, 2, 3, 4]
        #expect([0, 0.25, 0.5, 1].map { values.quantile($0) } == [1, 1.75, 2.5, 4])
        #expect([7.0].quantile(0.975) == 7)
    }
}
