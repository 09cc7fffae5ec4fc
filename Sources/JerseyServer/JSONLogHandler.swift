import Foundation
import Jersey
import Logging

/// Writes one line of JSON per event: `time`, `level`, `message` and metadata. Strings are cut at
/// 1,000 characters, because clients control some of them.
struct JSONLogHandler: LogHandler {
    /// Keeps numbers as numbers.
    private enum Field: Encodable {
        case text(String)
        case number(Double)

        init(_ value: Logger.Metadata.Value) {
            switch value {
            case .stringConvertible(let number as Int): self = .number(Double(number))
            case .stringConvertible(let number as Double): self = .number(number)
            default: self = .text(Shown.text("\(value)", limit: 1000))
            }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .text(let text): try container.encode(text)
            case .number(let number): try container.encode(number)
            }
        }
    }

    let writer: LogWriter
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var fields = metadata.merging(event.metadata ?? [:]) { $1 }.mapValues(Field.init)
        // Hummingbird's own request id. Our id also goes to the client.
        fields["hb.request.id"] = nil
        fields["time"] = .text(Date.ISO8601FormatStyle(includingFractionalSeconds: true).format(.now))
        fields["level"] = .text(event.level.rawValue)
        fields["message"] = .text("\(event.message)")
        guard let line = try? JSON.line(fields) else { return }
        writer.add(line + Data("\n".utf8))
    }
}
