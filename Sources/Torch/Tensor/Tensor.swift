import CTorch
import Foundation

/// An n-dimensional array of numbers on a device: a handle to a libtorch tensor.
///
/// A wrong shape or type is a bug and traps with libtorch's message, as an array index would. A
/// tensor stays with the thread that made it; plain buffers cross threads.
package final class Tensor {
    /// The handle for the shim. Never take it from a temporary: Swift may free an unnamed tensor
    /// before the call that uses it.
    let handle: ct_tensor
    /// Scale and zero point of a quantised tensor; nil for other tensors.
    let quantization: Quantization?

    init(owning handle: ct_tensor, _ quantization: Quantization? = nil) {
        self.handle = handle
        self.quantization = quantization
    }

    deinit {
        ct_tensor_free(handle)
    }
}

/// Runs a shim call that can fail only by a bug of this program.
func checked<Result>(_ body: (UnsafeMutablePointer<ct_error>) -> Result) -> Result {
    var error = ct_error(message: nil)
    let result = body(&error)
    if let message = error.message { fatalError(String(cString: message)) }
    return result
}

/// Returns the tensor of a shim call that can fail only by a bug of this program.
func tensor(_ quantization: Quantization? = nil, _ body: (UnsafeMutablePointer<ct_error>) -> ct_tensor?)
    -> Tensor
{
    guard let handle = checked(body) else { fatalError("libtorch returned no tensor and no error") }
    return Tensor(owning: handle, quantization)
}

/// An error of libtorch, in its own words.
package struct TorchError: Error, CustomStringConvertible, Sendable {
    package let description: String
}

/// Runs a shim call that can fail for reasons outside the program: a file, a device.
func attempt<Result>(_ body: (UnsafeMutablePointer<ct_error>) -> Result) throws -> Result {
    var error = ct_error(message: nil)
    let result = body(&error)
    guard let message = error.message else { return result }
    defer { ct_free(message) }
    // libtorch's message ends with advice on debugging libtorch. The first line is the reason.
    let lines = String(cString: message).split(separator: "\n")
    throw TorchError(description: lines.first.map(String.init) ?? "unknown failure")
}

extension Array where Element == Tensor {
    /// Lends the handles to a shim call.
    func withList<Result>(_ body: (ct_list) throws -> Result) rethrows -> Result {
        let handles = map(\.handle)
        return try withExtendedLifetime(self) {
            try handles.withUnsafeBufferPointer { buffer in
                guard let base = buffer.baseAddress else {
                    return try withUnsafeTemporaryAllocation(of: ct_tensor.self, capacity: 1) {
                        try body(ct_list(items: UnsafePointer($0.baseAddress!), count: 0))
                    }
                }
                return try body(ct_list(items: base, count: buffer.count))
            }
        }
    }
}

extension [[Tensor]] {
    /// `withList` for several lists at once.
    func withLists(_ body: ([ct_list]) -> Void) {
        func add(_ rest: ArraySlice<[Tensor]>, to lists: [ct_list]) {
            guard let first = rest.first else { return body(lists) }
            first.withList { add(rest.dropFirst(), to: lists + [$0]) }
        }
        add(self[...], to: [])
    }
}

extension Array where Element == String {
    /// Lends the texts to a shim call.
    func withCStrings<Result>(_ body: (UnsafePointer<UnsafePointer<CChar>>) throws -> Result) rethrows
        -> Result
    {
        let copies = compactMap { strdup($0) }
        defer { for copy in copies { free(copy) } }
        // One extra, so that the buffer is never empty.
        return try "".withCString { end in
            try (copies.map { UnsafePointer($0) } + [end]).withUnsafeBufferPointer {
                try body($0.baseAddress!)
            }
        }
    }
}

// MARK: - Element types and devices

/// The element type of a tensor.
package enum DType: Int32, Sendable, CaseIterable {
    case uint8 = 0
    case int32 = 3
    case int64 = 4
    case float16 = 5
    case float32 = 6
    case float64 = 7
    case bool = 11
    case bfloat16 = 15

    /// Bytes per element.
    package var size: Int {
        switch self {
        case .uint8, .bool: 1
        case .float16, .bfloat16: 2
        case .int32, .float32: 4
        case .int64, .float64: 8
        }
    }
}

/// Where a model computes.
public enum Device: Int32, Sendable, Codable, CustomStringConvertible {
    /// The processor.
    case cpu = 0
    /// The first NVIDIA GPU.
    case cuda = 1

    /// "cpu" or "cuda".
    public var description: String { self == .cpu ? "cpu" : "cuda" }

    /// A usable GPU if there is one, else the processor.
    package static var automatic: Device { Runtime.cudaDeviceCount > 0 ? .cuda : .cpu }
}

/// A Swift type that is also an element type of tensors.
package protocol TensorElement: BitwiseCopyable {
    static var dtype: DType { get }
}

extension Float: TensorElement { package static var dtype: DType { .float32 } }
extension Double: TensorElement { package static var dtype: DType { .float64 } }
extension Int64: TensorElement { package static var dtype: DType { .int64 } }
extension UInt8: TensorElement { package static var dtype: DType { .uint8 } }

// MARK: - Creation

