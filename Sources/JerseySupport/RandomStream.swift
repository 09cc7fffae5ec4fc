import Foundation

/// Random numbers that depend only on their keys, such as (seed, epoch, sample), not on other draws
/// or on the thread.
///
/// SplitMix64 (Steele et al. 2014) from a hash of the keys.
package struct RandomStream: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(_ keys: UInt64...) {
        state = keys.reduce(0x9e37_79b9_7f4a_7c15) {
            Self.mixed($0 ^ Self.mixed($1 &+ 0x9e37_79b9_7f4a_7c15))
        }
    }

    private static func mixed(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        return Self.mixed(state)
    }

    /// Uniform in 0..<1.
    package mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

    package mutating func uniform(_ range: ClosedRange<Double>) -> Double {
        range.lowerBound + (range.upperBound - range.lowerBound) * uniform()
    }

    /// True with probability `probability`.
    package mutating func chance(_ probability: Double) -> Bool { uniform() < probability }

    /// A draw from the standard normal distribution (Box & Muller 1958).
    package mutating func normal() -> Double {
        (-2 * log(1 - uniform())).squareRoot() * cos(2 * .pi * uniform())
    }
}

/// The 64-bit FNV-1a hash of the text's UTF-8 bytes.
package func fnv1a(_ text: String) -> UInt64 {
    text.utf8.reduce(fnv1aStart) { ($0 ^ UInt64($1)) &* fnv1aPrime }
}

/// The 64-bit FNV-1a hash of bytes.
///
/// - Parameter before: the hash of the bytes before these.
package func fnv1a(_ bytes: UnsafeRawBufferPointer, after before: UInt64? = nil) -> UInt64 {
    bytes.reduce(before ?? fnv1aStart) { ($0 ^ UInt64($1)) &* fnv1aPrime }
}

private let fnv1aStart: UInt64 = 0xcbf2_9ce4_8422_2325
private let fnv1aPrime: UInt64 = 0x100_0000_01b3
