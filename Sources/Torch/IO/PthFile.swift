import CTorch
import Foundation
import JerseySupport

/// A `.pth` file from `torch.save`, in the zip format or the older plain one; weights only.
///
/// libtorch reads the zip. `Pickle` reads the pickle, because libtorch's own pickle reader fails on
/// `OrderedDict`.
package struct PthFile {
    /// The state dictionary: the file's own, or the one under "model_state", "state_dict" or
    /// "model".
    package let tensors: [String: Tensor]
    /// The texts beside it, by key. Includes the integers of a dictionary "config", which the
    /// study's files have, under "config.img_height" and so on.
    package let texts: [String: String]

    /// - Throws: `FileError` if the file is missing, broken, or asks for anything but weights.
    package init(contentsOf url: URL) throws {
        try self.init(data: Data(reading: url), named: url.path)
    }

    /// - Parameter name: the file's name in errors.
    package init(data: Data, named name: String) throws {
        do {
            (tensors, texts) = data.starts(with: [0x50, 0x4b]) ? try Self.zipped(data) : try Self.plain(data)
        } catch let failure as Pickle.Failure {
            throw FileError(
                name, failure.reason, advice: "use a state_dict written by torch.save, or a safetensors file")
        } catch let failure as TorchError {
            throw FileError(
                name, "is a broken archive (\(failure.description))", advice: "copy or download it again")
        }
    }

    // MARK: Zip

    private static func zipped(_ data: Data) throws -> ([String: Tensor], [String: String]) {
        try data.withUnsafeBytes { bytes in
            // libtorch reads these records as soon as it opens the archive.
            for (name, size) in ZipDirectory(bytes).sizes where size > 4096 {
                if ["version", "byteorder", "serialization_id"].contains(where: name.hasSuffix) {
                    throw Pickle.Failure(reason: "claims \(size) bytes for '\(name)', which is a short text")
                }
            }
            guard let archive = try attempt({ ct_archive_open(bytes.baseAddress!, bytes.count, $0) }) else {
                throw Pickle.Failure(reason: "is not an archive")
            }
            defer { ct_archive_free(archive) }
            // Several names may refer to one record. All of them together must not exceed the
            // file's size.
            var claimed = 0
            func record(_ name: String) throws -> Data {
                let size = try attempt { ct_archive_size(archive, name, $0) }
                guard size >= 0 else { throw Pickle.Failure(reason: "lacks the record '\(name)'") }
                guard size <= Int64(bytes.count - claimed) else {
                    throw Pickle.Failure(reason: "claims more bytes up to '\(name)' than the file holds")
                }
                claimed += Int(size)
                var record = Data(count: Int(size))
                try record.withUnsafeMutableBytes { target in
                    guard let base = target.baseAddress, !target.isEmpty else { return }
                    try attempt { ct_archive_read(archive, name, base, target.count, $0) }
                }
                return record
            }
            var pickle = Pickle(try record("data.pkl"))
            defer { pickle.dismantle() }
            var cache: [String: Data] = [:]
            let object = try pickle.read()
            let tensors = try stateDictionary(object) { storage in
                if let data = cache[storage.key] { return data }
                let data = try record("data/" + storage.key)
                cache[storage.key] = data
                return data
            }
            return (tensors, texts(object))
        }
    }

    // MARK: Plain

    /// Four pickles (magic number, protocol, system, object), the list of storage keys, then each
    /// storage: count and elements.
    private static func plain(_ data: Data) throws -> ([String: Tensor], [String: String]) {
        var pickle = Pickle(data)
        defer { pickle.dismantle() }
        guard case .long(let magic)? = try? pickle.read(),
            magic == [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]
        else {
            throw Pickle.Failure(reason: "is not a PyTorch weight file")
        }
        _ = try pickle.read()
        _ = try pickle.read()
        let object = try pickle.read()
        guard case .list(let keys) = try pickle.read() else { throw Pickle.Failure(reason: "is malformed") }
        var storages: [String: Data] = [:]
        var position = pickle.position
        for case .string(let key) in keys.items {
            guard data.count - position >= 8 else { throw Pickle.Failure(reason: "is cut short") }
            let count = data[data.startIndex + position..<data.startIndex + position + 8].enumerated()
                .reduce(UInt64(0)) { $0 | UInt64($1.element) << (8 * UInt64($1.offset)) }
            position += 8
            guard let size = pickle.elementTypes[key]?.size else {
                throw Pickle.Failure(reason: "holds a storage that nothing refers to")
            }
            guard count <= UInt64((data.count - position) / size) else {
                throw Pickle.Failure(reason: "is cut short")
            }
            storages[key] = data[data.startIndex + position..<data.startIndex + position + Int(count) * size]
            position += Int(count) * size
        }
        let tensors = try stateDictionary(object) { storage in
            guard let data = storages[storage.key] else {
                throw Pickle.Failure(reason: "lacks the storage '\(storage.key)'")
            }
            return data
        }
        return (tensors, texts(object))
    }

    // MARK: State dictionary

    /// The keys and values of a dictionary; none for any other value.
    private static func pairs(_ value: Pickle.Value) -> [(Pickle.Value, Pickle.Value)] {
        guard case .dictionary(let node) = value else { return [] }
        return stride(from: 0, to: node.items.count - 1, by: 2).map { (node.items[$0], node.items[$0 + 1]) }
    }

    private static func texts(_ value: Pickle.Value) -> [String: String] {
        var texts: [String: String] = [:]
        for case (.string(let key), let value) in pairs(value) {
            if case .string(let text) = value { texts[key] = text }
            guard key == "config" else { continue }
            for case (.string(let name), .int(let number)) in pairs(value) {
                texts["config.\(name)"] = "\(number)"
            }
        }
        return texts
    }

    private static func visitTensors(
        _ value: Pickle.Value, isNested: Bool = false, _ body: (String, Pickle.TensorView) throws -> Void
    ) throws {
        guard case .dictionary = value else {
            throw Pickle.Failure(reason: "does not hold a dictionary of tensors")
        }
        let pairs = pairs(value)
        for (key, value) in pairs where !isNested {
            guard case .string(let name) = key, ["model_state", "state_dict", "model"].contains(name),
                case .dictionary = value
            else { continue }
            return try visitTensors(value, isNested: true, body)
        }
        for case (.string(let name), .tensor(let view)) in pairs { try body(name, view) }
    }

    private static func stateDictionary(
        _ value: Pickle.Value, _ storage: (Pickle.Storage) throws -> Data
    ) throws -> [String: Tensor] {
        var tensors: [String: Tensor] = [:]
        var known: [Pickle.TensorView: Tensor] = [:]
        var stored: [String: Int] = [:]
        var (total, held) = (0, 0)
        try visitTensors(value) { name, view in
            guard tensors.count < Safetensors.maximumTensors else {
                throw Pickle.Failure(reason: "holds over \(Safetensors.maximumTensors) tensors")
            }
            let data = try storage(view.storage)
            guard data.count >= view.storage.count * view.storage.dtype.size else {
                throw Pickle.Failure(
                    reason: "has less data in storage '\(view.storage.key)' than its tensors need")
            }
            // Tied weights are one tensor under several names.
            if let tensor = known[view] {
                tensors[name] = tensor
                return
            }
            // Other tensors share no elements. Thousands of tensors over one large storage are an
            // attack on memory.
            held += stored.updateValue(data.count, forKey: view.storage.key) == nil ? data.count : 0
            total += view.shape.reduce(1, *) * view.storage.dtype.size
            guard total <= held + 1 << 20 else {
                throw Pickle.Failure(reason: "describes more data than it holds")
            }
            let tensor = materialise(view, data)
            tensors[name] = tensor
            known[view] = tensor
        }
        guard !tensors.isEmpty else { throw Pickle.Failure(reason: "holds no tensors") }
        return tensors
    }

    private static func materialise(_ view: Pickle.TensorView, _ data: Data) -> Tensor {
        let size = view.storage.dtype.size
        let count = view.shape.reduce(1, *)
        return data.withUnsafeBytes { source in
            var contiguous = 1
            let isContiguous = zip(view.shape, view.strides).reversed().allSatisfy { length, stride in
                defer { contiguous *= length }
                return length == 1 || stride == contiguous
            }
            if isContiguous || count == 0 {
                let range = view.offset * size..<(view.offset + count) * size
                let bytes =
                    count == 0
                    ? UnsafeRawBufferPointer(start: nil, count: 0)
                    : UnsafeRawBufferPointer(rebasing: source[range])
                return Tensor(bytes: bytes, dtype: view.storage.dtype, shape: view.shape)
            }
            let target = ByteBuffer(count: count * size)
            var index = [Int](repeating: 0, count: view.shape.count)
            var element = view.offset
            for position in 0..<count {
                (target.address + position * size).copyMemory(
                    from: source.baseAddress! + element * size, byteCount: size)
                for axis in index.indices.reversed() {
                    index[axis] += 1
                    element += view.strides[axis]
                    if index[axis] < view.shape[axis] { break }
                    element -= view.strides[axis] * view.shape[axis]
                    index[axis] = 0
                }
            }
            return Tensor(
                bytes: UnsafeRawBufferPointer(start: target.address, count: target.count),
                dtype: view.storage.dtype,
                shape: view.shape)
        }
    }
}
