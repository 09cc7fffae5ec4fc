extension ShirtColour {
    /// The colours that have a name, in sRGB.
    package static let named: [(name: String, rgb: Int)] = [
        ("white", 0xF5F5F5), ("black", 0x1E1E1E), ("grey", 0x8C8C8C), ("red", 0xC81E28), ("maroon", 0x6E1423),
        ("orange", 0xEB7814), ("yellow", 0xF0D228), ("green", 0x23823C), ("turquoise", 0x28B4AA),
        ("lightblue", 0x6EB4E6), ("blue", 0x2350B4), ("navy", 0x19234B), ("purple", 0x6E328C),
        ("pink", 0xEB82AA), ("brown", 0x6E4628),
    ]

    /// - Parameter text: one of `named`, or "#rrggbb".
    /// - Throws: `UsageError` for another text.
    package init(named text: String) throws {
        let word = text.lowercased()
        let hex = word.hasPrefix("#") && word.count == 7 ? Int(word.dropFirst(), radix: 16) : nil
        guard let rgb = hex ?? Self.named.first(where: { $0.name == word })?.rgb else {
            throw UsageError.unknown(
                "colour", text, among: Self.named.map(\.name),
                advice: "write #rrggbb or one of: \(Self.named.map(\.name).joined(separator: ", "))")
        }
        self.init(red: Double(rgb >> 16), green: Double(rgb >> 8 & 255), blue: Double(rgb & 255))
    }

    /// The name of the nearest named colour.
    package var name: String {
        func distance(_ rgb: Int) -> Double {
            ShirtColour(red: Double(rgb >> 16), green: Double(rgb >> 8 & 255), blue: Double(rgb & 255))
                .distance(to: self)
        }
        return Self.named.min { distance($0.rgb) < distance($1.rgb) }?.name ?? ""
    }
}
