import Foundation
import JerseySupport
import TestSupport
import Testing

@testable import Torch

@Suite("Weight files of PyTorch")
struct PthFileTests {
    private let storage = little([0, 1, 2, 3, 4, 5] as [Float])

    private func read(_ data: Data) throws -> [String: Tensor] { try PthFile(data: data, named: "f").tensors }

    private func read(_ value: Pickled) throws -> [String: Tensor] {
        try read(PthWriter.zip(value, storages: ["0": storage]))
    }

    /// Checks that both kinds of file with this content are refused.
    private func refused(
        _ value: Pickled, _ reason: String, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        for file in [PthWriter.zip(value, storages: ["0": storage]), PthWriter.plain(value)] {
            refused(file, reason, sourceLocation: sourceLocation)
        }
    }

    private func refused(_ file: Data, _ reason: String, sourceLocation: SourceLocation = #_sourceLocation) {
        let error = #expect(throws: FileError.self, sourceLocation: sourceLocation) { try read(file) }
        #expect(
            error?.path == "f" && error?.description.contains(reason) == true, "\(error?.description ?? "")",
            sourceLocation: sourceLocation)
    }

    private func view(count: Int = 6, offset: Int = 0, _ shape: [Int], _ strides: [Int]) -> Pickled {
        ["w": .tensor("0", count: count, offset: offset, shape: shape, strides: strides)]
    }

    // MARK: what is read

    @Test(arguments: [PthSample.zip, PthSample.plain])
    func `A checkpoint that torch.save has written is read, in either form`(_ sample: Data) throws {
        let tensors = try read(sample)
        #expect(tensors.keys.sorted() == ["n", "p", "row", "w"])
        #expect(tensors["w"]!.shape == [3, 2] && tensors["w"]!.floats == [0, 3, 1, 4, 2, 5])
        #expect(tensors["row"]!.floats == [3, 4, 5])
        #expect(tensors["n"]!.dtype == .int64 && tensors["n"]!.shape == [] && tensors["n"]!.item == 7)
        #expect(tensors["p"]!.dtype == .float16 && tensors["p"]!.floats == [1.5])
    }

    @Test(arguments: ["", "model_state", "state_dict", "model"])
    func `A state dictionary is found by itself and under its usual names`(_ name: String) throws {
        let state = view([6], [1])
        let value =
            name.isEmpty
            ? state : ["epoch": .int(3), name: state, "args": .list([.none, .float(0.5)])] as Pickled
        #expect(try read(value)["w"]!.floats == [0, 1, 2, 3, 4, 5])
        #expect(
            try read(PthWriter.plain(value, storages: [("0", 6, storage)]))["w"]!.floats == [
                0, 1, 2, 3, 4, 5,
            ])
    }

    @Test func `Texts beside the weights are read, and the whole numbers of the study's settings`() throws {
        let settings: Pickled = [
            "img_height": .int(128), "backbone": .string("resnet18"), "seed": .int(-1), "rate": .float(0.1),
        ]
        let value: Pickled = [
            "model_state": view([6], [1]), "note": .string("n"), "epoch": .int(3), "config": settings,
        ]
        let file = try PthFile(data: PthWriter.zip(value, storages: ["0": storage]), named: "f")
        #expect(file.texts == ["note": "n", "config.img_height": "128", "config.seed": "-1"])
    }

    @Test func `A dictionary that Python 2 has written is read`() throws {
        let pair = Pickled.list([.string("w"), .tensor("0", count: 6, shape: [2], strides: [5])])
        #expect(
            try read(.call(.global("collections", "OrderedDict"), [.list([pair])]))["w"]!.floats == [0, 5])
    }

    @Test(
        arguments: [
            ("FloatStorage", DType.float32), ("DoubleStorage", .float64), ("HalfStorage", .float16),
            ("BFloat16Storage", .bfloat16),
            ("LongStorage", .int64), ("IntStorage", .int32), ("ByteStorage", .uint8), ("BoolStorage", .bool),
        ])
    func `Storages of every element type are read`(_ type: String, _ dtype: DType) throws {
        let value: Pickled = ["w": .tensor("7", type, count: 2, shape: [2], strides: [1])]
        let data = Data((0..<2 * dtype.size).map { dtype == .bool ? UInt8($0 % 2) : UInt8($0) })
        for file in [
            PthWriter.zip(value, storages: ["7": data]), PthWriter.plain(value, storages: [("7", 2, data)]),
        ] {
            let tensor = try #require(try read(file)["w"])
            #expect(tensor.dtype == dtype && tensor.shape == [2])
            var bytes = Data(count: data.count)
            bytes.withUnsafeMutableBytes { tensor.copyBytes(into: $0) }
            #expect(bytes == data)
        }
    }

    @Test func `Views of any stride share one storage`() throws {
        func tensor(_ offset: Int, _ shape: [Int], _ strides: [Int]) -> Pickled {
            .tensor("0", count: 6, offset: offset, shape: shape, strides: strides)
        }
        let tensors = try read([
            "transposed": tensor(0, [3, 2], [1, 3]), "column": tensor(1, [2], [3]),
            "scalar": tensor(5, [], []),
            "expanded": tensor(4, [2, 3], [0, 0]), "empty": tensor(6, [0, 3], [3, 1]),
            "ones": tensor(2, [1, 1, 2], [1, 6, 1]),
        ])
        let nothing: Pickled = ["w": .tensor("9", count: 0, shape: [0, 3], strides: [3, 1])]
        #expect(try read(PthWriter.zip(nothing, storages: ["9": Data()]))["w"]!.shape == [0, 3])
        #expect(try read(PthWriter.plain(nothing, storages: [("9", 0, Data())]))["w"]!.shape == [0, 3])
        #expect(tensors["transposed"]!.floats == [0, 3, 1, 4, 2, 5] && tensors["column"]!.floats == [1, 4])
        #expect(tensors["scalar"]!.floats == [5] && tensors["scalar"]!.shape == [])
        #expect(tensors["expanded"]!.floats == [4, 4, 4, 4, 4, 4] && tensors["expanded"]!.shape == [2, 3])
        #expect(tensors["empty"]!.shape == [0, 3] && tensors["ones"]!.floats == [2, 3])
    }

    // MARK: what is refused

    @Test func `A short record that claims to be large is refused before it is read`() throws {
        var file = PthWriter.zip(view([6], [1]), storages: ["0": storage])
        // In the directory at the end, the entry with this name begins 46 bytes before it.
        let name = try #require(file.range(of: Data("archive/version".utf8), options: .backwards))
        file.replaceSubrange(name.lowerBound - 22..<name.lowerBound - 18, with: [0, 0, 0, 0x10])
        refused(file, "claims 268435456 bytes for 'archive/version', which is a short text")
        // A damaged directory never causes another kind of error.
        for place in file.indices.suffix(22) {
            file[place] ^= 0xff
            #expect(throws: FileError.self) { try read(file) }
        }
    }

    @Test func `A file that asks for code is refused by name, and nothing is run`() throws {
        try withFolder { folder throws in
            let marker = folder.appendingPathComponent("run")
            let shell: [Pickled] = [.string("touch \(marker.path)")]
            for (module, name) in [
                ("os", "system"), ("posix", "system"), ("builtins", "eval"), ("torch", "load"),
            ] {
                let attack = Pickled.call(.global(module, name), shell)
                let reason =
                    "refers to '\(module).\(name)', which weights do not need; it was refused, and no code was run"
                refused(attack, reason)
                refused(["w": attack], reason)
                refused(["model_state": view([6], [1]), "hook": attack], reason)
                refused(
                    .raw(Pickled.string(module).operations + Pickled.string(name).operations + [0x93]), reason
                )
            }
            #expect(!FileManager.default.fileExists(atPath: marker.path))
        }
    }

    @Test(arguments: Array("iopPVS.2gI\u{81}".unicodeScalars))
    func `Operations that weight files do not need are refused`(_ operation: Unicode.Scalar) {
        let reason =
            operation == "."
            ? "is malformed" : "uses pickle operation 0x\(String(operation.value, radix: 16))"
        refused(.raw([UInt8(operation.value)]), reason)
    }

    @Test(
        arguments: [
            "0", "t", "e", "(e", "]e", "a", "Na", "NNa", "s", "}s", "}Ns", "u", "(u", "N(u", "}(NNub",
            "q\u{0}R", "h\u{5}", "R",
            "NR", "N)R", ")NR", "b",
            "((t", "(0", "\u{5d}(\u{30}", "Q", "NQ", ")Q", "cx", "ctorch\nFloatStorage\n)R",
            "ctorch._utils\n_rebuild_tensor_v2\n)R",
            "ctorch._utils\n_rebuild_parameter\n)R", "X\u{7f}\u{7f}\u{7f}\u{7f}", "\u{7f}",
        ])
    func `Malformed pickles are refused`(_ operations: String) {
        for data in [
            PthWriter.zip(.raw(Array(operations.utf8))), PthWriter.plain(.raw(Array(operations.utf8))),
        ] {
            #expect(throws: FileError.self) { try read(data) }
        }
    }

    @Test(
        arguments: [
            "list": (open: "]", close: "a"), "tuple": ("", "\u{1}"), "dictionary": ("}N", "s"),
        ])
    func `Values nested fifty thousand deep do not exhaust the stack`(
        _ kind: String, _ operations: (open: String, close: String)
    )
        throws
    {
        let count = 50_000
        let close = operations.close == "\u{1}" ? [0x85] : Array(operations.close.utf8)
        let open = Array(repeating: Array(operations.open.utf8), count: count).joined()
        let value = Array(open) + Array("N".utf8) + Array(Array(repeating: close, count: count).joined())
        #expect(
            try read(["deep": .raw(value), "w": .tensor("0", count: 6, shape: [6], strides: [1])]).count == 1)
        refused(
            .raw(value), kind == "dictionary" ? "holds no tensors" : "does not hold a dictionary of tensors")
    }

    @Test func `Values that contain themselves are read or refused, and freed`() throws {
        // A list and a dictionary that contain themselves through the memo.
        let list = Pickled.raw(Array("]q\u{1}h\u{1}a".utf8))
        #expect(try read(["loop": list, "w": .tensor("0", count: 6, shape: [6], strides: [1])]).count == 1)
        refused(.raw(Array("}q\u{1}X\u{5}\0\0\0modelh\u{1}s".utf8)), "holds no tensors")
        refused(list, "does not hold a dictionary of tensors")
    }

    @Test func `A small file cannot make itself large by naming one list many times`() {
        let list =
            Pickled.list(Array(repeating: .tuple([.string("k"), .none]), count: 1000)).operations
            + Array("q\u{1}0".utf8)
        let copies = String(repeating: "ccollections\nOrderedDict\n(h\u{1}tR0", count: 1000)
        refused(.raw(list + Array(copies.utf8) + Array("N".utf8)), "repeats one list too often")
    }

    @Test(
        arguments: [
            (7, [7], [1]), (6, [7], [1]), (6, [6], [2]), (6, [-1], [1]), (6, [2], [-1]),
            (6, [3, 3], [3, 1]), (6, [2, 3], [1]),
            (6, [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], [Int](repeating: 1, count: 17)),
            (6, [7, 7], [0, 0]),
            (6, [.max], [0]), (6, [.max], [1]), (6, [.max, .max], [0, 0]), (6, [2], [.max]),
            (6, [0, 1 << 62, 4], [1, 1, 1]),
            (.max, [.max], [1]),
            (.max, [1], [1]),
            (1 << 61, [1], [1]), (-1, [1], [1]),
        ] as [(Int, [Int], [Int])])
    func `Tensors that reach outside their storage are refused`(
        _ count: Int, _ shape: [Int], _ strides: [Int]
    ) {
        refused(view(count: count, shape, strides), "storage")
    }

    @Test(arguments: [-1, 1, 6, 7, Int.max])
    func `Offsets beyond the storage are refused`(_ offset: Int) {
        refused(view(offset: offset, [6], [1]), "reaches outside its storage")
    }

    @Test func `Archives that lack a record, and files that are not archives, are refused`() {
        let state = view([6], [1])
        refused(PthWriter.zip(state), "data/0")
        refused(
            PthWriter.zip(state, storages: ["0": storage], records: ["data.pkl": nil as Data?]), "data.pkl")
        refused(
            PthWriter.zip(state, storages: ["0": storage], records: ["version": nil as Data?]),
            "broken archive")
        refused(
            PthWriter.zip(state, storages: ["0": storage], records: ["version": Data("x".utf8)]),
            "broken archive")
        refused(
            PthWriter.zip(state, storages: ["0": storage.dropLast()]),
            "less data in storage '0' than its tensors need")
        refused(
            PthWriter.plain(state, storages: [("0", 5, storage.dropLast(4))]),
            "less data in storage '0' than its tensors need")
        refused(PthWriter.plain(state, storages: [("0", .max, storage)]), "is cut short")
        refused(PthWriter.plain(state), "lacks the storage '0'")
        refused(Data(), "is not a PyTorch weight file")
        refused(Data("PK".utf8), "broken archive")
        refused(Data("hello, world".utf8), "is not a PyTorch weight file")
        refused([:] as Pickled, "holds no tensors")
        refused(["w": .int(1)] as Pickled, "holds no tensors")
        refused(.list([]), "does not hold a dictionary of tensors")
    }

    @Test func `Names that stand for one record hold no more than the file`() throws {
        let large = Data(count: 1 << 20)
        func state(_ count: Int) -> Pickled {
            .dictionary(
                (0..<count).map {
                    (.string("w\($0)"), .tensor("\($0)", count: 1 << 18, shape: [1 << 18], strides: [1]))
                })
        }
        let storages = Dictionary(uniqueKeysWithValues: (0..<64).map { ("\($0)", large) })
        // One record per name is fine; one record under many names is not.
        #expect(try read(PthWriter.zip(state(64), storages: storages)).count == 64)
        refused(PthWriter.zip(state(64), storages: storages, sharing: true), "than the file holds")
    }

    @Test
    func `Weights that are tied are one tensor, and other views hold no more than their storage`() throws {
        let same = (0..<100).map {
            (Pickled.string("w\($0)"), Pickled.tensor("0", count: 1 << 20, shape: [1 << 20], strides: [1]))
        }
        let data = Data(count: 4 << 20)
        let tied = try read(PthWriter.zip(.dictionary(same), storages: ["0": data]))
        #expect(Set(tied.values.map(ObjectIdentifier.init)).count == 1 && tied.count == 100)
        let shifted = (0..<100).map {
            (
                Pickled.string("w\($0)"),
                Pickled.tensor("0", count: 1 << 20, offset: $0, shape: [1 << 19], strides: [1])
            )
        }
        refused(PthWriter.zip(.dictionary(shifted), storages: ["0": data]), "more data than it holds")
    }

    @Test(arguments: ["N", "]", ")", "K\u{1}", "N0", "}"])
    func `A pickle of a million values that weights do not need is refused`(_ operations: String) {
        let many = Pickled.raw(Array(String(repeating: operations, count: (1 << 21) + 1).utf8))
        refused(PthWriter.zip(many), "far more values than weights need")
        refused(PthWriter.plain(many), "far more values than weights need")
    }

    @Test func `A missing file is an error in the system's words`() {
        #expect(throws: FileError("/no/w.pth", "cannot read: No such file or directory")) {
            try PthFile(contentsOf: URL(fileURLWithPath: "/no/w.pth"))
        }
    }

    /// A zip has its directory at the end, so most cuts are alike.
    @Test(arguments: [(PthSample.zip, 23), (PthSample.plain, 1)])
    func `A file cut at any place is refused`(_ sample: Data, _ step: Int) throws {
        for count in Array(stride(from: 0, to: sample.count - 50, by: step))
            + Array(sample.count - 50..<sample.count)
        {
            #expect(throws: FileError.self, "\(count) bytes") { try read(sample.prefix(count)) }
        }
    }

    @Test(arguments: [PthSample.zip, PthSample.plain], [1, 2, 3] as [UInt64])
    func `Flipped bytes are read or refused, and never crash`(_ sample: Data, _ seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        for _ in 0..<200 {
            var data = sample
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                data[Int.random(in: 0..<data.count, using: &random)] = .random(in: 0...255, using: &random)
            }
            do { _ = try read(data) } catch { #expect(error is FileError) }
        }
    }
}
