import Hummingbird

/// The page, the API description, and the metrics for Prometheus.
enum PageRoutes {
    static func add(
        to router: Router<ServiceContext>, _ handler: PredictionHandler, _ settings: ServerSettings
    ) {
        let document = String(decoding: PackageResources.openapi_json, as: UTF8.self)
            .replacing("${limits}", with: ServiceLimit.help(settings).joined(separator: "; "))
        let files: [(path: RouterPath, type: String, content: [UInt8])] = [
            ("/", "text/html; charset=utf-8", PackageResources.index_html),
            ("/page.css", "text/css; charset=utf-8", PackageResources.page_css),
            ("/page.js", "text/javascript; charset=utf-8", PackageResources.page_js),
            ("/icon.svg", "image/svg+xml", PackageResources.icon_svg),
            ("/openapi.json", "application/json", Array(document.utf8)),
        ]
        for (path, type, content) in files {
            let buffer = ByteBuffer(bytes: content)
            router.get(path) { _, _ in
                Response(status: .ok, headers: [.contentType: type], body: .init(byteBuffer: buffer))
            }
        }
        router.get("/metrics") { _, _ in
            Response(
                handler.metrics.text(handler).utf8,
                type: "text/plain; version=0.0.4; charset=utf-8")
        }
    }
}
