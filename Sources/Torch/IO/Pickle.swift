import Foundation

/// Reads the part of Python's pickle format that weight files use. It builds plain values; nothing
/// in a file can run code.
///
/// A global that is not in `allowed` is an error. Nesting cannot exhaust the stack: containers are
/// nodes of one list, which is taken apart at the end.
struct Pickle {
    /// The contents of a list, a tuple, or a dictionary (keys and values in alternation).
    final class Node {
        var items: [Value] = []
    }

    enum Value {
        case none
        case bool(Bool)
        case int(Int)
        /// An integer of more than 64 bits, little-endian.
        case long([UInt8])
        case float(Double)
        case string(String)
        case list(Node)
        case tuple(Node)
        case dictionary(Node)
        case global(String)
        // Boxed. Otherwise a value of one byte in the file would take the memory of the largest
        // case.
        indirect case storage(Storage)
        indirect case tensor(TensorView)
    }

    struct Storage: Hashable {
        let dtype: DType
        let key: String
        let count: Int
    }

    struct TensorView: Hashable {
        let storage: Storage
        let offset: Int
        let shape: [Int]
        let strides: [Int]
    }

    struct Failure: Error { let reason: String }

    private static let storages: [String: DType] = [
        "FloatStorage": .float32, "DoubleStorage": .float64, "HalfStorage": .float16,
        "BFloat16Storage": .bfloat16,
        "LongStorage": .int64, "IntStorage": .int32, "ByteStorage": .uint8, "BoolStorage": .bool,
    ]

    private static let allowed: Set<String> = Set(storages.keys.map { "torch." + $0 }).union([
        "collections.OrderedDict", "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_parameter",
        "torch.Size",
    ])

    private let bytes: Data
    private(set) var position: Int
    private var stack: [Value] = []
    private var marks: [Int] = []
    private var memo: [Int: Value] = [:]
    private var nodes: [Node] = []
    /// Operations so far. Each makes at most one value; weights take about sixty per tensor.
    private var operations = 0
    private static let mostOperations = 1 << 21
    /// List items copied so far. A small file could ask for many.
    private var copied = 0
    /// Element types of all storages referenced so far.
    private(set) var elementTypes: [String: DType] = [:]

    /// - Parameter position: offset into `bytes` where the pickle starts.
    init(_ bytes: Data, at position: Int = 0) {
        self.bytes = bytes
        self.position = position
    }

    /// Takes the values apart, so that freeing them is not recursive. They must not be used
    /// afterwards.
    func dismantle() {
        for node in nodes { node.items = [] }
    }

    // MARK: Bytes

    private mutating func take(_ count: Int) throws -> Data {
        guard count >= 0, bytes.count - position >= count else { throw Failure(reason: "is cut short") }
        defer { position += count }
        return bytes[bytes.startIndex + position..<bytes.startIndex + position + count]
    }

    private mutating func unsigned(_ count: Int) throws -> Int {
        let value = try take(count).enumerated().reduce(UInt64(0)) {
            $0 | UInt64($1.element) << (8 * UInt64($1.offset))
        }
        guard let value = Int(exactly: value) else { throw Failure(reason: "holds an impossible length") }
        return value
    }

    private mutating func text(_ count: Int) throws -> String {
        guard let text = String(data: try take(count), encoding: .utf8) else {
            throw Failure(reason: "holds text that is not UTF-8")
        }
        return text
    }

    private mutating func byte() throws -> UInt8 {
        guard position < bytes.count else { throw Failure(reason: "is cut short") }
        defer { position += 1 }
        return bytes[bytes.startIndex + position]
    }

    /// Reads the name of a module or a class. These are short.
    private mutating func line() throws -> String {
        var line: [UInt8] = []
        while true {
            let byte = try byte()
            if byte == 10 { return String(decoding: line, as: UTF8.self) }
            line.append(byte)
            guard line.count <= 1000 else { throw Failure(reason: "is malformed") }
        }
    }

    // MARK: Stack

    private mutating func pop() throws -> Value {
        guard let value = stack.popLast(), marks.last.map({ stack.count >= $0 }) ?? true else {
            throw Failure(reason: "is malformed")
        }
        return value
    }

    private mutating func popToMark() throws -> [Value] {
        guard let mark = marks.popLast() else { throw Failure(reason: "is malformed") }
        defer { stack.removeSubrange(mark...) }
        return Array(stack[mark...])
    }

