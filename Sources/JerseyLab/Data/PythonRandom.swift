/// Python's `random.Random`: the Mersenne Twister (Matsumoto & Nishimura 1998) with CPython's
/// seeding and sampling. It reproduces the study's random draws.
struct PythonRandom {
    private static let (size, middle) = (624, 397)
    private var words: [UInt32]
    private var next = Self.size

    /// Equals `random.Random(seed)`.
    init(seed: UInt64) {
        words = [19_650_218]
        for index in 1..<Self.size {
            words.append(1_812_433_253 &* Self.folded(words[index - 1]) &+ UInt32(index))
        }
        // The seed as 32-bit words, lowest first, without leading zeros.
        let key = seed >> 32 == 0 ? [UInt32(seed)] : [UInt32(truncatingIfNeeded: seed), UInt32(seed >> 32)]
        var place = 1
        func advance(_ words: inout [UInt32]) {
            place += 1
            if place == Self.size { (words[0], place) = (words[Self.size - 1], 1) }
        }
        for step in 0..<Self.size {
            let item = key[step % key.count] &+ UInt32(step % key.count)
            words[place] = (words[place] ^ Self.folded(words[place - 1]) &* 1_664_525) &+ item
            advance(&words)
        }
        for _ in 1..<Self.size {
            words[place] = (words[place] ^ Self.folded(words[place - 1]) &* 1_566_083_941) &- UInt32(place)
            advance(&words)
        }
        words[0] = 0x8000_0000
    }

    private static func folded(_ word: UInt32) -> UInt32 { word ^ word >> 30 }

    /// 32 random bits.
    mutating func word() -> UInt32 {
        if next == Self.size { turn() }
        var word = words[next]
        next += 1
        word ^= word >> 11
        word ^= word << 7 & 0x9d2c_5680
        word ^= word << 15 & 0xefc6_0000
        return word ^ word >> 18
    }

    private mutating func turn() {
        for index in words.indices {
            let mixed = words[index] & 0x8000_0000 | words[(index + 1) % Self.size] & 0x7fff_ffff
            words[index] = words[(index + Self.middle) % Self.size] ^ mixed >> 1 ^ (mixed & 1) &* 0x9908_b0df
        }
        next = 0
    }

    /// Equals `randrange(count)`, for counts from 1 up to 32 bits.
    private mutating func index(below count: Int) -> Int {
        let bits = Int.bitWidth - count.leadingZeroBitCount
        while true {
            let drawn = Int(word() >> (32 - bits))
            if drawn < count { return drawn }
        }
    }

    /// Equals `shuffle(items)`.
    mutating func shuffle<Item>(_ items: inout [Item]) {
        for last in items.indices.dropFirst().reversed() { items.swapAt(last, index(below: last + 1)) }
    }
}
