import Foundation
import Hummingbird
import Jersey

/// What all routes that read numbers have in common: who may come in, how much of a body is taken, on which threads the work is done, and
/// that nothing is done for clients that have left.
struct Reception: Sendable {
    let shelf: ModelShelf
    let admission: Admission
    let decoders: DecoderPool
    let limits: RequestLimits
    let metrics: ServiceMetrics

    /// - Parameters:
    ///   - parse: makes of the body what was asked, and sequences, with the means for it; on a decoding thread.
    ///   - answer: makes the answer, on a decoding thread; is given a prediction for each sequence, in order.
    /// - Throws: `ServiceError` and what else `ServiceError.init` makes one of.
    func respond<Asked: Sendable>(
        to request: Request, _ context: ServiceContext, model name: String? = nil, version: String? = nil,
        parse: @escaping @Sendable (Data, inout Upload) throws -> (Asked, [FrameSequence]),
        answer: @escaping @Sendable (ModelDescription, Asked, [FrameSequence], [Prediction]) throws -> Data
    ) async throws -> Response {
        let model = try shelf.model(name, version: version)
        try admission.check()
        return try await admission.claiming { claim in
            let body = try await collect(request, claim)
            return try await admission.admitted {
                let json = try await context.whileClientWaits {
                    let (asked, sequences) = try await decoders.run {
                        var upload = Upload(limits, claim)
                        return try parse(body, &upload)
                    }
                    let predictions = try await model.predict(sequences)
                    if let reason = Self.refusal(predictions) { throw reason }
                    metrics.add(predictions, model: model.about.name)
                    return try await decoders.run { try answer(model.about, asked, sequences, predictions) }
                }
                return Response(json: json)
            }
        }
    }

    /// Nothing could be read at all: that is the request's fault.
    private static func refusal(_ predictions: [Prediction]) -> ServiceError? {
        guard predictions.allSatisfy({ $0.confidence == nil && !$0.unreadable }), let problem = predictions.first?.leftOut.first
        else { return nil }
        return ServiceError(.unprocessableContent, "no frame can be read: \(problem.path) \(problem.reason)")
    }

    /// The whole body.
    ///
    /// - Parameter claim: on memory for it.
    private func collect(_ request: Request, _ claim: Admission.Claim) async throws -> Data {
        let tooLarge = ServiceError(
            .contentTooLarge, "the body has more than \(limits.bodyBytes >> 20) MiB; send fewer or smaller frames")
        let length = request.headers[.contentLength].flatMap(Int.init)
        if let length, length > limits.bodyBytes { throw tooLarge }
        var body = Data(capacity: min(length ?? 0, 1 << 20))
        var chunks = 0
        do {
            for try await chunk in request.body {
                guard body.count + chunk.readableBytes <= limits.bodyBytes else { throw tooLarge }
                chunks += 1
                guard length != nil || chunks <= limits.chunks else {
                    throw ServiceError(.contentTooLarge, "the body comes in more than \(limits.chunks) chunks; send larger ones")
                }
                try claim.take(chunk.readableBytes)
                body.append(contentsOf: chunk.readableBytesView)
            }
        } catch let error as ServiceError {
            throw error
        } catch {
            throw ServiceError(.badRequest, "the body is cut off or malformed; send it again")
        }
        if let length, length != body.count { throw ServiceError(.badRequest, "the body is shorter than its Content-Length") }
        return body
    }
}
