/// What one request may hold and cost at most. What takes memory is checked before memory is given to it.
package struct RequestLimits: Sendable, Equatable {
    package var bodyBytes = 64 << 20
    /// Pieces that a body without a length comes in.
    package var chunks = 65_536
    /// Lists and objects within each other.
    package var jsonDepth = 100
    /// Frames of a request, in all of its sequences.
    package var frames = 1_024
    package var sequences = 64
    /// Pixels of one frame.
    package var framePixels = 16_000_000
    /// Pixels of all frames of a sequence, which are decoded at once.
    package var pixels = 64_000_000
    /// Pixels of all frames of a request, also of those of a video that are passed over.
    package var totalPixels = 2_500_000_000
    /// Pixels of a picture that is decoded in the service itself. For such the way to a decoder and back costs more than decoding.
    package var ownPixels = 250_000
    /// Seconds of a processor that decoding a request may take.
    package var cpuSeconds = 20
    /// Seconds from the end of a request's body to its answer.
    package var seconds = 60
    /// Seconds that a client may take for a request's header, and then for its body, and then to take in the answer.
    package var headerSeconds = 10
    package var bodySeconds = 30
    package var answerSeconds = 60
    /// Bytes of a body that come in a second, at least.
    package var bodyRate = 16 << 10
    /// Seconds that a connection may be idle between requests.
    package var idleSeconds = 75

    package init() {}
}
