import HTTPTypes
import Hummingbird
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1

/// Guards one connection. It closes connections that are too slow, reports clients that leave,
/// answers `Expect: 100-continue`, and closes so that no response is lost.
///
/// A client that closes its side of the connection counts as gone: the server cannot distinguish
/// the two.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// What the client must do next. Each step has a time limit.
    private enum Step {
        case head, body, wait, answer, idle
        /// Lets the client read the last response. Closing with unread bytes would reset the
        /// connection and lose a response in transit.
        case farewell
    }

    /// How often a body's rate is checked, and how long a client has to notice the close.
    private static let rateSeconds = 5
    private static let farewellSeconds = 2

    private let limits: RequestLimits
    private let connections: Connections
    private var timer: Scheduled<Void>?
    private var step = Step.head
    /// Requests received but not answered; more than one if the client pipelines.
    private var open = 0
    /// Whether a request is still being received.
    private var isReading = false
    /// Whether the client waits for `100 Continue`.
    private var isAsking = false
    private var hasAnswerBegun = false
    /// Whether the response announces the close.
    private var isLast = false
    private var hasLeft = false
    private var isEnding = false
    private var leave: (() -> Void)?
    /// Bytes of the body since the last check of its rate, and the deadline for the whole body.
    private var received = 0
    private var bodyEnd = ContinuousClock.now
    private var bodySeconds = 0

    init(_ limits: RequestLimits, _ connections: Connections) {
        self.limits = limits
        self.connections = connections
    }

    /// Calls `body` when the client leaves, or now if it has left. Dropped when the current request
    /// is answered.
    func onLeave(_ body: @escaping () -> Void) {
        if hasLeft { body() } else { leave = body }
    }

    /// Sends `100 Continue` if the client waits for it.
    fileprivate func bid(_ channel: any Channel) {
        guard isAsking, !hasAnswerBegun else { return }
        isAsking = false
        channel.writeAndFlush(HTTPResponsePart.head(HTTPResponse(status: .continue)), promise: nil)
    }

    // MARK: The connection's life

    func handlerAdded(context: ChannelHandlerContext) {
        if let codec = try? context.pipeline.syncOperations.handler(type: HTTP1ToHTTPServerCodec.self) {
            try? context.pipeline.syncOperations.addHandler(HeadFilter(), position: .before(codec))
        }
        if context.channel.isActive { enter(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        enter(context)
        context.fireChannelActive()
    }

    private func enter(_ context: ChannelHandlerContext) {
        begin(.head, context)
        takePlace(isIdle: true, context)
    }

    /// Registers the connection; refuses it if there is no room.
    private func takePlace(isIdle: Bool, _ context: ChannelHandlerContext) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        do {
            try connections.enter(
                ObjectIdentifier(self), of: Connections.client(of: context.channel), isIdle: isIdle
            ) {
                bound.eventLoop.execute {
                    let (handler, context) = bound.value
                    handler.giveWay(context)
                }
            }
        } catch {
            refuse(ServiceError(error), context)
        }
    }

    /// Another connection needs the place. A request may have arrived meanwhile; it will be the
    /// last.
    private func giveWay(_ context: ChannelHandlerContext) {
        isEnding = true
        if open == 0 { sayFarewell(context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        connections.leave(ObjectIdentifier(self))
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        connections.leave(ObjectIdentifier(self))
        clientHasLeft()
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case ChannelEvent.inputClosed:
            clientHasLeft()
            if step == .farewell { context.close(promise: nil) }
        case is ChannelShouldQuiesceEvent where open == 0:
            // A request may already be on its way. It is answered, and then the connection closes.
            isEnding = true
            begin(.idle, context)
            return
        default: break
        }
        context.fireUserInboundEventTriggered(event)
    }

    /// The parser refuses what is no HTTP, and closes. Clients get the reason as for other errors.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? HTTPParserError, step != .farewell, !hasAnswerBegun || open == 0 else {
            return context.fireErrorCaught(error)
        }
        let isTooLong = error == .headerOverflow
        refuse(
            isTooLong
                ? ServiceError(
                    .requestHeaderFieldsTooLarge,
                    "the request's head is too long: a field may have 8 KiB, and all together 32 KiB")
                : ServiceError(.badRequest, "the request is not HTTP/1.1: \(error)"), context)
    }

    private func clientHasLeft() {
        hasLeft = true
        leave?()
        leave = nil
    }

    // MARK: Requests and answers

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // Ignore anything after the last response.
        guard step != .farewell else { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            if open == 0 {
                takePlace(isIdle: false, context)
                // `takePlace` refused it.
                if step == .farewell { return }
            }
            hasAnswerBegun = false
            isReading = true
            received = 0
            isAsking = head.headerFields[.expect]?.lowercased() == "100-continue"
            open += 1
            let isVideo = head.path?.utf8.starts(with: JobRoutes.videoPath.utf8) ?? false
            bodySeconds = isVideo ? limits.videoSeconds : limits.bodySeconds
            bodyEnd = .now + .seconds(bodySeconds)
            begin(.body, context)
        case .body(let bytes):
            // A client that sends its body no longer waits for `100 Continue`.
            isAsking = false
            received += bytes.readableBytes
        case .end:
            isReading = false
            if !hasAnswerBegun { begin(.wait, context) }
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head):
            if head.status.kind == .informational { return context.write(data, promise: promise) }
            hasAnswerBegun = true
            // A client that was never told to continue may send its body or not, so the next bytes
            // are ambiguous.
            if isAsking || isEnding { head.headerFields[.connection] = "close" }
            isLast = head.headerFields[.connection]?.lowercased() == "close"
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body: context.write(data, promise: promise)
        case .end:
            leave = nil
            open -= 1
            begin(.answer, context)
            let written = promise ?? context.eventLoop.makePromise()
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            written.futureResult.assumeIsolated().whenSuccess {
                let (handler, context) = bound.value
                handler.answerIsWritten(context)
            }
            context.write(data, promise: written)
        }
    }

    private func answerIsWritten(_ context: ChannelHandlerContext) {
        guard step != .farewell else { return }
        if open > 0 { return begin(isReading ? .body : .wait, context) }
        connections.rest(ObjectIdentifier(self))
        if isLast {
            context.flush()
            sayFarewell(context)
        } else if isReading {
            // The request was refused early; the rest of its body is read and dropped.
            begin(.body, context)
        } else {
            begin(.idle, context)
        }
    }

    /// Other handlers' closes also go through the farewell.
    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode == .all, step != .farewell, !hasLeft, context.channel.isActive else {
            return context.close(mode: mode, promise: promise)
        }
        sayFarewell(context)
        if let promise { context.channel.closeFuture.cascade(to: promise) }
    }

    private func refuse(_ error: ServiceError, _ context: ChannelHandlerContext) {
        var head = error.response.head
        head.headerFields[.connection] = "close"
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(ByteBuffer(string: error.json))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        sayFarewell(context)
        // Releases the handler that waits for the body, and its memory.
        if isReading { context.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }
    }

    private func sayFarewell(_ context: ChannelHandlerContext) {
        guard step != .farewell else { return }
        begin(.farewell, context)
        if hasLeft { context.close(promise: nil) } else { context.close(mode: .output, promise: nil) }
    }

    // MARK: Time

    private func begin(_ next: Step, _ context: ChannelHandlerContext) {
        guard step != .farewell else { return }
        timer?.cancel()
        step = next
        let seconds: Int? =
            switch next {
            case .head: limits.headerSeconds
            case .body: min(Self.rateSeconds, bodySeconds)
            case .wait: nil
            case .answer: limits.answerSeconds
            case .idle: isEnding ? Self.farewellSeconds : limits.idleSeconds
            case .farewell: Self.farewellSeconds
            }
        timer = seconds.map { seconds in
            context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(Int64(seconds))) {
                self.end(next, context)
            }
        }
    }

    private func end(_ step: Step, _ context: ChannelHandlerContext) {
        switch step {
        case .body:
            let isFast = received >= limits.bodyRate * Self.rateSeconds
            received = 0
            if isFast && .now < bodyEnd { return begin(.body, context) }
            // Tell a client that is late with its request, but not one that is late in reading the
            // response.
            guard !hasAnswerBegun else { return sayFarewell(context) }
            refuse(
                ServiceError(
                    .requestTimeout,
                    "the body arrives too slowly: the limit is \(bodySeconds) s, and at least \(limits.bodyRate >> 10) KiB/s"
                ),
                context)
        case .idle: sayFarewell(context)
        case .head, .wait, .answer, .farewell: context.close(promise: nil)
        }
    }
}

