import Foundation
import TestSupport
import Testing
import Torch

@testable import Jersey

@Suite("Checkpoints")
struct CheckpointTests {
    private static let spec = ModelSpec.all.first { $0.name == "basic_mv3s" }!

    private func card() -> Checkpoint.Card {
        var card = Checkpoint.Card(spec: Self.spec)
        card.height = 48
        card.numbers = [JerseyNumber("7")!, JerseyNumber("07")!]
        card.training = .init(seed: 3, epoch: 2, validationAccuracy: 0.5, sequences: 9)
        return card
    }

    private func refused(_ reason: String, _ body: () throws -> Void) {
        let error = #expect(throws: FileError.self) { try body() }
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
    }

    @Test func `A model and its card come back from one file, and the file is the same each time`() throws {
        try withFolder { folder throws in
            let (url, other) = (
                folder.appendingPathComponent("a.safetensors"), folder.appendingPathComponent("b")
            )
            let model = JerseyModel(Self.spec, seed: 4)
            try Checkpoint.write(model, card(), to: url)
            try Checkpoint.write(model, card(), to: other)
            #expect(try Data(contentsOf: url) == Data(contentsOf: other))
            let checkpoint = try Checkpoint(contentsOf: url)
            #expect(checkpoint.card == card())
            let loaded = try checkpoint.model(on: .cpu, path: url.path)
            #expect(
                zip(loaded.store.entries, model.store.entries).allSatisfy {
                    $0.name == $1.name && $0.tensor.floats == $1.tensor.floats
                })
        }
    }

    @Test(arguments: ["module.", "_orig_mod.", "model.", "module._orig_mod.", "net.", "a.b.c."])
    func `What other programs put before all names is taken off`(prefix: String) throws {
        try withFolder { folder throws in
            let url = folder.appendingPathComponent("a.safetensors")
            let model = JerseyModel(Self.spec, seed: 4)
            let named = Dictionary(
                uniqueKeysWithValues: model.store.tensors.map { (prefix + $0.key, $0.value) })
            try Safetensors(metadata: [:], tensors: named).write(to: url)
            let checkpoint = try Checkpoint(contentsOf: url)
            #expect(checkpoint.card.spec == Self.spec && !checkpoint.tellsSize)
            _ = try checkpoint.model(on: .cpu, path: url.path)
            try Safetensors(
                metadata: ["config.img_height": "48", "config.img_width": "48"], tensors: named
            ).write(to: url)
            #expect(try Checkpoint(contentsOf: url).tellsSize)
        }
    }

    @Test(arguments: [Double.nan, .infinity])
    func `Weights that are not finite are refused by name`(_ value: Double) throws {
        try withFolder { folder throws in
            let url = folder.appendingPathComponent("a.safetensors")
            let model = JerseyModel(Self.spec, seed: 4)
            let entry = try #require(model.store.trainable.last)
            entry.tensor.copy(from: .full(entry.tensor.shape, value))
            try Checkpoint.write(model, card(), to: url)
            refused(entry.name) { _ = try Checkpoint(contentsOf: url).model(on: .cpu, path: url.path) }
        }
    }

    @Test
    func `A head for the full number is found again, with a card and without, also where the model is named`()
        throws
    {
        try withFolder { folder throws in
            let url = folder.appendingPathComponent("m")
            var card = card()
            card.spec.hasFullHead = true
            let model = JerseyModel(card.spec, seed: 4)
            try Checkpoint.write(model, card, to: url)
            for spec in [nil, Self.spec] {
                let checkpoint = try Checkpoint(contentsOf: url, spec: spec)
                #expect(checkpoint.card == card)
                let loaded = try checkpoint.model(on: .cpu, path: url.path)
                #expect(
                    loaded.store.tensors["fc_full.bias"]?.floats
                        == model.store.tensors["fc_full.bias"]?.floats)
            }
            try Safetensors(tensors: model.store.tensors).write(to: url)
            #expect(try Checkpoint(contentsOf: url).card.spec == card.spec)
            #expect(try Checkpoint(contentsOf: url, spec: Self.spec).card.spec == card.spec)
        }
    }

    @Test func `Weights of another model are refused, by card and by names`() throws {
        try withFolder { folder throws in
            let url = folder.appendingPathComponent("m")
            let model = JerseyModel(Self.spec)
            try Checkpoint.write(model, card(), to: url)
            let other = try ModelSpec.named("basic_sv2")
            refused("holds basic_mv3s with mobilenet_v3_small, not basic_sv2 with shufflenet_v2_x1_0") {
                _ = try Checkpoint(contentsOf: url, spec: other)
            }
            try Safetensors(tensors: model.store.tensors).write(to: url)
            refused("does not hold the weights of basic_sv2: backbone.conv1.0.weight is missing") {
                _ = try Checkpoint(contentsOf: url, spec: other).model(on: .cpu, path: url.path)
            }
            try Safetensors(metadata: ["jersey": "{}"], tensors: model.store.tensors).write(to: url)
            refused("has a model card that cannot be read") { _ = try Checkpoint(contentsOf: url) }
        }
    }

    @Test
    func `A card from before models with another encoder had names of their own is that of today's model`()
        throws
    {
        try withFolder { folder throws in
            let url = folder.appendingPathComponent("m")
            var older = try ModelSpec.named("basic_mv3s")
            older.name = "basic_r18"
            try Checkpoint.write(JerseyModel(Self.spec), Checkpoint.Card(spec: older), to: url)
            #expect(try Checkpoint(contentsOf: url).card.spec == Self.spec)
            #expect(
                try Checkpoint(contentsOf: url, spec: .named("basic", encoder: .mobilenetV3Small)).card.spec
                    == Self.spec)
        }
    }

    @Test(
        arguments: [
            ("\"hidden\":128", "\"hidden\":-1", "a recurrent layer of -1 units"),
            ("\"hidden\":128", "\"hidden\":4096", "a recurrent layer of 4096 units"),
            ("\"cell\":1", "\"cell\":2", "a seq_ugru_fs whose parts are not those of a known model"),
            ("seq_ugru_fs", "seq_x", "a seq_x whose parts are not"),
            ("\"final\":{}", "\"topK\":{\"count\":0,\"width\":64}", "whose parts are not"),
            ("\"height\":192", "\"height\":0", "frames of 0x96 pixels"),
            ("\"width\":96", "\"width\":9223372036854775807", "frames of 192x9223372036854775807 pixels"),
            ("\"maximumFrames\":16", "\"maximumFrames\":-16", "sequences of -16 frames"),
            ("\"temperature\":2", "\"temperature\":0", "a temperature of 0.0"),
        ])
    func `A card with what no model can have is refused`(_ former: String, _ now: String, _ reason: String)
        throws
    {
        try withFolder { folder throws in
            let url = folder.appendingPathComponent("m")
            var card = Checkpoint.Card(spec: try ModelSpec.named("seq_ugru_fs"))
            card.calibration = .init(temperature: 2, threshold: 0.9, precision: 1, coverage: 1, sequences: 9)
            func write(_ text: String) throws {
                try Safetensors(metadata: [Checkpoint.cardKey: text], tensors: [:]).write(to: url)
            }
            let text = JSON.text(try JSON.line(card))
            try write(text)
            #expect(try Checkpoint(contentsOf: url).card == card)
            try write(text.replacingOccurrences(of: former, with: now))
            refused(reason) { _ = try Checkpoint(contentsOf: url) }
        }
    }

    @Test func `A card of before is read, and written as it was`() throws {
        let file = Places.repository.appendingPathComponent("Sources/CBundledModel/bundled.safetensors")
        let text = try #require(try Safetensors(contentsOf: file).metadata[Checkpoint.cardKey])
        let card = try JSON.decoded(Checkpoint.Card.self, from: Data(text.utf8))
        #expect(JSON.text(try JSON.line(card)) == text)
        #expect((card.height, card.width, card.maximumFrames) == (48, 48, 16) && card.wholePlayers == .number)
        // Files from before this choice existed do not name it.
        var plain = card
        plain.wholePlayers = .whole
        let words = JSON.text(try JSON.line(plain))
        #expect(!words.contains("wholePlayers"))
        #expect(try JSON.decoded(Checkpoint.Card.self, from: Data(words.utf8)) == plain)
    }

    @Test(
        arguments: ModelSpec.all, EncoderKind.allCases)
    func
        `Every model with every encoder is recognised by names and shapes, without a card, with its width and its heads`(
            _ model: ModelSpec, _ encoder: EncoderKind
        ) throws
    {
        guard encoder == model.encoder || encoder == .compact || model.name == "seq_urnn_fs" else { return }
        var spec = model
        spec.encoder = encoder
        spec = spec.with(hidden: 12)
        spec.hasFullHead = true
        let shapes = JerseyModel(spec).store.tensors.mapValues(\.shape)
        let found = try #require(ModelSpec.recognised(by: shapes))
        #expect(JerseyModel(found).store.tensors.mapValues(\.shape) == shapes)
        // Two names for one network, or a single-frame model with another encoder.
        #expect(
            found.name == spec.name || spec.name == "basic_effl0"
                || (encoder != model.encoder && spec.readsAnchorOnly))
        #expect((found.encoder, found.family) == (encoder, spec.family))
    }

    @Test(
        arguments: [
            [:], ["backbone.conv1.weight": [64, 3, 7, 7]],
            ["encoder.backbone.layer4.1.conv2.weight": [512, 512, 3, 3]],
            ["encoder.backbone.stem.0.weight": [32], "rnn.weight_hh_l0": []],
            ["encoder.backbone.stem.0.weight": [32], "rnn.weight_hh_l0": [-3, Int.max]],
        ])
    func `Weights of no model are not recognised`(_ shapes: [String: [Int]]) {
        #expect(ModelSpec.recognised(by: shapes) == nil)
    }

    @Test(
        arguments: [7, 200])
    func
        `A layer of another width comes back from files with a card and without, also where the model is named`(
            _ hidden: Int
        )
        throws
    {
        try withFolder { folder throws in
            let url = folder.appendingPathComponent("m")
            let spec = try ModelSpec.named("attn_ugru_gate", encoder: .compact, hidden: hidden)
            let model = JerseyModel(spec, seed: 4)
            func check() throws {
                for named in [nil, try ModelSpec.named("attn_ugru_gate", encoder: .compact)] {
                    let checkpoint = try Checkpoint(contentsOf: url, spec: named)
                    #expect(checkpoint.card.spec == spec)
                    let loaded = try checkpoint.model(on: .cpu, path: url.path)
                    #expect(loaded.store.tensors["gru.weight_hh_l0"]?.shape == [3 * hidden, hidden])
                }
            }
            try Checkpoint.write(model, Checkpoint.Card(spec: spec), to: url)
            try check()
            try Safetensors(tensors: model.store.tensors).write(to: url)
            try check()
            #expect(spec.summary == "attn_ugru_gate with compact, \(hidden) units in its recurrent layer")
            #expect(spec.temporal?.description == "gru of \(hidden) units")
        }
    }

    @Test
    func
        `A file that does not say how it is read is read as the study did where that is asked for; a card is not contradicted`()
        throws
    {
        try withFolder { folder throws in
            let url = folder.appendingPathComponent("m")
            let model = JerseyModel(Self.spec)
            try Safetensors(tensors: model.store.tensors).write(to: url)
            for published in [false, true] {
                let checkpoint = try Checkpoint(contentsOf: url, published: published)
                #expect(checkpoint.card.published == published && !checkpoint.hasCard)
                let loader = SequenceLoader(checkpoint.card, singleFrame: .anchor)
                #expect((loader.order == .time) == !published && (loader.sampling == .even) == !published)
                #expect(
                    loader.preprocessor == FramePreprocessor(height: 192, width: 96, truncates: published))
            }
            try Checkpoint.write(model, card(), to: url)
            refused("has a card that does not allow reading as published; read it as its card says") {
                _ = try Checkpoint(contentsOf: url, published: true)
            }
            refused("read it as its card says") {
                _ = try Checkpoint(named: Checkpoint.bundledWord, published: true)
            }
            var card = card()
            card.published = true
            try Checkpoint.write(model, card, to: url)
            for published in [false, true] {
                #expect(try Checkpoint(contentsOf: url, published: published).card.published)
            }
            try Safetensors(tensors: JerseyModel(.named("evidence_tied")).store.tensors).write(to: url)
            refused("the study has nothing like evidence_tied") {
                _ = try Checkpoint(contentsOf: url, published: true)
            }
        }
    }

    @Test
    func `A file of the study tells the size of its frames and how many it takes, unless that cannot be`()
        throws
    {
        try withFolder { folder throws in
            let url = folder.appendingPathComponent("m")
            func write(_ height: String) throws {
                let settings = [
                    "config.img_height": height, "config.img_width": "64", "config.max_seq_len": "8",
                ]
                try Safetensors(metadata: settings, tensors: JerseyModel(Self.spec).store.tensors).write(
                    to: url)
            }
            try write("128")
            let card = try Checkpoint(contentsOf: url).card
            #expect((card.height, card.width, card.maximumFrames) == (128, 64, 8))
            try write("0")
            refused("is for frames of 0x64 pixels, which no model can have") {
                _ = try Checkpoint(contentsOf: url)
            }
        }
    }

    @Test
    func `Weights without a card are recognised by names and shapes, and not loaded with other tensors`()
        throws
    {
        try withFolder { folder throws in
            let url = folder.appendingPathComponent("m")
            var tensors = JerseyModel(Self.spec).store.tensors.filter {
                !$0.key.hasSuffix("num_batches_tracked")
            }
            try Safetensors(tensors: tensors).write(to: url)
            #expect(try Checkpoint(contentsOf: url).card == Checkpoint.Card(spec: Self.spec))
            tensors["extra"] = .zeros([1])
            try Safetensors(tensors: tensors).write(to: url)
            refused("does not hold the weights of basic_mv3s: extra is not part of the model") {
                _ = try Checkpoint(contentsOf: url).model(on: .cpu, path: url.path)
            }
        }
    }

    @Test func `A cut file, an empty one, a folder and a missing one are refused by path`() throws {
        try withFolder { folder throws in
            let url = folder.appendingPathComponent("m")
            try Checkpoint.write(JerseyModel(Self.spec), card(), to: url)
            let whole = try Data(contentsOf: url)
            for count in [0, 1, 2, 7, 8, 9, 1000, whole.count / 2, whole.count - 1] {
                try whole.prefix(count).write(to: url)
                refused(url.path + ": ") { _ = try Checkpoint(contentsOf: url) }
            }
            try Data().write(to: url)
            refused("0 bytes") { _ = try Checkpoint(contentsOf: url) }
            refused("is a folder, not a weight file") { _ = try Checkpoint(contentsOf: folder) }
            refused("does not exist") { _ = try Checkpoint(contentsOf: folder.appendingPathComponent("no")) }
        }
    }

    @Test(
        arguments: [128, 384, 1408, 19_280])
    func `A file's kind is recognised by its content, whatever its name and the length of its header`(
        _ length: Int
    ) throws {
        try withFolder { folder throws in
            // Header lengths whose first bytes are those of a pickle or of a zip archive.
            func header(_ note: Int) throws -> Data {
                try Safetensors(
                    metadata: ["n": String(repeating: "x", count: note)], tensors: ["w": .zeros([1])]
                ).write(
                    to: folder.appendingPathComponent("m.pth"))
                return try Data(contentsOf: folder.appendingPathComponent("m.pth"))
            }
            let bare = Int(try header(0)[0])
            let data = try header(length - bare)
            #expect(Int(data[0]) + Int(data[1]) << 8 == length)
            #expect(try Checkpoint.read(folder.appendingPathComponent("m.pth")).0.keys.sorted() == ["w"])
        }
    }

    @Test(
        arguments: [
            // torch.save({"w": torch.tensor([1., 2.])}, _use_new_zipfile_serialization=False)
            """
            gAKKCmz8nEb5IGqoUBkugAJN6QMugAJ9cQAoWBAAAABwcm90b2NvbF92ZXJzaW9ucQFN6QNYDQAAAGxpdHRsZV9lbmRpYW5xAohYCgAAAHR5cGVfc2l6ZX
            NxA31xBChYBQAAAHNob3J0cQVLAlgDAAAAaW50cQZLBFgEAAAAbG9uZ3EHSwR1dS6AAn1xAFgBAAAAd3EBY3RvcmNoLl91dGlscwpfcmVidWlsZF90ZW5z
            b3JfdjIKcQIoKFgHAAAAc3RvcmFnZXEDY3RvcmNoCkZsb2F0U3RvcmFnZQpxBFgOAAAAOTQyMTI4ODMwODQwMzJxBVgDAAAAY3B1cQZLAk50cQdRSwBLAo
            VxCEsBhXEJiWNjb2xsZWN0aW9ucwpPcmRlcmVkRGljdApxCilScQt0cQxScQ1zLoACXXEAWA4AAAA5NDIxMjg4MzA4NDAzMnEBYS4CAAAAAAAAAAAAgD8A
            AABA
            """
        ])
    func `Files of PyTorch are read as such`(_ base64: String) throws {
        try withFolder { folder throws in
            try folder.add("m.safetensors", Data(base64Encoded: base64, options: .ignoreUnknownCharacters)!)
            let url = folder.appendingPathComponent("m.safetensors")
            #expect(try Checkpoint.read(url).0["w"]?.floats == [1, 2])
            refused("holds weights of an unknown model") { _ = try Checkpoint(contentsOf: url) }
            try folder.add("zip", Data("PK\u{3}\u{4}".utf8))
            refused("is a broken archive") {
                _ = try Checkpoint(contentsOf: folder.appendingPathComponent("zip"))
            }
        }
    }
}
