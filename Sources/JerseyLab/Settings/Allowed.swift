import Jersey

/// The allowed values of a setting.
struct Allowed<Value>: Sendable {
    /// Completes "it must be"; nil if any value of the type is allowed.
    let summary: String?
    let holds: @Sendable (Value) throws -> Bool

    init(_ summary: String?, _ holds: @escaping @Sendable (Value) throws -> Bool) {
        self.summary = summary
        self.holds = holds
    }

    static var any: Allowed { Allowed(nil) { _ in true } }

    /// Allows values that `parse` accepts. `parse` throws an error with details.
    static func parsed<Result>(_ summary: String, by parse: @escaping @Sendable (Value) throws -> Result)
        -> Allowed
    {
        Allowed(summary) { value in
            _ = try parse(value)
            return true
        }
    }

    /// Allows nil, or a value that `allowed` accepts.
    static func orNone<Some>(_ allowed: Allowed<Some>) -> Allowed where Value == Some? {
        Allowed(allowed.summary) { try $0.map(allowed.holds) ?? true }
    }
}

extension Allowed where Value: Comparable & Sendable {
    /// - Parameter unit: printed after the range, such as "pixels".
    static func range(_ range: ClosedRange<Value>, _ unit: String? = nil) -> Allowed {
        let words = ["\(short(range.lowerBound))...\(short(range.upperBound))", unit].compactMap(\.self)
        return Allowed(words.joined(separator: " ")) { range.contains($0) }
    }

    static func range(_ range: Range<Value>) -> Allowed {
        Allowed("\(short(range.lowerBound))..<\(short(range.upperBound))") { range.contains($0) }
    }

    static func atLeast(_ least: Value) -> Allowed { Allowed("\(short(least)) or more") { $0 >= least } }

    /// "1" for 1.0.
    private static func short(_ bound: Value) -> String {
        let text = "\(bound)"
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}

extension Allowed where Value == String {
    static func name<Thing: Catalogued>(of _: Thing.Type) -> Allowed {
        .parsed(Thing.names.joined(separator: ", ")) { try Thing.named($0) }
    }
}

extension Allowed where Value == Double {
    /// A loss weight.
    static var weight: Allowed { Allowed("0 or more") { $0 >= 0 && $0.isFinite } }
    /// A learning rate.
    static var rate: Allowed { Allowed("above 0 and below 10") { $0 > 0 && $0 < 10 } }
    /// A share, or a factor's distance from 1.
    static var share: Allowed { .range(0...1) }
}
