import Hummingbird
import Logging
import NIOCore

/// What is known of a request beside what it says.
struct ServiceContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The client's connection.
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
    }

    /// Runs `body`, and cancels it when the client leaves.
    ///
    /// - Throws: what `body` throws; `CancellationError` where the client has left.
    func whileClientWaits<Output: Sendable>(_ body: @escaping @Sendable () async throws -> Output) async throws -> Output {
        let work = Task(operation: body)
        await channel.onLeave { work.cancel() }
        return try await withTaskCancellationHandler {
            try await work.value
        } onCancel: {
            work.cancel()
        }
    }
}
