/// Coded as in `config.json`: each setting of `Setting.all` at its path.
extension RunConfig: Codable {
    /// Missing settings get their defaults.
    package init(from decoder: any Decoder) throws {
        self.init()
        let tree = try ConfigTree(from: decoder)
        for setting in Setting.all {
            if let value = tree.value(at: setting.path) { try setting.set(value, in: &self) }
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var tree = ConfigTree.table([:])
        for setting in Setting.all {
            let value = setting.value(in: self)
            if value != .null { tree.set(value, at: setting.path) }
        }
        try tree.encode(to: encoder)
    }
}
