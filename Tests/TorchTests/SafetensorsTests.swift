import Foundation
import JerseySupport
import TestSupport
import Testing

@testable import Torch

@Suite("Safetensors")
struct SafetensorsTests {
    /// A file with this header, followed by this many bytes.
    private func file(_ header: String, body: Int = 0, length: UInt64? = nil) -> Data {
        withUnsafeBytes(of: (length ?? UInt64(header.utf8.count)).littleEndian) { Data($0) }
            + Data(header.utf8)
            + Data(count: body)
    }

    private func written(_ file: Safetensors) throws -> Data {
        try withFolder { folder in
            let url = folder.appendingPathComponent("x.safetensors")
            try file.write(to: url)
            return try Data(contentsOf: url)
        }
    }

    private var sample: Safetensors {
        Safetensors(
            metadata: ["format": "pt", "note": "a \"word\", ü"],
            tensors: [
                "b.weight": Tensor((0..<6).map(Float.init), shape: [2, 3]), "a/b": Tensor([1, 2] as [Int64]),
                "": .zeros([]),
            ])
    }

    private func refused(_ data: Data, _ reason: String, sourceLocation: SourceLocation = #_sourceLocation) {
        let error = #expect(throws: FileError.self, sourceLocation: sourceLocation) {
            try Safetensors(data: data, named: "f")
        }
        #expect(error?.path == "f" && error?.reason.contains(reason) == true, sourceLocation: sourceLocation)
    }

    @Test(arguments: DType.allCases)
    func `Tensors of every element type come back bit for bit`(_ dtype: DType) throws {
        let tensor = Tensor([0, 1, 0, 1, 1, 0] as [Float], shape: [3, 2]).to(dtype: dtype)
        let tensors = [
            "t": tensor, "view": tensor.permuted(1, 0), "scalar": .full([], 1, dtype: dtype),
            "none": .zeros([0, 4], dtype: dtype),
        ]
        let back = try Safetensors(data: written(Safetensors(tensors: tensors)), named: "f").tensors
        #expect(back.keys.sorted() == tensors.keys.sorted())
        for (name, tensor) in tensors {
            #expect(back[name]!.dtype == dtype && back[name]!.shape == tensor.shape)
            #expect(back[name]!.array(of: Double.self) == tensor.array(of: Double.self))
        }
    }

    @Test func `The same content gives the same bytes, which start on a multiple of eight`() throws {
        let (a, b) = (try written(sample), try written(sample))
        #expect(a == b && a[0] % 8 == 0)
        let others = (0..<100).map { ("t\($0)", Tensor([Float($0)])) }
        let forward = Safetensors(tensors: Dictionary(uniqueKeysWithValues: others))
        let backward = Safetensors(tensors: Dictionary(uniqueKeysWithValues: others.reversed()))
        #expect(try written(forward) == written(backward))
    }

    @Test func `Metadata come back, and a file that is missing is named`() throws {
        try withFolder { folder throws in
            let url = folder.appendingPathComponent("x")
            try sample.write(to: url)
            #expect(try Safetensors(contentsOf: url).metadata == sample.metadata)
            #expect(throws: FileError(folder.path + "/y", "cannot read: No such file or directory")) {
                try Safetensors(contentsOf: folder.appendingPathComponent("y"))
            }
        }
    }

    @Test func `A file cut at any byte is refused`() throws {
        let whole = try written(sample)
        for count in 0..<whole.count {
            #expect(throws: FileError.self) { try Safetensors(data: whole.prefix(count), named: "f") }
        }
        refused(whole + [0], "bytes of tensors, but its header describes")
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func `Flipped bytes are read or refused, and never crash`(_ seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let whole = try written(sample)
        for _ in 0..<500 {
            var data = whole
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                data[Int.random(in: 0..<data.count, using: &random)] = .random(in: 0...255, using: &random)
            }
            do {
                for tensor in try Safetensors(data: data, named: "f").tensors.values {
                    #expect(tensor.count * tensor.dtype.size <= 40)
                }
            } catch {
                #expect(error is FileError)
            }
        }
    }

    @Test func `A slice of a longer buffer reads like a file of its own`() throws {
        let whole = try written(sample)
        let slice = (Data([1, 2, 3]) + whole)[3...]
        #expect(try Safetensors(data: slice, named: "f").tensors["b.weight"]!.floats == [0, 1, 2, 3, 4, 5])
    }

    @Test(
        arguments: [
            #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,12]}}"#,
            #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}"#,
            #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[-4,4]}}"#,
            #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#,
            #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8]}}"#,
            #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,8]}}"#,
            #"{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}"#,
            #"{"a":{"dtype":"F32","shape":[-1,-2],"data_offsets":[0,8]}}"#,
            #"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}"#,
            #"{"a":{"dtype":"F32","shape":[9223372036854775807],"data_offsets":[0,8]}}"#,
            #"{"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,2],"data_offsets":[0,8]}}"#,
            #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[9223372036854775800,9223372036854775807]}}"#,
        ])
    func `Headers that lie are refused`(_ header: String) {
        refused(file(header, body: 8), "tensor 'a' does not fit")
    }

    @Test func `Tensors that overlap, or leave a gap that another's size makes up for, are refused`() {
        let one = #""dtype":"F32","shape":[1],"data_offsets""#
        refused(file("{\"a\":{\(one):[0,4]},\"b\":{\(one):[0,4]}}", body: 8), "overlap")
        refused(file("{\"a\":{\(one):[0,4]},\"b\":{\(one):[2,6]}}", body: 8), "overlap")
        refused(file("{\"a\":{\(one):[0,4]}}", body: 8), "bytes of tensors, but its header describes")
        #expect(throws: Never.self) {
            try Safetensors(data: file("{\"a\":{\(one):[4,8]},\"b\":{\(one):[0,4]}}", body: 8), named: "f")
        }
    }

    @Test func `An empty tensor of a monstrous shape is empty or refused`() {
        for shape in [
            "[0,4611686018427387904,4611686018427387904]", "[4611686018427387904,0,4611686018427387904]",
            "[0]",
        ] {
            let data = file("{\"a\":{\"dtype\":\"F32\",\"shape\":\(shape),\"data_offsets\":[0,0]}}")
            if let tensor = try? Safetensors(data: data, named: "f").tensors["a"] {
                #expect(tensor.count == 0)
            }
        }
    }

    @Test func `Headers that are too long, too rich or no header at all are refused`() {
        refused(Data([1, 2, 3]), "too short")
        refused(file("{}", length: .max), "header is over 1048576 bytes")
        refused(file("{}", length: 1 << 20 + 1), "header is over 1048576 bytes")
        refused(file("{}", length: 3), "cut short within its header")
        refused(file("{"), "broken safetensors header")
        refused(file("[]"), "broken safetensors header")
        refused(file(String(repeating: "[", count: 100_000)), "broken safetensors header")
        refused(file("{\"a\":" + String(repeating: "{\"a\":", count: 50_000)), "broken safetensors header")
        refused(file(#"{"__metadata__":{"n":1}}"#), "broken safetensors header")
        refused(
            file(#"{"a":{"dtype":"F32","shape":[1e400],"data_offsets":[0,0]}}"#), "broken safetensors header")
        refused(
            file(#"{"a":{"dtype":"C64","shape":[1],"data_offsets":[0,8]}}"#, body: 8),
            "unsupported type 'C64'")
        let many = (0...4096).map { "\"\($0)\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}" }
            .joined(separator: ",")
        refused(file("{\(many)}"), "holds 4097 tensors; the limit is 4096")
    }
}
