import Jersey

/// A limit for `jersey serve --limit NAME=VALUE`. The command, the pages and the tests read this
/// list.
package struct ServiceLimit: Sendable, Catalogued {
    package static let kind = "limit"

    package let name: String
    /// What it limits, with the unit.
    package let summary: String
    package let range: ClosedRange<Int>
    /// Units of the setting per unit of this limit.
    private let unit: Int
    private let setting: WritableKeyPath<ServerSettings, Int> & Sendable

    private init(
        _ name: String, _ summary: String, _ range: ClosedRange<Int>, unit: Int = 1,
        _ setting: WritableKeyPath<ServerSettings, Int> & Sendable
    ) {
        self.name = name
        self.summary = summary
        self.range = range
        self.unit = unit
        self.setting = setting
    }

    package static let all: [ServiceLimit] = [
        .init("body", "MiB per request body", 1...1024, unit: 1 << 20, \.limits.bodyBytes),
        .init("frames", "frames per request", 1...100_000, \.limits.frames),
        .init("sequences", "sequences per request", 1...10_000, \.limits.sequences),
        .init("frame-pixels", "million pixels per frame", 1...64, unit: 1_000_000, \.limits.framePixels),
        .init(
            "sequence-pixels", "million pixels per sequence, to which large frames are shrunk", 1...1000,
            unit: 1_000_000,
            \.limits.pixels),
        .init(
            "request-pixels", "million pixels per request, including skipped video frames", 1...100_000,
            unit: 1_000_000, \.limits.totalPixels),
        .init(
            "in-process",
            "thousand pixels up to which the service decodes an image itself, which is faster; 0 to disable",
            0...1000,
            unit: 1000, \.limits.ownPixels),
        .init("request-cpu", "CPU seconds for decoding a request", 1...3600, \.limits.cpuSeconds),
        .init(
            "request-time", "seconds from the end of a request's body to its response", 1...3600,
            \.limits.seconds),
        .init("head-time", "seconds to receive a request's head", 1...3600, \.limits.headerSeconds),
        .init("body-time", "seconds to receive a request's body", 1...3600, \.limits.bodySeconds),
        .init(
            "body-rate", "least KiB per second of a body, checked every 5 s", 0...100_000, unit: 1 << 10,
            \.limits.bodyRate),
        .init("answer-time", "seconds for the client to read a response", 1...3600, \.limits.answerSeconds),
        .init("idle-time", "seconds that a connection may be idle", 1...3600, \.limits.idleSeconds),
        .init(
            "memory", "MiB of bodies and decoded images, over all requests", 1...1_000_000, unit: 1 << 20,
            \.memory),
        .init(
            "client-memory", "MiB of bodies and decoded images, per address", 1...1_000_000, unit: 1 << 20,
            \.clientMemory),
        .init("client-queue", "requests in flight per address", 1...100_000, \.clientQueue),
        .init("client-connections", "connections per address", 1...100_000, \.clientConnections),
        .init(
            "decoder-memory", "MiB of memory per decoder process", 64...100_000, unit: 1 << 20,
            \.decoderMemory),
        .init(
            "video", "MiB of a match's video, which is kept on a disk until it is read", 1...1_000_000,
            unit: 1 << 20, \.limits.videoBytes),
        .init("video-time", "seconds to receive a match's video", 1...86_400, \.limits.videoSeconds),
        .init("jobs", "matches that are received, wait or are read", 1...10_000, \.jobs),
        .init("client-jobs", "of these, those of one address", 1...10_000, \.clientJobs),
        .init("jobs-at-once", "matches that are read at once, each with one processor", 1...64, \.jobsAtOnce),
        .init("job-time", "seconds to read a match, processor time and any", 1...1_000_000, \.jobSeconds),
        .init("result-time", "seconds that the result of a match is kept", 1...1_000_000, \.resultSeconds),
        .init("end-time", "seconds from SIGTERM to a forced exit", 5...3600, \.endSeconds),
    ]

    /// The current value, in this limit's unit.
    package func value(in settings: ServerSettings) -> Int { settings[keyPath: setting] / unit }

    /// Applies one `--limit` argument.
    ///
    /// - Throws: `UsageError` for an unknown name, or a value out of range.
    package static func set(_ word: String, in settings: inout ServerSettings) throws {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(
            String.init)
        guard parts.count == 2 else {
            throw UsageError("--limit must be name=number, such as frames=100, not '\(word)'")
        }
        let limit = try named(parts[0])
        guard let value = Int(parts[1]), limit.range ~= value else {
            throw UsageError(
                "--limit \(limit.name) must be \(limit.range.lowerBound)...\(limit.range.upperBound) (\(limit.summary)), not '\(parts[1])'"
            )
        }
        settings[keyPath: limit.setting] = value * limit.unit
    }

    /// One line per limit for the help: name, value and summary.
    package static func help(_ settings: ServerSettings = ServerSettings()) -> [String] {
        all.map { "\($0.name)=\($0.value(in: settings)): \($0.summary)" }
    }
}
