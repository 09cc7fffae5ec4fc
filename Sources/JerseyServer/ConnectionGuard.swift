import HTTPTypes
import Hummingbird
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1

/// Stands between a connection and the service: ends what is too slow, tells whoever works on an answer that the client has left, bids
/// clients that ask first (`Expect: 100-continue`) send their body, and closes so that nobody loses an answer.
///
/// A client that closes its side of the connection counts as one that has left: from here the two look alike.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// What the client is to do next, and within which time.
    private enum Step {
        case head, body, wait, answer, idle
        /// To hear that this is the end: what is closed with bytes unread is reset, and an answer under way lost.
        case farewell
    }

    /// How often a body's rate is looked at, and what a client has to take note of the end.
    private static let rateSeconds = 5
    private static let farewellSeconds = 2

    private let limits: RequestLimits
    private let connections: Connections
    private var timer: Scheduled<Void>?
    private var step = Step.head
    /// Requests that have begun and are not answered, more than one where a client does not wait for answers.
    private var open = 0
    /// A request has not come to its end.
    private var isReading = false
    /// It asks whether to send its body, and has not been told.
    private var isAsking = false
    private var hasAnswerBegun = false
    /// The answer says that it is the last.
    private var isLast = false
    private var hasLeft = false
    private var isEnding = false
    private var leave: (() -> Void)?
    /// Bytes of the body since its rate was looked at, and when it has to be there.
    private var received = 0
    private var bodyEnd = ContinuousClock.now

    init(_ limits: RequestLimits, _ connections: Connections) {
        self.limits = limits
        self.connections = connections
    }

    /// Calls `body` once the client has left, or now where it has; forgotten with the answer to the present request.
    func onLeave(_ body: @escaping () -> Void) {
        if hasLeft { body() } else { leave = body }
    }

    /// Bids the client send its body, where it has asked.
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

    /// Refuses where there is none.
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

    /// Another connection needs the place. A request may have come meanwhile; it is the last one.
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
            // The client may have sent a request already that is on its way; it is answered, and the next end it is.
            isEnding = true
            begin(.idle, context)
            return
        default: break
        }
        context.fireUserInboundEventTriggered(event)
    }

    private func clientHasLeft() {
        hasLeft = true
        leave?()
        leave = nil
    }

    // MARK: Requests and answers

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // What comes behind the last answer is nobody's.
        guard step != .farewell else { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            if open == 0 {
                takePlace(isIdle: false, context)
                // It was refused.
                if step == .farewell { return }
            }
            hasAnswerBegun = false
            isReading = true
            received = 0
            isAsking = head.headerFields[.expect]?.lowercased() == "100-continue"
            open += 1
            bodyEnd = .now + .seconds(limits.bodySeconds)
            begin(.body, context)
        case .body(let bytes):
            // Nobody is asking who sends.
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
            // Whoever was not bidden to send his body may do so or not; what comes next is not to be told from it.
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
            // It was refused before all of it had come, and the rest is passed over.
            begin(.body, context)
        } else {
            begin(.idle, context)
        }
    }

    /// Whoever else closes the connection does so in order, too.
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
        // Whoever waits for the body gives up, and the memory that it has taken.
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
            case .body: min(Self.rateSeconds, limits.bodySeconds)
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
            // Who is late with a request and not with the answer is told.
            guard !hasAnswerBegun else { return sayFarewell(context) }
            refuse(
                ServiceError(
                    .requestTimeout,
                    "the body comes too slowly: it has \(limits.bodySeconds) s, and \(limits.bodyRate >> 10) KiB a second at least"
                ),
                context)
        case .idle: sayFarewell(context)
        case .head, .wait, .answer, .farewell: context.close(promise: nil)
        }
    }
}

/// What has to be known of a request's head before it becomes one without a version and with one host.
private final class HeadFilter: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(var head) = unwrapInboundIn(data) else { return context.fireChannelRead(data) }
        // HTTP/1.0 has no answer but the last (RFC 9110, 10.1.1).
        if head.version.major < 1 || (head.version.major == 1 && head.version.minor < 1) { head.headers.remove(name: "expect") }
        if !head.uri.utf8.starts(with: "/".utf8), let mark = head.uri.firstRange(of: "://") {
            // A whole address says itself who is asked, whatever host is named beside it (RFC 9112, 3.2.2).
            let host = head.uri[mark.upperBound...].prefix { !"/?#".contains($0) }
            head.headers.replaceOrAdd(name: "host", value: String(host))
        }
        let hosts = head.headers["host"]
        // Two hosts are none that is known.
        if hosts.count > 1 { head.headers.replaceOrAdd(name: "host", value: hosts.joined(separator: ",")) }
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }
}

extension Channel {
    /// Has `body` called once the client has left, while the present request is worked on. Where no guard stands before the channel, as in
    /// a test, nobody leaves.
    func onLeave(_ body: @escaping @Sendable () -> Void) async {
        await withGuard { $0.onLeave(body) }
    }

    /// Bids a client that asks first send its body.
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
