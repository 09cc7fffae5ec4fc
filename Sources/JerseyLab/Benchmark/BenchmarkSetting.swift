import Foundation
import Jersey
import JerseyOutput
import Torch

/// Under which conditions times were taken.
package struct BenchmarkSetting: Encodable, Sendable {
    /// What the clock runs for.
    package let timed: String
    /// "cpu" or "cuda".
    package let device: String
    /// The machine's processor; with `device` cuda it only starts the work.
    package let processor: String
    package let libtorch: String
    /// How many libtorch uses.
    package let threads: Int
    /// Readings of each time, and what came before them and does not count.
    package let readings: Int
    package let warmUpRounds = Timing.warmUpRounds
    /// When a clock stops.
    package let synchronisation: String
    /// Programs that wanted a processor, the mean of the minute before the end.
    package let load: Double?

    /// - Parameter timed: a clause.
    init(_ timed: String, on device: Device, readings: Int) {
        self.timed = timed
        self.device = device.description
        self.readings = readings
        processor = Processor.name
        libtorch = Runtime.version
        threads = Runtime.threads
        synchronisation =
            device == .cuda ? "the clock stops when the GPU has finished" : "the clock stops when the last thread has finished"
        load = Processor.load
    }

    /// For a table.
    var note: String {
        let place = device == Device.cuda.description ? "a GPU" : "\(threads) thread\(threads == 1 ? "" : "s") of \(processor)"
        let rare = readings < 100 ? "; with so few the P99 is little less than the longest" : ""
        return
            "Timed: \(timed). On \(place), libtorch \(libtorch); \(readings) readings in turns after \(warmUpRounds) rounds that do not count\(rare); "
            + "\(synchronisation)" + (load.map { "; load \(Format.decimal($0, places: 1))." } ?? ".")
    }
}
