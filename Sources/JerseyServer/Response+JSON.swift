import Foundation
import Hummingbird

extension Response {
    init(json: Data, status: HTTPResponse.Status = .ok) {
        self.init(json, type: "application/json", status: status)
    }

    init(_ body: some Collection<UInt8>, type: String, status: HTTPResponse.Status = .ok) {
        self.init(
            status: status, headers: [.contentType: type], body: .init(byteBuffer: ByteBuffer(bytes: body)))
    }
}
