extension FixedWidthInteger {
    /// Truncates `value` and clamps it to the type's range. NaN becomes 0. The plain conversion
    /// would trap.
    @inlinable
    package init(clamping value: Double) {
        // `Self.max` may not be representable as a Double; it then rounds up, out of the range.
        if value >= Double(Self.max) {
            self = .max
        } else if value <= Double(Self.min) {
            self = .min
        } else {
            self = value.isNaN ? 0 : Self(value)
        }
    }
}
