import HTTPTypes
import Hummingbird
import Jersey
import NIOCore

/// Decides which requests are accepted at all. A web page can make a visitor's browser send
/// requests, even to addresses that only the visitor can reach. A request must therefore name a
/// known host, which a page cannot fake, and come from an allowed origin.
struct AllowedRequests: Sendable {
    /// Lower-case names and addresses, without ports.
    private let hosts: Set<String>
    /// For example "https://pages.example.org": lower case, without the scheme's default port.
    private let origins: Set<String>

    private static let fetchSite = HTTPField.Name("Sec-Fetch-Site")!
    private static let fetchMode = HTTPField.Name("Sec-Fetch-Mode")!
    private static let fetchDestination = HTTPField.Name("Sec-Fetch-Dest")!
    private static let asksPrivateNetwork = HTTPField.Name("Access-Control-Request-Private-Network")!
    private static let allowsPrivateNetwork = HTTPField.Name("Access-Control-Allow-Private-Network")!

    /// - Throws: `UsageError` for an invalid host or origin.
    init(_ settings: ServerSettings) throws {
        hosts = try Set(
            ["localhost", "127.0.0.1", "::1", settings.host.lowercased()]
                + settings.allowedHosts.map { word in
                    guard let host = Self.host(word), host.port == nil else {
                        throw UsageError(
                            "--allowed-host must be a name or an address without a port, such as numbers.example.org, not '\(word)'"
                        )
                    }
                    return host.name
                }
        )
        // No client can reach the service under these.
        .subtracting(["0.0.0.0", "::"])
        origins = try Set(
            settings.allowedOrigins.map { word in
                guard let origin = Self.origin(word) else {
                    throw UsageError(
                        "--allowed-origin must be a scheme and a host, such as https://pages.example.org, not '\(word)'"
                    )
                }
                return origin.scheme + "://" + origin.authority
            })
    }

    // MARK: Checks

    /// - Parameter local: this machine's end of the connection; a request may always name that
    ///   address.
    /// - Throws: `ServiceError` for a request to another host, or from an origin that is not
    ///   allowed.
    func check(_ request: HTTPRequest, local: SocketAddress?) throws {
        // Browsers always send a host. Clients without one, such as HTTP/1.0 probes, are no
        // browsers.
        if let authority = request.authority { try checkHost(authority, local) }
        if let origin = request.headerFields[.origin] {
            guard isAllowed(origin) || (isOwn(origin, request.authority) && !isCrossSite(request)) else {
                let page = Self.origin(origin) == nil ? "an unknown origin" : origin
                throw ServiceError(
                    .forbidden,
                    "pages from \(page) may not use this service; allow them with --allowed-origin, or use the service's own page at /"
                )
            }
        } else if isCrossSite(request), !Self.isVisit(request) {
            throw ServiceError(
                .forbidden,
                "a page from another site may not use this service; allow its origin with --allowed-origin, or use the service's own page at /"
            )
        }
    }

    private func checkHost(_ authority: String, _ local: SocketAddress?) throws {
        let name = Self.host(authority)?.name
        if let name, hosts.contains(name) || Self.isSame(name, local) { return }
        throw ServiceError(
            .forbidden,
            "\(name.map { "the host \($0)" } ?? "this host") is not allowed; use localhost, or allow the host with --allowed-host"
        )
    }

    private func isCrossSite(_ request: HTTPRequest) -> Bool {
        request.headerFields[Self.fetchSite]?.lowercased() == "cross-site"
    }

    /// The user follows a link to the page. The site with the link cannot see the response.
    private static func isVisit(_ request: HTTPRequest) -> Bool {
        request.method == .get && request.path == "/" && request.headerFields[fetchMode] == "navigate"
            && request.headerFields[fetchDestination] == "document"
    }

    private func isAllowed(_ origin: String) -> Bool {
        Self.origin(origin).map { origins.contains($0.scheme + "://" + $0.authority) } ?? false
    }

    /// Whether the page came from the address in the request. The scheme is not compared, because
    /// only a proxy in front of the service knows it.
    private func isOwn(_ origin: String, _ authority: String?) -> Bool {
        guard let authority, let origin = Self.origin(origin), let host = Self.host(authority) else {
            return false
        }
        return origin.authority == Self.authority(host, scheme: origin.scheme)
    }

    // MARK: Pages from other sites