    private mutating func node(_ items: [Value] = []) -> Node {
        let node = Node()
        node.items = items
        nodes.append(node)
        return node
    }

    private mutating func extend(_ items: [Value]) throws {
        switch stack.last {
        case .list(let node), .dictionary(let node): node.items += items
        default: throw Failure(reason: "is malformed")
        }
    }

    // MARK: Machine

    /// Reads one pickled value, and leaves `position` after it.
    mutating func read() throws -> Value {
        stack = []
        marks = []
        memo = [:]
        while true {
            let opcode = try byte()
            operations += 1
            guard operations <= Self.mostOperations else {
                throw Failure(reason: "holds far more values than weights need")
            }
            switch opcode {
            case UInt8(ascii: "."): return try pop()
            case 0x80: _ = try take(1)  // PROTO
            case 0x95: _ = try take(8)  // FRAME
            case UInt8(ascii: "("): marks.append(stack.count)
            case UInt8(ascii: "0"): _ = try pop()
            case UInt8(ascii: "N"): stack.append(.none)
            case 0x88: stack.append(.bool(true))
            case 0x89: stack.append(.bool(false))
            case UInt8(ascii: "K"): stack.append(.int(try unsigned(1)))
            case UInt8(ascii: "M"): stack.append(.int(try unsigned(2)))
            case UInt8(ascii: "J"): stack.append(.int(Int(Int32(truncatingIfNeeded: try unsigned(4)))))
            case 0x8a: stack.append(Self.long(try take(try unsigned(1))))  // LONG1
            case UInt8(ascii: "G"):
                stack.append(
                    .float(Double(bitPattern: try take(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) })))
            case UInt8(ascii: "X"): stack.append(.string(try text(try unsigned(4))))
            case 0x8c: stack.append(.string(try text(try unsigned(1))))  // SHORT_BINUNICODE
            case UInt8(ascii: "U"): stack.append(.string(try text(try unsigned(1))))
            case UInt8(ascii: "T"): stack.append(.string(try text(try unsigned(4))))
            case UInt8(ascii: "]"): stack.append(.list(node()))
            case UInt8(ascii: "}"): stack.append(.dictionary(node()))
            case UInt8(ascii: ")"): stack.append(.tuple(node()))
            case UInt8(ascii: "t"): stack.append(.tuple(node(try popToMark())))
            case 0x85, 0x86, 0x87:  // TUPLE1, TUPLE2, TUPLE3
                let items = try (0..<Int(opcode) - 0x84).map { _ in try pop() }
                stack.append(.tuple(node(items.reversed())))
            case UInt8(ascii: "l"): stack.append(.list(node(try popToMark())))
            case UInt8(ascii: "d"): stack.append(.dictionary(node(try popToMark())))
            case UInt8(ascii: "a"):
                let item = try pop()
                try extend([item])
            case UInt8(ascii: "e"): try extend(try popToMark())
            case UInt8(ascii: "s"):
                let value = try pop()
                let key = try pop()
                try extend([key, value])
            case UInt8(ascii: "u"): try extend(try popToMark())
            case UInt8(ascii: "q"): memo[try unsigned(1)] = stack.last
            case UInt8(ascii: "r"): memo[try unsigned(4)] = stack.last
            case 0x94: memo[memo.count] = stack.last  // MEMOIZE
            case UInt8(ascii: "h"): stack.append(try recalled(try unsigned(1)))
            case UInt8(ascii: "j"): stack.append(try recalled(try unsigned(4)))
            case UInt8(ascii: "c"):
                let module = try line()
                stack.append(try global(module, try line()))
            case 0x93:  // STACK_GLOBAL
                guard case .string(let name) = try pop(), case .string(let module) = try pop() else {
                    throw Failure(reason: "is malformed")
                }
                stack.append(try global(module, name))
            case UInt8(ascii: "Q"): stack.append(.storage(try storage(try pop())))
            case UInt8(ascii: "R"):
                let arguments = try pop()
                stack.append(try call(try pop(), arguments))
            // BUILD: attributes such as state_dict's _metadata are not needed.
            case UInt8(ascii: "b"): _ = try pop()
            default:
                throw Failure(
                    reason:
                        "uses pickle operation 0x\(String(opcode, radix: 16)), which weight files do not need"
                )
            }
        }
    }

    private func recalled(_ index: Int) throws -> Value {
        guard let value = memo[index] else { throw Failure(reason: "is malformed") }
        return value
    }

    private static func long(_ bytes: Data) -> Value {
        guard bytes.count <= 8 else { return .long(Array(bytes)) }
        let magnitude = bytes.enumerated().reduce(UInt64(0)) {
            $0 | UInt64($1.element) << (8 * UInt64($1.offset))
        }
        let shift = UInt64(64 - 8 * bytes.count)
        return .int(bytes.isEmpty ? 0 : Int(Int64(bitPattern: magnitude << shift) >> Int64(shift)))
    }

    private func global(_ module: String, _ name: String) throws -> Value {
        let path = module + "." + name
        guard Self.allowed.contains(path) else {
            throw Failure(
                reason: "refers to '\(path)', which weights do not need; it was refused, and no code was run")
        }
        return .global(path)
    }

    private mutating func storage(_ value: Value) throws -> Storage {
        guard case .tuple(let node) = value, node.items.count >= 5, case .string("storage") = node.items[0],
            case .global(let type) = node.items[1], let dtype = Self.storages[String(type.dropFirst(6))],
            case .string(let key) = node.items[2], case .int(let count) = node.items[4],
            0...Int.max / 8 ~= count
        else { throw Failure(reason: "refers to a storage in an unknown way") }
        elementTypes[key] = dtype
        return Storage(dtype: dtype, key: key, count: count)
    }

    private mutating func call(_ function: Value, _ arguments: Value) throws -> Value {
        guard case .global(let name) = function, case .tuple(let node) = arguments else {
            throw Failure(reason: "is malformed")
        }
        let items = node.items
        switch name {
        case "collections.OrderedDict":
            // Python 3 creates it empty and fills it afterwards; Python 2 created it from a list of
            // pairs.
            guard case .list(let list)? = items.first else { return .dictionary(self.node()) }
            copied += list.items.count
            guard copied <= bytes.count else { throw Failure(reason: "repeats one list too often") }
            let pairs = list.items.flatMap { item -> [Value] in
                if case .tuple(let pair) = item, pair.items.count == 2 { return pair.items }
                if case .list(let pair) = item, pair.items.count == 2 { return pair.items }
                return []
            }
            return .dictionary(self.node(pairs))
        case "torch.Size":
            return items.first ?? .tuple(self.node())
        case "torch._utils._rebuild_parameter":
            guard let data = items.first, case .tensor = data else { throw Failure(reason: "is malformed") }
            return data
        case "torch._utils._rebuild_tensor_v2":
            guard items.count >= 4, case .storage(let storage) = items[0], case .int(let offset) = items[1],
                let shape = Self.integers(items[2]), let strides = Self.integers(items[3])
            else { throw Failure(reason: "is malformed") }
            return .tensor(try Self.view(storage, offset, shape, strides))
        default:
            throw Failure(reason: "calls '\(name)', which weights do not need")
        }
    }

    private static func integers(_ value: Value) -> [Int]? {
        guard case .tuple(let node) = value else { return nil }
        let integers = node.items.compactMap { if case .int(let value) = $0 { value } else { Int?.none } }
        return integers.count == node.items.count ? integers : nil
    }

    /// Checks that every element of the view lies within its storage.
    private static func view(_ storage: Storage, _ offset: Int, _ shape: [Int], _ strides: [Int]) throws
        -> TensorView
    {
        let outside = Failure(reason: "describes a tensor that reaches outside its storage")
        guard shape.count == strides.count, shape.count <= 16, offset >= 0, offset <= storage.count,
            (shape + strides).allSatisfy({
                0...storage.count ~= $0 || $0 == 1 || ($0 > 0 && shape.contains(0))
            })
        else { throw outside }
        var count = 1
        var last = offset
        for (size, stride) in zip(shape, strides) {
            // Empty tensors are checked too: libtorch multiplies their other sizes for the strides.
            let (product, overflow) = count.multipliedReportingOverflow(by: max(size, 1))
            let (reach, overflow2) = max(size - 1, 0).multipliedReportingOverflow(by: stride)
            let (sum, overflow3) = last.addingReportingOverflow(reach)
            guard !overflow, !overflow2, !overflow3 else { throw outside }
            count = product
            last = sum
        }
        guard shape.contains(0) || (last < storage.count && count <= storage.count) else { throw outside }
        return TensorView(storage: storage, offset: offset, shape: shape, strides: strides)
    }
}
