import Jersey

/// Pillow's Gaussian blur: three box blurs along x, then three along y, each rounded to whole
/// levels. Edges are repeated.
///
/// Without the rounding a picture becomes up to a third of a level brighter.
struct GaussianBlur {
    /// Pixels to either side with full weight. One more on each side has partial weight.
    private let reach: Int
    /// Weights with 24 fractional bits.
    private let inner: UInt32
    private let outer: UInt32

    init(radius: Double) {
        // float32, as in Pillow: the weights' last bits decide how halves are rounded.
        let variance = Float(radius) * Float(radius) / 3
        let l = (((12 * variance + 1).squareRoot() - 1) / 2).rounded(.down)
        let box = l + (2 * l + 1) * (l * (l + 1) - 3 * variance) / (6 * (variance - (l + 1) * (l + 1)))
        reach = Int(l)
        inner = UInt32(Float(1 << 24) / (2 * box + 1))
        outer = ((1 << 24) - UInt32(2 * reach + 1) * inner) / 2
    }

    /// Blurs `planes` contiguous pictures of (height, width).
    func apply(to levels: inout [UInt8], planes: Int, height: Int, width: Int) {
        precondition(
            levels.count == planes * height * width,
            "\(levels.count) levels are not \(planes) x \(height) x \(width)")
        guard !levels.isEmpty else { return }
        let border = reach + 1
        levels.withUnsafeMutableBufferPointer { levels in
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: max(width + 2 * border, height * width)) {
                copy in
                withUnsafeTemporaryAllocation(of: UInt32.self, capacity: width) { sums in
                    let (base, copy, sums) = (levels.baseAddress!, copy.baseAddress!, sums.baseAddress!)
                    for row in 0..<planes * height { alongRow(base + row * width, width, copy, sums) }
                    for plane in 0..<planes {
                        alongColumns(base + plane * height * width, height, width, copy, sums)
                    }
                }
            }
        }
    }

    private typealias Levels = UnsafeMutablePointer<UInt8>
    private typealias Sums = UnsafeMutablePointer<UInt32>

    private func alongRow(_ row: Levels, _ width: Int, _ line: Levels, _ sums: Sums) {
        let border = reach + 1
        for _ in 0..<3 {
            line.update(repeating: row[0], count: border)
            (line + border).update(from: row, count: width)
            (line + border + width).update(repeating: row[width - 1], count: border)
            sums.update(repeating: 0, count: width)
            for tap in 1...2 * reach + 1 { add(line + tap, to: sums, width) }
            store(sums, line, line + 2 * border, in: row, width)
        }
    }

    private func alongColumns(_ plane: Levels, _ height: Int, _ width: Int, _ copy: Levels, _ sums: Sums) {
        func row(_ y: Int) -> Levels { copy + min(max(y, 0), height - 1) * width }
        for _ in 0..<3 {
            copy.update(from: plane, count: height * width)
            for y in 0..<height {
                sums.update(repeating: 0, count: width)
                for tap in y - reach...y + reach { add(row(tap), to: sums, width) }
                store(sums, row(y - reach - 1), row(y + reach + 1), in: plane + y * width, width)
            }
        }
    }

    private func add(_ source: Levels, to sums: Sums, _ count: Int) {
        for place in 0..<count { sums[place] &+= UInt32(source[place]) }
    }

    private func store(_ sums: Sums, _ before: Levels, _ after: Levels, in target: Levels, _ count: Int) {
        let (inner, outer) = (inner, outer)
        for place in 0..<count {
            let edges = UInt32(before[place]) &+ UInt32(after[place])
            target[place] = UInt8(
                truncatingIfNeeded: (sums[place] &* inner &+ edges &* outer &+ 1 << 23) &>> 24)
        }
    }
}
