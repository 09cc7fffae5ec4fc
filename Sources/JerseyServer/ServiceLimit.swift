import Jersey

/// A limit that `jersey serve --limit NAME=VALUE` sets. This is the list of them; the command, the pages and the tests read it.
package struct ServiceLimit: Sendable, Catalogued {
    package static let kind = "limit"

    package let name: String
    /// What is limited, and in which unit.
    package let summary: String
    package let range: ClosedRange<Int>
    /// How many of the setting's units are one of ours.
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
        .init("body", "MiB of a request's body", 1...1024, unit: 1 << 20, \.limits.bodyBytes),
        .init("frames", "frames of a request", 1...100_000, \.limits.frames),
        .init("sequences", "sequences of a request", 1...10_000, \.limits.sequences),
        .init("frame-pixels", "million pixels of a frame", 1...64, unit: 1_000_000, \.limits.framePixels),
        .init(
            "sequence-pixels", "million pixels of a sequence, which are decoded at once", 1...1000, unit: 1_000_000,
            \.limits.pixels),
        .init(
            "request-pixels", "million pixels of a request, also of pictures of a video that are passed over", 1...100_000,
            unit: 1_000_000, \.limits.totalPixels),
        .init(
            "in-process", "thousand pixels of a picture that is decoded in the service itself, which is faster; 0 for none",
            0...1000,
            unit: 1000, \.limits.ownPixels),
        .init("request-cpu", "seconds of a processor that decoding a request takes", 1...3600, \.limits.cpuSeconds),
        .init("request-time", "seconds from the end of a request's body to its answer", 1...3600, \.limits.seconds),
        .init("head-time", "seconds for a request's head", 1...3600, \.limits.headerSeconds),
        .init("body-time", "seconds for a request's body", 1...3600, \.limits.bodySeconds),
        .init(
            "body-rate", "KiB of a body that come in a second, at least; looked at every 5 s", 0...100_000, unit: 1 << 10,
            \.limits.bodyRate),
        .init("answer-time", "seconds for taking in an answer", 1...3600, \.limits.answerSeconds),
        .init("idle-time", "seconds between a connection's requests", 1...3600, \.limits.idleSeconds),
        .init("memory", "MiB of bodies and decoded pictures of all requests", 1...1_000_000, unit: 1 << 20, \.memory),
        .init("client-memory", "MiB of bodies and decoded pictures of one address", 1...1_000_000, unit: 1 << 20, \.clientMemory),
        .init("client-queue", "requests of one address that wait or are under way", 1...100_000, \.clientQueue),
        .init("client-connections", "connections of one address", 1...100_000, \.clientConnections),
        .init("decoder-memory", "MiB of memory of a process that decodes", 64...100_000, unit: 1 << 20, \.decoderMemory),
        .init("end-time", "seconds from SIGTERM to the end, whatever is under way", 5...3600, \.endSeconds),
    ]

    /// In its own unit.
    package func value(in settings: ServerSettings) -> Int { settings[keyPath: setting] / unit }

    /// Sets one by what `--limit` was given.
    ///
    /// - Throws: `UsageError` for a name that is none, or a value out of its range.
    package static func set(_ word: String, in settings: inout ServerSettings) throws {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2 else { throw UsageError("a limit is a name and a number, such as frames=100, and not '\(word)'") }
        let limit = try named(parts[0])
        guard let value = Int(parts[1]), limit.range ~= value else {
            throw UsageError(
                "the limit \(limit.name) must be \(limit.range.lowerBound)...\(limit.range.upperBound) (\(limit.summary)), and not '\(parts[1])'"
            )
        }
        settings[keyPath: limit.setting] = value * limit.unit
    }

    /// For people, of each: its name, what it is, and what is limited.
    package static func help(_ settings: ServerSettings = ServerSettings()) -> [String] {
        all.map { "\($0.name)=\($0.value(in: settings)): \($0.summary)" }
    }
}
