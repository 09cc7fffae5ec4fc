/// A shirt number: "0"..."9" or "00"..."99". "7" and "07" are different numbers.
public struct JerseyNumber: Hashable, Sendable, Codable, CustomStringConvertible {
    /// The class of tens that means "no tens digit": 10.
    public static let blank = 10

    /// The first of two digits, 0...9, or `blank`.
    public let tens: Int
    /// The last digit, 0...9.
    public let ones: Int

    /// A number of given digits.
    ///
    /// - Parameters:
    ///   - tens: 0...9, or `blank`; anything else is a bug and traps.
    ///   - ones: 0...9; anything else is a bug and traps.
    public init(tens: Int, ones: Int) {
        precondition(0...10 ~= tens && 0...9 ~= ones, "no number has the classes \(tens) and \(ones)")
        self.tens = tens
        self.ones = ones
    }

    /// The number that a text shows; nil for anything but one or two digits.
    ///
    /// - Parameter text: such as "7", "07" or "23".
    public init?(_ text: some StringProtocol) {
        let digits = text.utf8.map { Int($0) - 48 }
        guard 1...2 ~= digits.count, digits.allSatisfy({ 0...9 ~= $0 }) else { return nil }
        self.init(tens: digits.count == 2 ? digits[0] : Self.blank, ones: digits.last!)
    }

    /// All 110 numbers, those of one digit first, in ascending order.
    public static let all: [JerseyNumber] = ([blank] + Array(0...9)).flatMap { tens in
        (0...9).map { JerseyNumber(tens: tens, ones: $0) }
    }

    /// The index in `all`, which is the number's class in a head for whole numbers.
    package var index: Int { (tens == Self.blank ? 0 : tens + 1) * 10 + ones }

    /// The other number with the same value: "07" for "7", and "7" for "07". Nil for all others.
    package var twin: JerseyNumber? {
        switch tens {
        case Self.blank: JerseyNumber(tens: 0, ones: ones)
        case 0: JerseyNumber(tens: Self.blank, ones: ones)
        default: nil
        }
    }

    /// The number as it stands on the shirt: "7" or "07".
    public var description: String { tens == Self.blank ? "\(ones)" : "\(tens)\(ones)" }

    /// Decodes a text such as "07".
    ///
    /// - Parameter decoder: has a single text.
    /// - Throws: `DecodingError` for a text that is not a number.
    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let number = JerseyNumber(text) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "'\(text)' is not a shirt number"))
        }
        self = number
    }

    /// Encodes the number as a text such as "07".
    ///
    /// - Parameter encoder: takes a single text.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

extension JerseyNumber: Comparable {
    /// Orders numbers as in `all`: "9" before "00".
    public static func < (a: JerseyNumber, b: JerseyNumber) -> Bool {
        (a.tens == blank ? -1 : a.tens, a.ones) < (b.tens == blank ? -1 : b.tens, b.ones)
    }
}
