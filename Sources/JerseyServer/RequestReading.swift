import Foundation
import HTTPTypes
import Hummingbird
import Jersey

/// Parsing of untrusted bytes without a service, for fuzzing.
package enum RequestReading {
    /// The body of `POST /v1/predict`, JSON or a form; the first line is its content type.
    package static func body(_ data: Data) throws {
        let line = data.firstIndex(of: UInt8(ascii: "\n")) ?? data.endIndex
        let type = ContentType(String(decoding: data[..<line], as: UTF8.self))
        try reading { upload in
            _ = try PredictRequest.sequence(Data(data[line...].dropFirst()), type, &upload)
        }
    }

    /// A body of the Open Inference Protocol.
    package static func infer(_ data: Data) throws {
        try reading { upload in
            let asked = try JSONBody.decoded(InferRequest.self, from: data, depth: upload.limits.jsonDepth)
            try asked.check()
            _ = try asked.sequences(&upload)
        }
    }

    /// A packet between the service and a decoder.
    package static func packet(_ data: Data) {
        _ = try? MediaJob(Packet(Array(data)))
        _ = try? MediaAnswer(Packet(Array(data)))
        _ = try? VideoCommand(Packet(Array(data)))
    }

    /// The lines of a head: the host and the origin.
    package static func head(_ data: Data) throws {
        var settings = ServerSettings()
        settings.allowedHosts = ["numbers.example.org"]
        settings.allowedOrigins = ["https://pages.example.org"]
        let lines = String(decoding: data, as: UTF8.self).split(
            separator: "\n", omittingEmptySubsequences: false
        )
        .map(String.init)
        var request = HTTPRequest(method: .post, scheme: "http", authority: lines[0], path: "/")
        if lines.count > 1 { request.headerFields[.origin] = lines[1] }
        let allowed = try AllowedRequests(settings)
        _ = allowed.preflight(request)
        try allowed.check(request, local: nil)
    }

    private static func reading(_ body: (inout Upload) throws -> Void) throws {
        let room = Admission.Room(requests: 1, bytes: 512 << 20)
        var upload = Upload(RequestLimits(), Admission.MemoryPermit(Admission(room, ofClient: room), "a"))
        try body(&upload)
    }
}