/// Fixes a request's head before the codec drops its HTTP version and merges its hosts.
private final class HeadFilter: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(var head) = unwrapInboundIn(data) else { return context.fireChannelRead(data) }
        // HTTP/1.0 has no interim responses (RFC 9110, 10.1.1).
        if head.version.major < 1 || (head.version.major == 1 && head.version.minor < 1) {
            head.headers.remove(name: "expect")
        }
        if !head.uri.utf8.starts(with: "/".utf8), let mark = head.uri.firstRange(of: "://") {
            // An absolute URI overrides the Host header (RFC 9112, 3.2.2).
            let host = head.uri[mark.upperBound...].prefix { !"/?#".contains($0) }
            head.headers.replaceOrAdd(name: "host", value: String(host))
        }
        let hosts = head.headers["host"]
        // Joined, two hosts match no allowed one.
        if hosts.count > 1 { head.headers.replaceOrAdd(name: "host", value: hosts.joined(separator: ",")) }
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }
}

extension Channel {
    /// Calls `body` if the client leaves during the current request. Without a guard on the
    /// channel, as in tests, clients never leave.
    func onLeave(_ body: @escaping @Sendable () -> Void) async {
        await withGuard { $0.onLeave(body) }
    }

    /// Sends `100 Continue` to a client that waits for it.
    func bidSend() async {
        let channel = self
        await withGuard { $0.bid(channel) }
    }

    private func withGuard(_ body: @escaping @Sendable (ConnectionGuard) -> Void) async {
        let channel = self
        try? await eventLoop.submit {
            body(try channel.pipeline.syncOperations.handler(type: ConnectionGuard.self))
        }.get()
    }
}
