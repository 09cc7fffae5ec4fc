import ArgumentParser
import Foundation
import Jersey

/// A video that comes while it is made: an address, or standard input.
struct LiveOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "How long an address that was lost is tried again, in seconds; 0 ends at once (default: 60).",
            valueName: "s"))
    var reconnect: Double?

    @Flag(
        help: """
            Look at all that comes from an address or standard input, however late. By default looks are left out where reading is \
            slower than the video.
            """)
    var allFrames = false

    func validate() throws {
        guard reconnect.map({ 0...86_400 ~= $0 }) ?? true else {
            throw ValidationError("--reconnect must be 0...86400 seconds")
        }
    }

    var isGiven: Bool { reconnect != nil || allFrames }
}
