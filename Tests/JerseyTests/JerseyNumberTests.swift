import Foundation
import Testing

@testable import Jersey

@Suite("Shirt numbers")
struct JerseyNumberTests {
    @Test(arguments: JerseyNumber.all)
    func `Every number is read back from its text, and no two share classes`(_ number: JerseyNumber) throws {
        #expect(JerseyNumber(number.description) == number)
        #expect(try JSONDecoder().decode(JerseyNumber.self, from: JSONEncoder().encode(number)) == number)
        #expect(JerseyNumber.all.filter { $0 == number }.count == 1)
    }

    @Test func `7 and 07 are each other's twins, and other numbers have none`() {
        #expect(
            JerseyNumber("7")?.twin == JerseyNumber("07") && JerseyNumber("07")?.twin == JerseyNumber("7"))
        #expect(JerseyNumber("17")?.twin == nil)
    }

    @Test func `There are 110, one-digit numbers first, in order`() {
        #expect(JerseyNumber.all.count == 110 && JerseyNumber.all == JerseyNumber.all.sorted())
        #expect(JerseyNumber.all.map(\.index) == Array(0..<110))
        #expect(JerseyNumber.all.prefix(11).map(\.description) == (0...9).map(String.init) + ["00"])
    }

    @Test func `7 and 07 differ`() {
        #expect(JerseyNumber("7") != JerseyNumber("07"))
        #expect(JerseyNumber("7")?.tens == JerseyNumber.blank && JerseyNumber("07")?.tens == 0)
    }

    @Test(
        arguments: ["", "100", "a", "1a", "-1", " 1", "1 ", "٣", "１", "1.", "é"])
    func `Anything but one or two ASCII digits is not a number`(_ text: String) {
        #expect(JerseyNumber(text) == nil)
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode([JerseyNumber].self, from: JSONEncoder().encode([text]))
        }
    }
}

@Suite("DigitDistribution")
struct DigitDistributionTests {
    private func logs(_ probabilities: [Double]) -> [Double] { probabilities.map { log($0) } }

    /// `share` for one class, the rest spread evenly over `count`.
    private func peak(_ index: Int, _ share: Double, of count: Int) -> [Double] {
        logs((0..<count).map { $0 == index ? share : (1 - share) / Double(count - 1) })
    }

    @Test func `The number is the best of each head, and its probability their product`() {
        let digits = DigitDistribution(tens: peak(10, 0.9, of: 11), ones: peak(7, 0.8, of: 10))
        #expect(
            digits.number == JerseyNumber("7") && abs(digits.probability(of: digits.number) - 0.72) < 1e-12)
        let total = JerseyNumber.all.reduce(0) { $0 + digits.probability(of: $1) }
        #expect(abs(total - 1) < 1e-9)
    }

    @Test func `The top numbers come in order of probability, equal ones in order of number`() {
        let digits = DigitDistribution(
            tens: peak(1, 0.9, of: 11), ones: logs([0.5, 0.3] + [Double](repeating: 0.025, count: 8)))
        #expect(digits.top(4).map(\.description) == ["10", "11", "12", "13"])
        let flat = DigitDistribution(
            tens: logs([Double](repeating: 1 / 11, count: 11)),
            ones: logs([Double](repeating: 0.1, count: 10)))
        #expect(flat.top(3).map(\.description) == ["0", "1", "2"] && flat.top(200).count == 110)
    }

    @Test
    func `One digits combined is itself; agreement strengthens, and the result is normalised in any order`() {
        let a = DigitDistribution(tens: peak(1, 0.6, of: 11), ones: peak(0, 0.6, of: 10))
        let b = DigitDistribution(tens: peak(2, 0.5, of: 11), ones: peak(0, 0.6, of: 10))
        let same = DigitDistribution(summing: [a])
        #expect(zip(same.tens + same.ones, a.tens + a.ones).allSatisfy { abs($0 - $1) < 1e-12 })
        let both = DigitDistribution(summing: [a, b])
        #expect(both.number.description == "10" && exp(both.ones[0]) > 0.9)
        for row in [both.tens, both.ones] { #expect(abs(row.reduce(0) { $0 + exp($1) } - 1) < 1e-12) }
        #expect(zip(both.tens, DigitDistribution(summing: [b, a]).tens).allSatisfy { abs($0 - $1) < 1e-12 })
    }

    @Test func `A thousand certain looks neither overflow nor vanish`() {
        let sure = DigitDistribution(tens: peak(3, 1 - 1e-9, of: 11), ones: peak(4, 1 - 1e-9, of: 10))
        let all = DigitDistribution(summing: Array(repeating: sure, count: 1000))
        #expect(all.number.description == "34" && abs(all.probability(of: all.number) - 1) < 1e-9)
        let finite = (all.tens + all.ones).allSatisfy(\.isFinite)
        #expect(finite)
    }
}
