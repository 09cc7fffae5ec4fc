/// Recognises the model of weights by names and shapes alone; nothing is built.
extension ModelSpec {
    /// The model of the weights, with any encoder and width of the recurrent layer; nil if they are
    /// of no known model.
    ///
    /// A few tensors that only some parts have decide. Loading checks that all others are there.
    ///
    /// - Parameter shapes: by tensor name.
    static func recognised(by shapes: [String: [Int]]) -> ModelSpec? {
        let paths = ["encoder.backbone.", "backbone."]
        guard let path = paths.first(where: { path in shapes.keys.contains { $0.hasPrefix(path) } }),
            let encoder = EncoderKind.allCases.first(where: { $0.isTold(by: shapes, at: path) })
        else { return nil }
        let alike = all.filter { $0.encoderPath == path && $0.family.isTold(by: shapes) }
        guard var spec = alike.first(where: { $0.encoder == encoder }) ?? alike.first else { return nil }
        spec.encoder = encoder
        spec.takeOver(from: shapes)
        return spec
    }

    /// Sets what a model's name does not determine: the recurrent layer's width, and whether there
    /// is a head for whole numbers.
    mutating func takeOver(from shapes: [String: [Int]]) {
        hasFullHead = shapes["fc_full.weight"] != nil
        if let place = Temporal.place(in: shapes), let hidden = shapes[place + "weight_hh_l0"]?.last {
            self = with(hidden: hidden)
        }
    }
}

extension ModelSpec.Family {
    fileprivate func isTold(by shapes: [String: [Int]]) -> Bool {
        let isRecurrent = ModelSpec.Temporal.place(in: shapes) != nil
        let judges = shapes["fc_readability.weight"] != nil
        let digits: ModelSpec.Digits = shapes["digits.queries"] == nil ? .independent : .tied
        return switch self {
        case .singleFrame(digits): !isRecurrent && !judges
        case .recurrent(let layer, let pooling):
            layer.isTold(by: shapes) && pooling.isTold(by: shapes) && digits == .independent
        case .evidence(digits): !isRecurrent && judges
        case .singleFrame, .evidence: false
        }
    }
}

extension ModelSpec.Temporal {
    /// The prefix of the names of the recurrent layer's weights.
    fileprivate static func place(in shapes: [String: [Int]]) -> String? {
        ["rnn.", "gru."].first { shapes[$0 + "weight_hh_l0"] != nil }
    }

    fileprivate func isTold(by shapes: [String: [Int]]) -> Bool {
        guard let place = Self.place(in: shapes), let shape = shapes[place + "weight_hh_l0"], shape.count == 2
        else {
            return false
        }
        let rows = shape[1].multipliedReportingOverflow(by: cell.gates)
        return !rows.overflow && shape[0] == rows.partialValue
            && bidirectional == (shapes[place + "weight_hh_l0_reverse"] != nil)
    }
}

extension EncoderKind {
    /// - Parameter level: the prefix of the names of the encoder's tensors.
    fileprivate func isTold(by shapes: [String: [Int]], at level: String) -> Bool {
        func has(_ name: String, _ outputs: Int) -> Bool { shapes[level + name]?.first == outputs }
        return switch self {
        case .resnet18: has("layer4.1.conv2.weight", 512)
        // B0 has squeeze-and-excitation, Lite0 does not.
        case .efficientnetB0:
            has("features.8.0.weight", 1280) && shapes[level + "features.1.0.block.1.fc1.weight"] != nil
        case .efficientnetLite0:
            has("features.8.0.weight", 1280) && shapes[level + "features.1.0.block.1.fc1.weight"] == nil
        case .mobilenetV3Large: has("classifier.2.weight", 1280)
        case .mobilenetV3Small: has("classifier.2.weight", 1024)
        case .shufflenetV2: has("conv5.0.weight", 1024)
        case .compact: has("stem.0.weight", 32)
        }
    }
}
