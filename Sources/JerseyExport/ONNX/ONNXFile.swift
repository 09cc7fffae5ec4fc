import Foundation
import Jersey
import SwiftProtobuf
import Torch

/// A network as an ONNX model.
struct ONNXFile {
    /// Every runtime has supported this operator set since 2022. The format version matches it.
    static let (operatorSet, formatVersion): (Int64, Int64) = (17, 8)

    private(set) var model = ONNXModel()

    /// - Parameter metadata: texts to put into the file, by key.
    init(_ network: Network, metadata: [String: String]) throws {
        model.irVersion = Self.formatVersion
        model.producerName = "jersey"
        var operators = ONNXOperatorSet()
        operators.domain = ""
        operators.version = Self.operatorSet
        model.operatorSets = [operators]
        model.metadata = metadata.sorted { $0.key < $1.key }.map { key, value in
            var entry = ONNXEntry()
            entry.key = key
            entry.value = value
            return entry
        }
        model.graph = try ONNXGraphBuilder.graph(of: network)
    }

    var data: Data {
        get throws { try model.serializedData() }
    }
}

extension ONNXValueInfo {
    init(_ port: Network.Port) {
        self.init()
        name = port.name
        type.tensor.elementType = port.dtype.onnxCode
        type.tensor.shape.dimensions = port.shape.map { size in
            var dimension = ONNXDimension()
            switch size {
            case .fixed(let value): dimension.value = Int64(value)
            case .named(let name): dimension.parameter = name
            }
            return dimension
        }
    }
}

extension ONNXTensor {
    init(_ name: String, _ tensor: Tensor) {
        self.init()
        self.name = name
        elementType = tensor.dtype.onnxCode
        dims = tensor.shape.map(Int64.init)
        raw = tensor.data
    }
}

extension ONNXAttribute {
    static func int(_ name: String, _ value: Int) -> ONNXAttribute {
        var attribute = ONNXAttribute()
        attribute.name = name
        attribute.kind = .int
        attribute.int = Int64(value)
        return attribute
    }

    static func ints(_ name: String, _ values: [Int]) -> ONNXAttribute {
        var attribute = ONNXAttribute()
        attribute.name = name
        attribute.kind = .ints
        attribute.ints = values.map(Int64.init)
        return attribute
    }

    static func float(_ name: String, _ value: Double) -> ONNXAttribute {
        var attribute = ONNXAttribute()
        attribute.name = name
        attribute.kind = .float
        attribute.float = Float(value)
        return attribute
    }

    static func string(_ name: String, _ value: String) -> ONNXAttribute {
        var attribute = ONNXAttribute()
        attribute.name = name
        attribute.kind = .string
        attribute.string = Data(value.utf8)
        return attribute
    }
}

extension DType {
    /// The type's number in ONNX's `TensorProto.DataType`.
    var onnxCode: Int32 {
        switch self {
        case .float32: 1
        case .uint8: 2
        case .int32: 6
        case .int64: 7
        case .bool: 9
        case .float16: 10
        case .float64: 11
        case .bfloat16: 16
        }
    }
}