extension Tensor {
    /// A CPU tensor with a copy of `values`, row-major.
    package convenience init<Element: TensorElement>(_ values: [Element], shape: [Int]) {
        precondition(values.count == shape.reduce(1, *), "\(values.count) values do not fill shape \(shape)")
        let handle = values.withUnsafeBytes { bytes in
            withUnsafeTemporaryAllocation(byteCount: 8, alignment: 8) { empty in
                let base = bytes.baseAddress ?? UnsafeRawPointer(empty.baseAddress!)
                return checked {
                    ct_from_bytes(base, shape.map(Int64.init), shape.count, Element.dtype.rawValue, $0)
                }
            }
        }
        self.init(owning: handle!)
    }

    /// A CPU vector with a copy of `values`.
    package convenience init<Element: TensorElement>(_ values: [Element]) {
        self.init(values, shape: [values.count])
    }

    /// A CPU tensor with a copy of raw little-endian elements, row-major.
    package convenience init(bytes: UnsafeRawBufferPointer, dtype: DType, shape: [Int]) {
        precondition(
            bytes.count == shape.reduce(1, *) * dtype.size,
            "\(bytes.count) bytes do not fill \(dtype) \(shape)")
        let handle = withUnsafeTemporaryAllocation(byteCount: 8, alignment: 8) { empty in
            let base = bytes.baseAddress ?? UnsafeRawPointer(empty.baseAddress!)
            return checked { ct_from_bytes(base, shape.map(Int64.init), shape.count, dtype.rawValue, $0) }
        }
        self.init(owning: handle!)
    }

    /// A CPU tensor over the memory of `buffer`. The memory is not copied, and must not be written
    /// while the tensor lives.
    package convenience init(sharing buffer: ByteBuffer, offset: Int = 0, shape: [Int]) {
        precondition(
            offset + shape.reduce(1, *) <= buffer.count,
            "shape \(shape) does not fit into \(buffer.count) bytes")
        let retained = Unmanaged.passRetained(buffer)
        let handle = checked {
            ct_from_memory(
                buffer.address + offset, shape.map(Int64.init), shape.count, DType.uint8.rawValue,
                retained.toOpaque(),
                { Unmanaged<ByteBuffer>.fromOpaque($0).release() }, $0)
        }
        self.init(owning: handle!)
    }

    package static func full(_ shape: [Int], _ value: Double, dtype: DType = .float32, device: Device = .cpu)
        -> Tensor
    {
        tensor { ct_full(shape.map(Int64.init), shape.count, value, dtype.rawValue, device.rawValue, $0) }
    }

    package static func zeros(_ shape: [Int], dtype: DType = .float32, device: Device = .cpu) -> Tensor {
        full(shape, 0, dtype: dtype, device: device)
    }

    /// Normally distributed values, determined by `seed`.
    package static func normal(_ shape: [Int], mean: Double = 0, deviation: Double, seed: UInt64) -> Tensor {
        tensor { ct_normal(shape.map(Int64.init), shape.count, mean, deviation, seed, $0) }
    }

    /// Uniformly distributed values, determined by `seed`.
    package static func uniform(_ shape: [Int], _ range: ClosedRange<Double>, seed: UInt64) -> Tensor {
        tensor {
            ct_uniform(shape.map(Int64.init), shape.count, range.lowerBound, range.upperBound, seed, $0)
        }
    }

    /// Ones with `probability`, otherwise zeros, determined by `seed`.
    package static func bernoulli(_ shape: [Int], _ probability: Double, seed: UInt64) -> Tensor {
        tensor { ct_bernoulli(shape.map(Int64.init), shape.count, probability, seed, $0) }
    }
}

// MARK: - Reading

extension Tensor {
    package var shape: [Int] { (0..<ct_rank(handle)).map { Int(ct_size(handle, $0)) } }
    package var count: Int { Int(ct_count(handle)) }
    package var dtype: DType {
        guard let dtype = DType(rawValue: ct_dtype(handle)) else {
            fatalError("element type \(ct_dtype(handle)) is not supported")
        }
        return dtype
    }
    package var device: Device { Device(rawValue: ct_device(handle)) ?? .cpu }

    /// The only element, as a number.
    package var item: Double { checked { ct_item(handle, $0) } }

    /// All elements, row-major, converted to `Element` where needed.
    package func array<Element: TensorElement>(of type: Element.Type = Element.self) -> [Element] {
        let source = to(dtype: Element.dtype, device: .cpu)
        return [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
            initialized = count
            guard count > 0 else { return }
            checked { ct_copy_bytes(source.handle, buffer.baseAddress!, count * Element.dtype.size, $0) }
        }
    }

    package var floats: [Float] { array(of: Float.self) }

    /// Copies the elements, row-major and little-endian, into `bytes`, which must have exactly
    /// their size.
    package func copyBytes(into bytes: UnsafeMutableRawBufferPointer) {
        guard let base = bytes.baseAddress, !bytes.isEmpty else { return }
        checked { ct_copy_bytes(handle, base, bytes.count, $0) }
    }

    /// All elements, row-major and little-endian.
    package var data: Data {
        var data = Data(count: count * dtype.size)
        data.withUnsafeMutableBytes { copyBytes(into: $0) }
        return data
    }
}

/// A fixed block of memory that threads hand to one another.
///
/// `@unchecked Sendable`: it has one owner at a time. A loader thread fills it and hands it over
/// through a locked queue. From then on it is only read.
package final class ByteBuffer: @unchecked Sendable {
    package let address: UnsafeMutableRawPointer
    package let count: Int

    /// - Parameter count: bytes, zeroed.
    package init(count: Int) {
        self.count = count
        address = .allocate(byteCount: max(count, 1), alignment: 64)
        address.initializeMemory(as: UInt8.self, repeating: 0, count: count)
    }

    deinit {
        address.deallocate()
    }
}
