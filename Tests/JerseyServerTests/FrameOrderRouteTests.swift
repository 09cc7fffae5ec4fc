import Foundation
import HummingbirdTesting
import Jersey
import JerseyLab
import TestSupport
import Testing
import Torch

@testable import JerseyServer

/// One folder of frames, read through every route to a model.
@Suite struct FrameOrderRouteTests {
    /// Natural order, text order, and the order with the anchor first all differ.
    private static let names = ["8.png", "9.png", "10_anchor.png", "11.png"]

    /// The results for a sequence of frames with these names in time order. The model takes at most
    /// four frames.
    private func digits(
        _ name: String, published: Bool, _ names: [String]
    ) async throws -> (evaluated: [Double], predicted: [[Double]], frames: [String]) {
        let folder = try TestFolder()
        let files = try names.enumerated().map { ($1, try png($0 * 5 + 1, width: 30, height: 24)) }
        for (name, content) in files { try folder.url.add("data/7/t/0/" + name, content) }
        let archive = folder.url.appendingPathComponent("data.tar")
        try tar(files.map { ("7/t/0/\($0)", $1) }).write(to: archive)

        let weights = folder.url.appendingPathComponent("m.safetensors")
        var card = Checkpoint.Card(spec: try .named(name, encoder: .compact))
        (card.height, card.width, card.maximumFrames, card.published) = (32, 24, 4, published)
        try Checkpoint.write(JerseyModel(card.spec, seed: 3), card, to: weights)

        var settings = ServerSettings()
        settings.threads = 1
        func recognizer(_ singleFrame: SequenceLoader.SingleFrame) throws -> Recognizer {
            var options = Recognizer.Options()
            options.device = .cpu
            options.precision = settings.precision
            options.singleFrame = singleFrame
            return try Recognizer(Checkpoint(contentsOf: weights), path: "", options: options)
        }
        Runtime.threads = settings.threads
        let evaluated = try ["data", "data.tar"].map { path in
            var config = DataConfig()
            config.path = folder.path(path)
            let reading = try #require(
                try recognizer(.anchor).reader.readAll(Dataset(config).sequences).0.first)
            return Prediction(reading).tens
        }
        #expect(evaluated[0] == evaluated[1])
        var predictions = try [folder.path("data/7/t/0"), archive.path, folder.url.path].map { path in
            try #require(try recognizer(.anchorOrAll).predict(path).first)
        }

        let served = try await ServedModel(
            named: "m", version: 1, from: weights.path, settings, decoders: Subject.decoders,
            metrics: ServiceMetrics())
        predictions += try await Subject([served]).ask { client async throws in
            let (body, type) = form(files.map { ("frames", $0, $1) })
            let asForm = try await client.post("/v1/predict", body, type: type)
            let rows = files.map { "{\"name\": \"\($0)\", \"data\": \"\($1.base64EncodedString())\"}" }
            let asJSON = try await client.post(
                "/v1/predict", json: "{\"frames\": [\(rows.joined(separator: ","))]}")
            let asArchive = try await client.post(
                "/v1/predict/archive", Data(contentsOf: archive), type: "application/x-tar")
            return try [asForm, asJSON].map { try JSON.decoded(Prediction.self, from: Data($0.text.utf8)) }
                + JSON.decoded([Prediction].self, from: Data(asArchive.text.utf8))
        }
        let frames = predictions.map { $0.frames.map { URL(fileURLWithPath: $0.path).lastPathComponent } }
        for other in frames { #expect(other == frames[0]) }
        return (evaluated[0], predictions.map(\.tens), frames[0])
    }

    @Test(arguments: ["seq_ugru_fs", "attn_bgru_hc", "basic_r18"], [false, true])
    func `A folder is read alike, digit for digit, by every way in`(model: String, published: Bool)
        async throws
    {
        let (evaluated, predicted, frames) = try await digits(model, published: published, Self.names)
        for tens in predicted { #expect(tens == evaluated) }
        let order = published ? [2, 3, 0, 1] : [0, 1, 2, 3]
        #expect(frames == (model == "basic_r18" ? [Self.names[2]] : order.map { Self.names[$0] }))
    }

    @Test func `The order of frames matters to what a model says of them`() async throws {
        let ours = try await digits("seq_ugru_fs", published: false, Self.names).evaluated
        let published = try await digits("seq_ugru_fs", published: true, Self.names).evaluated
        #expect(zip(ours, published).contains { abs($0 - $1) > 1e-4 })
    }

    @Test(arguments: [false, true])
    func `Windows of a long track are stretches of time, each read in the model's order`(published: Bool)
        async throws
    {
        let names = Self.names + ["99.png", "100.png"]
        let (_, predicted, frames) = try await digits("seq_ugru_fs", published: published, names)
        // The service may read both windows at once, which changes the rounding.
        for tens in predicted { #expect(zip(tens, predicted[0]).allSatisfy { abs($0 - $1) < 1e-6 }) }
        let order = published ? [2, 0, 1, 5, 3, 4] : [0, 1, 2, 3, 4, 5]
        #expect(frames == order.map { names[$0] })
    }
}
