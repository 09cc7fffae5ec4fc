/// A model's inputs and outputs, in the terms of the Open Inference Protocol.
struct ModelMetadata: Encodable {
    struct Tensor: Encodable {
        let name: String
        let datatype: String
        /// -1 for a size that varies.
        let shape: [Int]
    }

    private let name: String
    private let versions: [String]
    private let platform = "jersey_libtorch"
    private let inputs: [Tensor]
    private let outputs: [Tensor]
    private let parameters: [String: String]

    init(_ about: ModelDescription) {
        name = about.name
        versions = [String(about.version)]
        inputs = [Tensor(name: InferRequest.inputName, datatype: InferRequest.datatype, shape: [-1, -1])]
        outputs = InferResponse.Output.all.map {
            Tensor(name: $0.name, datatype: $0.datatype, shape: [-1] + $0.shape)
        }
        parameters = [
            "architecture": about.architecture, "parameters": "\(about.parameters)",
            "input": "\(about.input.height)x\(about.input.width)",
            "frames": "\(about.input.maximumFrames)", "device": about.device.description,
            "precision": about.precision.rawValue,
        ]
    }
}
