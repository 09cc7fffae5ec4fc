import Jersey

/// Which values of a setting are allowed.
struct Allowed<Value>: Sendable {
    /// What stands behind "it must be"; nil where any value of the kind will do.
    let summary: String?
    let holds: @Sendable (Value) throws -> Bool

    init(_ summary: String?, _ holds: @escaping @Sendable (Value) throws -> Bool) {
        self.summary = summary
        self.holds = holds
    }

    static var any: Allowed { Allowed(nil) { _ in true } }

    /// What `parse` understands; it throws an error that says more than that the value is not allowed.
    static func parsed<Result>(_ summary: String, by parse: @escaping @Sendable (Value) throws -> Result) -> Allowed {
        Allowed(summary) { value in
            _ = try parse(value)
            return true
        }
    }

    /// What may be left out, and else has to be as `allowed`.
    static func orNone<Some>(_ allowed: Allowed<Some>) -> Allowed where Value == Some? {
        Allowed(allowed.summary) { try $0.map(allowed.holds) ?? true }
    }
}

extension Allowed where Value: Comparable & Sendable {
    /// - Parameter unit: "pixels", said behind the range.
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
    /// The weight of a loss.
    static var weight: Allowed { Allowed("0 or more") { $0 >= 0 && $0.isFinite } }
    /// A learning rate.
    static var rate: Allowed { Allowed("above 0 and below 10") { $0 > 0 && $0 < 10 } }
    /// A share, or a factor's distance from 1.
    static var share: Allowed { .range(0...1) }
}
