import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Stands between a connection and the service: ends what is too slow, tells whoever works on an answer that the client has left, and
/// bids clients that ask first (`Expect: 100-continue`) send their body.
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
    }

    private let limits: RequestLimits
    private var timer: Scheduled<Void>?
    private var hasAnswerBegun = false
    private var hasLeft = false
    private var leave: (() -> Void)?

    init(_ limits: RequestLimits) {
        self.limits = limits
    }

    /// Calls `body` once the client has left, or now where it has; forgotten with the answer to the present request.
    func onLeave(_ body: @escaping () -> Void) {
        if hasLeft { body() } else { leave = body }
    }

    func handlerAdded(context: ChannelHandlerContext) {
        begin(.head, context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            hasAnswerBegun = false
            if head.headerFields[.expect]?.lowercased() == "100-continue" {
                context.writeAndFlush(wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
            }
            begin(.body, context)
        case .body: break
        case .end: if !hasAnswerBegun { begin(.wait, context) }
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head:
            hasAnswerBegun = true
            context.write(data, promise: promise)
        case .body: context.write(data, promise: promise)
        case .end:
            leave = nil
            begin(.answer, context)
            let written = promise ?? context.eventLoop.makePromise()
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            written.futureResult.assumeIsolated().whenSuccess {
                let (handler, context) = bound.value
                handler.begin(.idle, context)
            }
            context.write(data, promise: written)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        clientHasLeft()
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .some(ChannelEvent.inputClosed) = event as? ChannelEvent { clientHasLeft() }
        context.fireUserInboundEventTriggered(event)
    }

    private func clientHasLeft() {
        hasLeft = true
        leave?()
        leave = nil
    }

    private func begin(_ step: Step, _ context: ChannelHandlerContext) {
        timer?.cancel()
        let seconds: Int? =
            switch step {
            case .head: limits.headerSeconds
            case .body: limits.bodySeconds
            case .wait: nil
            case .answer: limits.answerSeconds
            case .idle: limits.idleSeconds
            }
        timer = seconds.map { seconds in
            context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(Int64(seconds))) {
                self.end(step, context)
            }
        }
    }

    private func end(_ step: Step, _ context: ChannelHandlerContext) {
        // Who is late with a request and not with the answer is told.
        if step == .body && !hasAnswerBegun {
            let head = HTTPResponse(status: .requestTimeout, headerFields: [.connection: "close", .contentLength: "0"])
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
        context.close(promise: nil)
    }
}

extension Channel {
    /// Has `body` called once the client has left, while the present request is worked on. Where no guard stands before the channel, as in
    /// a test, nobody leaves.
    func onLeave(_ body: @escaping @Sendable () -> Void) async {
        let channel = self
        try? await eventLoop.submit {
            try channel.pipeline.syncOperations.handler(type: ConnectionGuard.self).onLeave(body)
        }.get()
    }
}
