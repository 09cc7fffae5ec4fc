/// A shirt number: "0"..."9" or "00"..."99". "7" and "07" are different numbers.
public struct JerseyNumber: Hashable, Sendable, Codable, CustomStringConvertible {
    /// The class of the tens head that means "no tens digit".
    public static let blank = 10

    /// 0...9, or `blank`.
    public let tens: Int
    /// 0...9.
    public let ones: Int

    public init(tens: Int, ones: Int) {
        precondition(0...10 ~= tens && 0...9 ~= ones, "no number has the classes \(tens) and \(ones)")
        self.tens = tens
        self.ones = ones
    }

    /// Nil for anything but one or two digits.
    public init?(_ text: some StringProtocol) {
        let digits = text.utf8.map { Int($0) - 48 }
        guard 1...2 ~= digits.count, digits.allSatisfy({ 0...9 ~= $0 }) else { return nil }
        self.init(tens: digits.count == 2 ? digits[0] : Self.blank, ones: digits.last!)
    }

    /// All 110, one-digit numbers first.
    public static let all: [JerseyNumber] = ([blank] + Array(0...9)).flatMap { tens in
        (0...9).map { JerseyNumber(tens: tens, ones: $0) }
    }

    /// Place in `all`: the class of a head that tells whole numbers apart.
    package var index: Int { (tens == Self.blank ? 0 : tens + 1) * 10 + ones }

    /// The number of the same value, which is another one: "07" of "7", and "7" of "07".
    package var twin: JerseyNumber? {
        switch tens {
        case Self.blank: JerseyNumber(tens: 0, ones: ones)
        case 0: JerseyNumber(tens: Self.blank, ones: ones)
        default: nil
        }
    }

    public var description: String { tens == Self.blank ? "\(ones)" : "\(tens)\(ones)" }

    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let number = JerseyNumber(text) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "'\(text)' is not a shirt number"))
        }
        self = number
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

extension JerseyNumber: Comparable {
    public static func < (a: JerseyNumber, b: JerseyNumber) -> Bool {
        (a.tens == blank ? -1 : a.tens, a.ones) < (b.tens == blank ? -1 : b.tens, b.ones)
    }
}
