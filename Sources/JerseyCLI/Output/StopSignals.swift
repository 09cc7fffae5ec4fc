import Foundation
import Synchronization

/// Turns Ctrl-C, SIGTERM, SIGUSR1 and SIGHUP, which a closed terminal sends, into a request to stop. A second Ctrl-C ends the process at
/// once.
///
/// `@unchecked Sendable`: the sources never change and are only kept alive; the flag has a lock.
final class StopSignals: @unchecked Sendable {
    private let stopped = Mutex(false)
    private let sources: [any DispatchSourceSignal]

    init() {
        let queue = DispatchQueue(label: "signals")
        // `nohup` asks to go on after the terminal is closed.
        var hangup = sigaction()
        sigaction(SIGHUP, nil, &hangup)
        let goesOn =
            unsafeBitCast(hangup.__sigaction_handler.sa_handler, to: Int.self)
            == unsafeBitCast(SIG_IGN, to: Int.self)
        sources = ([SIGINT, SIGTERM, SIGUSR1] + (goesOn ? [] : [SIGHUP])).map { number in
            signal(number, SIG_IGN)
            return DispatchSource.makeSignalSource(signal: number, queue: queue)
        }
        for source in sources {
            source.setEventHandler { [weak self] in
                self?.stopped.withLock { $0 = true }
                signal(SIGINT, SIG_DFL)
                Console.error()
                Console.error("stopping after this step")
            }
            source.resume()
        }
    }

    var isStopped: Bool { stopped.withLock { $0 } }

    /// Also stops when standard input closes, which means that the parent process is gone.
    func stopWhenInputCloses() {
        let thread = Thread { [weak self] in
            while let data = try? FileHandle.standardInput.read(upToCount: 4096), !data.isEmpty {}
            self?.stopped.withLock { $0 = true }
        }
        thread.start()
    }
}
