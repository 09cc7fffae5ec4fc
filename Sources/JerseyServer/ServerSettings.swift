import Foundation
import Jersey
import Torch

/// What a service is started with.
package struct ServerSettings: Sendable {
    /// Names of models and where their weights come from: a file, or nil for the bundled model. The first answers where a request names
    /// none.
    package var models: [(name: String, file: String?)] = [("bundled", nil)]
    /// Whether all of them are read as the study read its own, for files that do not say how they are.
    package var published = false
    package var host = "127.0.0.1"
    /// 0 takes any that is free.
    package var port = 8080
    /// Names by which clients may ask for this service, beside localhost and the addresses at which it is reached.
    package var allowedHosts: [String] = []
    /// Origins of pages from elsewhere that may use it, such as "https://pages.example.org".
    package var allowedOrigins: [String] = []
    /// Sequences that the model reads at once, at most.
    package var batchSize = 16
    /// How long the first of a batch waits for others.
    package var deadline = Duration.milliseconds(2)
    /// Requests that may wait or be under way, of all clients and of one address.
    package var queue = 64
    package var clientQueue = 32
    /// Threads of libtorch for each model. A core is left for decoding: where libtorch's threads have to wait for each other,
    /// everything does.
    package var threads = max(1, ProcessInfo.processInfo.activeProcessorCount - 1)
    /// Threads for what is quickly decoded, and as many for all else; each has a process for what is not decoded in the service itself.
    package var workers = 2
    /// Bytes of memory that each of them may have, beside what the program itself takes.
    package var decoderMemory = 512 << 20
    /// What they are started from.
    package var program = "/proc/self/exe"
    /// Where all models compute.
    package var device = Device.cpu
    package var precision = Precision.Choice.automatic
    /// Whether models look at no more frames than it takes to be sure.
    package var anytime = false
    /// What a request has to show that changes something; nil refuses all of them.
    package var adminToken: String?
    package var connections = 512
    /// Connections of one address.
    package var clientConnections = 256
    /// Seconds for which connections are still taken, and told that the service is about to end.
    package var drainSeconds = 1.0
    /// Seconds from being told to end to the end, whatever is under way.
    package var endSeconds = 30
    /// Bytes of bodies and of decoded pictures together, of all requests that are being read or worked on.
    package var memory = 512 << 20
    /// The share of one address's requests.
    package var clientMemory = 256 << 20
    package var limits = RequestLimits()

    package init() {}

    /// - Throws: `UsageError` for a model's name that is not fit for a path, or is there twice; for a host or an origin that is none.
    func check() throws {
        _ = try AllowedRequests(self)
        try UsageError.checkUnique(models.map(\.name), kind: "model")
        for (name, _) in models where name.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9._-]{0,63}/) == nil {
            throw UsageError("a model is named with letters, digits, '.', '_' and '-', and not '\(name)'")
        }
    }
}
