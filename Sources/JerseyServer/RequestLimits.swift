/// What one request may hold and cost at most. What takes memory is checked before memory is given to it.
public struct RequestLimits: Sendable, Equatable {
    public var bodyBytes = 64 << 20
    /// Pieces that a body without a length comes in.
    public var chunks = 65_536
    /// Lists and objects within each other.
    public var jsonDepth = 100
    /// Frames of a request, in all of its sequences.
    public var frames = 1_024
    public var sequences = 64
    /// Pixels of one frame.
    public var framePixels = 16_000_000
    /// Pixels of all frames of a sequence, which are decoded at once.
    public var pixels = 64_000_000
    /// Pixels of all frames of a request, also of those of a video that are passed over.
    public var totalPixels = 2_500_000_000
    /// Pixels of a picture that is decoded in the service itself. For such the way to a decoder and back costs more than decoding.
    public var ownPixels = 250_000
    /// Seconds of a processor that decoding a request may take.
    public var cpuSeconds = 20
    /// Seconds from the end of a request's body to its answer.
    public var seconds = 60
    /// Seconds that a client may take for a request's header, and then for its body, and then to take in the answer.
    public var headerSeconds = 10
    public var bodySeconds = 30
    public var answerSeconds = 60
    /// Bytes of a body that come in a second, at least.
    public var bodyRate = 16 << 10
    /// Seconds that a connection may be idle between requests.
    public var idleSeconds = 75

    public init() {}
}
