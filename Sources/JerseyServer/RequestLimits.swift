/// Limits on what one request may hold and cost. Memory limits are checked before allocating.
package struct RequestLimits: Sendable, Equatable {
    package var bodyBytes = 64 << 20
    /// Bytes of a body with the video of a match, which is kept on a disk.
    package var videoBytes = 1 << 30
    /// Chunks of a body without a length.
    package var chunks = 65_536
    /// Levels of nested lists and objects.
    package var jsonDepth = 100
    /// Frames of a request, over all sequences.
    package var frames = 1_024
    package var sequences = 64
    /// Pixels of one frame.
    package var framePixels = 32_000_000
    /// Pixels of all frames of a sequence, which are in memory together. Larger ones are shrunk.
    package var pixels = 64_000_000
    /// Pixels of all frames of a request, including skipped video frames.
    package var totalPixels = 2_500_000_000
    /// The largest image to decode in the service itself, in pixels. For these, the round trip to a
    /// decoder costs more than decoding.
    package var ownPixels = 250_000
    /// CPU seconds for decoding a request.
    package var cpuSeconds = 20
    /// Seconds from the end of a request's body to its response.
    package var seconds = 60
    /// Seconds for a client to send a request's head, to send its body, and to read the response.
    package var headerSeconds = 10
    package var bodySeconds = 30
    /// Seconds for a client to send the video of a match.
    package var videoSeconds = 3600
    package var answerSeconds = 60
    /// The least rate of a body, in bytes per second.
    package var bodyRate = 16 << 10
    /// Seconds that a connection may stay idle between requests.
    package var idleSeconds = 75

    package init() {}
}
