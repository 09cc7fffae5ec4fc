import Foundation
import Jersey
import JerseyOutput
import Torch

/// The conditions of a measurement.
package struct BenchmarkSetting: Encodable, Sendable {
    /// The work that is timed.
    package let timed: String
    /// "cpu" or "cuda".
    package let device: String
    /// The machine's processor. With `device` cuda it only launches the work.
    package let processor: String
    package let libtorch: String
    /// libtorch's thread count.
    package let threads: Int
    /// Repetitions per timing, after `warmUpRounds` that do not count.
    package let readings: Int
    package let warmUpRounds = Timing.warmUpRounds
    /// When the clock stops.
    package let synchronisation: String
    /// Load average of the last minute, read at the end.
    package let load: Double?

    /// - Parameter timed: a phrase that completes "Timed: ".
    init(_ timed: String, on device: Device, readings: Int) {
        self.timed = timed
        self.device = device.description
        self.readings = readings
        processor = Processor.name
        libtorch = Runtime.version
        threads = Runtime.threads
        synchronisation =
            device == .cuda
            ? "the clock stops when the GPU has finished"
            : "the clock stops when the last thread has finished"
        load = Processor.load
    }

    var note: String {
        let place =
            device == Device.cuda.description
            ? "a GPU" : "\(threads) thread\(threads == 1 ? "" : "s") of \(processor)"
        let rare = readings < 100 ? "; with fewer than 100, P99 is close to the maximum" : ""
        return
            "Timed: \(timed). On \(place), libtorch \(libtorch); \(readings) interleaved repetitions after \(warmUpRounds) warm-up rounds\(rare); "
            + "\(synchronisation)" + (load.map { "; load \(Format.decimal($0, places: 1))." } ?? ".")
    }
}
