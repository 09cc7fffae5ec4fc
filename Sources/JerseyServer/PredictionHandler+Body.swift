import Foundation
import Hummingbird
import Jersey

extension PredictionHandler {
    /// The whole body of a request.
    ///
    /// - Parameter permit: holds the memory for it.
    func collect(_ request: Request, _ context: ServiceContext, _ permit: Admission.MemoryPermit)
        async throws -> Data
    {
        var body = Data()
        try await receive(request, context, most: limits.bodyBytes, chunks: limits.chunks) { chunk in
            try permit.take(chunk.readableBytes)
            body.append(contentsOf: chunk.readableBytesView)
        }
        return body
    }

    /// Receives the whole body of a request, piece by piece.
    ///
    /// - Parameters:
    ///   - most: the most bytes.
    ///   - chunks: the most pieces of a body without a length.
    ///   - take: keeps a piece; what it throws ends the request.
    /// - Throws: `ServiceError` for a body that is too large, cut off or compressed.
    func receive(
        _ request: Request, _ context: ServiceContext, most: Int, chunks: Int,
        _ take: (ByteBuffer) async throws -> Void
    ) async throws {
        if let encoding = request.headers[.contentEncoding]?.lowercased(), encoding != "identity" {
            throw ServiceError(
                .unsupportedMediaType,
                "the body has Content-Encoding \(encoding), which is not read; send it as it is")
        }
        let tooLarge = ServiceError(
            .contentTooLarge, "the body has more than \(most >> 20) MiB; send fewer or smaller frames")
        let length = request.headers[.contentLength].flatMap(Int.init)
        if let length, length > most { throw tooLarge }
        // All checks that do not need the body have passed.
        if request.headers[.expect] != nil { await context.channel.bidSend() }
        var (received, count) = (0, 0)
        do {
            for try await chunk in request.body {
                received += chunk.readableBytes
                guard received <= most else { throw tooLarge }
                count += 1
                guard length != nil || count <= chunks else {
                    throw ServiceError(
                        .contentTooLarge, "the body has more than \(chunks) chunks; send larger ones")
                }
                try await take(chunk)
            }
        } catch let error as ServiceError {
            throw error
        } catch {
            throw ServiceError(.badRequest, "the body is cut off or malformed; send it again")
        }
        if let length, length != received {
            throw ServiceError(.badRequest, "the body is shorter than its Content-Length")
        }
    }
}
