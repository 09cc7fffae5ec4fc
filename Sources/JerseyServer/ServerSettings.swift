import Foundation
import Jersey
import Torch

/// The configuration of a service.
package struct ServerSettings: Sendable {
    /// Names of models and their weight files; nil for the bundled model. The first is the default
    /// for requests that name no model.
    package var models: [(name: String, file: String?)] = [("bundled", nil)]
    /// Whether to read weights as the study did, if their files do not say how.
    package var published = false
    package var host = "127.0.0.1"
    /// 0 picks a free port.
    package var port = 8080
    /// Host names that requests may use, besides localhost and the service's own addresses.
    package var allowedHosts: [String] = []
    /// Origins of web pages that may use the service, such as "https://pages.example.org".
    package var allowedOrigins: [String] = []
    /// The most sequences in a batch.
    package var batchSize = 16
    /// The longest time that the first sequence waits for a batch to fill.
    package var deadline = Duration.milliseconds(2)
    /// Requests in flight: in total, and per address.
    package var queue = 64
    package var clientQueue = 32
    /// libtorch threads per model. One core stays free for decoding: if libtorch's threads wait for
    /// each other, all requests do.
    package var threads = max(1, ProcessInfo.processInfo.activeProcessorCount - 1)
    /// Threads for quick decoding, and as many for slow decoding. Each has a process for formats
    /// that the service does not decode itself.
    package var workers = 2
    /// Memory of each decoder process in bytes, beyond what the program itself needs.
    package var decoderMemory = 512 << 20
    /// The executable of the decoder processes.
    package var program = "/proc/self/exe"
    /// The device for all models.
    package var device = Device.cpu
    package var precision = Precision.Choice.automatic
    /// The share of answers that should be right, 0...1; nil takes what each model was calibrated
    /// for.
    package var target: Double?
    /// Whether to stop reading a sequence once the answer is certain enough.
    package var earlyExit = false
    /// The token for requests that change the server; nil refuses them all.
    package var adminToken: String?
    package var connections = 512
    /// Connections per address.
    package var clientConnections = 256
    /// Seconds after SIGTERM in which connections are still accepted, but get 503.
    package var drainSeconds = 1.0
    /// Seconds from SIGTERM to the forced exit.
    package var endSeconds = 30
    /// Bytes of bodies and decoded images, over all requests in progress.
    package var memory = 512 << 20
    /// The part of that for one address.
    package var clientMemory = 256 << 20
    /// Videos of matches that are received, wait or are read: in total, and per address.
    package var jobs = 8
    package var clientJobs = 4
    /// Videos that are read at once, each with one processor.
    package var jobsAtOnce = 1
    /// Seconds to read a video, and seconds that its result is kept.
    package var jobSeconds = 14_400
    package var resultSeconds = 3600
    package var limits = RequestLimits()

    package init() {}

    /// - Throws: `UsageError` for a model name that does not fit in a URL path or is repeated, or
    ///   an invalid host or origin.
    func check() throws {
        _ = try AllowedRequests(self)
        try UsageError.checkUnique(models.map(\.name), kind: "model")
        for (name, _) in models where name.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9._-]{0,63}/) == nil {
            throw UsageError("'\(name)' is not a name for a model; use letters, digits, '.', '_' and '-'")
        }
    }
}