    /// The answer to a browser's CORS preflight; nil for any other request.
    func preflight(_ request: HTTPRequest) -> Response? {
        guard request.method == .options, let origin = request.headerFields[.origin], isAllowed(origin),
            request.headerFields[.accessControlRequestMethod] != nil
        else { return nil }
        var fields: HTTPFields = [
            .accessControlAllowMethods: "GET, HEAD, POST, DELETE",
            .accessControlAllowHeaders: "content-type, authorization, x-request-id",
            .accessControlMaxAge: "600",
        ]
        if request.headerFields[Self.asksPrivateNetwork] == "true" {
            fields[Self.allowsPrivateNetwork] = "true"
        }
        return Response(status: .noContent, headers: fields)
    }

    /// Lets an allowed page read the response.
    func admitPage(_ request: HTTPRequest, to response: inout Response) {
        guard !origins.isEmpty else { return }
        // A cache must not serve one page's response to another.
        response.headers[.vary] = "Origin"
        guard let origin = request.headerFields[.origin], isAllowed(origin) else { return }
        response.headers[.accessControlAllowOrigin] = origin
        response.headers[.accessControlExposeHeaders] = "x-request-id, retry-after, location"
    }

    // MARK: Hosts and origins

    private struct Host: Equatable {
        /// Lower case; for an address in brackets, without the brackets.
        let name: String
        let port: Int?
    }

    /// "name", "name:port", "[address]" or "[address]:port". Parsed by hand: it runs for every
    /// request, and a regular expression took 5% of a busy service's time.
    private static func host(_ text: String) -> Host? {
        let bytes = Array(text.utf8)
        let name: ArraySlice<UInt8>
        var port: ArraySlice<UInt8>
        if bytes.first == UInt8(ascii: "[") {
            guard let end = bytes.firstIndex(of: UInt8(ascii: "]")) else { return nil }
            (name, port) = (bytes[1..<end], bytes[(end + 1)...])
            guard 2...45 ~= name.count, name.allSatisfy({ $0.isHexadecimal || $0.isOne(of: ":.") }) else {
                return nil
            }
        } else {
            let end = bytes.firstIndex(of: UInt8(ascii: ":")) ?? bytes.endIndex
            (name, port) = (bytes[..<end], bytes[end...])
            guard 1...253 ~= name.count, name.allSatisfy({ $0.isLetterOrDigit || $0.isOne(of: "._-") }) else {
                return nil
            }
        }
        if let colon = port.popFirst() {
            guard colon == UInt8(ascii: ":"), 1...5 ~= port.count, port.allSatisfy(\.isDigit) else {
                return nil
            }
        }
        let word = String(decoding: name, as: UTF8.self)
        return Host(
            name: address(word) ?? word.lowercased(), port: Int(String(decoding: port, as: UTF8.self)))
    }

    private static func origin(_ text: String) -> (scheme: String, authority: String)? {
        guard let mark = text.firstRange(of: "://"), let host = host(String(text[mark.upperBound...])) else {
            return nil
        }
        let scheme = text[..<mark.lowerBound].lowercased()
        guard ["http", "https"].contains(scheme) else { return nil }
        return (scheme, authority(host, scheme: scheme))
    }

    private static func authority(_ host: Host, scheme: String) -> String {
        let isUsual = host.port == nil || host.port == (scheme == "https" ? 443 : 80)
        return host.name + (isUsual ? "" : ":\(host.port ?? 0)")
    }

    private static func isSame(_ name: String, _ local: SocketAddress?) -> Bool {
        guard let local = local?.ipAddress else { return false }
        return name == (address(local) ?? local)
    }

    /// An IP address in canonical form; nil if the text is not one.
    private static func address(_ text: String) -> String? {
        let plain =
            text.lowercased().hasPrefix("::ffff:") && text.contains(".") ? String(text.dropFirst(7)) : text
        return try? SocketAddress(ipAddress: plain, port: 0).ipAddress
    }
}

extension UInt8 {
    /// These helpers handle ASCII only.
    var isDigit: Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= self }
    var isLetterOrDigit: Bool { isDigit || UInt8(ascii: "a")...UInt8(ascii: "z") ~= self | 0x20 }
    fileprivate var isHexadecimal: Bool { isDigit || UInt8(ascii: "a")...UInt8(ascii: "f") ~= self | 0x20 }

    func isOne(of characters: StaticString) -> Bool {
        characters.withUTF8Buffer { $0.contains(self) }
    }
}
