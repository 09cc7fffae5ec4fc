extension FixedWidthInteger {
    /// Cut to a whole number, and that to what the type holds; 0 for what is no number. The plain conversion would end the program.
    @inlinable
    package init(clamping value: Double) {
        // The greatest value is no double of its own; the next double is beyond it.
        if value >= Double(Self.max) {
            self = .max
        } else if value <= Double(Self.min) {
            self = .min
        } else {
            self = value.isNaN ? 0 : Self(value)
        }
    }
}
