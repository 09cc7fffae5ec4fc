import Foundation
import JerseySupport
import Mustache

/// A report, rendered as one self-contained HTML file, and as Markdown with image files.
package struct Report: Sendable {
    package struct Section: Sendable {
        package var title: String
        package var blocks: [Block]

        package init(_ title: String, _ blocks: [Block] = []) {
            self.title = title
            self.blocks = blocks
        }
    }

    package enum Block: Sendable {
        case text(String)
        case list([String])
        /// Texts with the addresses to which they lead.
        case links([(text: String, address: String)])
        case table(Table)
        case chart(Chart)
        /// A JPEG.
        case picture(name: String, Data, caption: String)
        case code(String)
    }

    package var title: String
    package var subtitle: String
    package var sections: [Section]

    package init(title: String, subtitle: String, sections: [Section]) {
        self.title = title
        self.subtitle = subtitle
        self.sections = sections
    }

    /// Writes `report.html`, `report.md` and the images for the Markdown.
    ///
    /// - Throws: `FileError`.
    package func write(to folder: URL) throws {
        try FileManager.default.makeFolder(folder)
        for case .chart(let chart) in sections.flatMap(\.blocks) { try chart.write(to: folder) }
        for case .picture(let name, let data, _) in sections.flatMap(\.blocks) {
            try AtomicFile.write(data, to: folder.appendingPathComponent("\(name).jpg"))
        }
        try AtomicFile.write(Data(markdown.utf8), to: folder.appendingPathComponent("report.md"))
        try AtomicFile.write(Data(html().utf8), to: folder.appendingPathComponent("report.html"))
    }
}

// MARK: - Markdown

extension Report {
    var markdown: String {
        (["# \(Markdown.escaped(title))", Markdown.escaped(subtitle)]
            + sections.flatMap { ["## \(Markdown.escaped($0.title))"] + $0.blocks.map(\.markdown) }).joined(
                separator: "\n\n")
            + "\n"
    }
}

extension Report.Block {
    fileprivate var markdown: String {
        switch self {
        case .text(let text): Markdown.escaped(text)
        case .list(let items): items.map { "- " + Markdown.escaped($0) }.joined(separator: "\n")
        case .links(let links):
            links.map { "[\(Markdown.escaped($0.text))](<\($0.address)>)" }.joined(separator: ", ")
        case .table(let table): table.markdown
        case .chart(let chart): "![\(Markdown.escaped(chart.title))](\(chart.name).png)"
        case .picture(let name, _, let caption):
            "![\(Markdown.escaped(caption))](\(name).jpg)\n\n*\(Markdown.escaped(caption))*"
        case .code(let code): Markdown.code(code)
        }
    }
}

// MARK: - HTML

extension Report {
    private static let template = String(decoding: PackageResources.report_mustache, as: UTF8.self)

    /// - Throws: `FileError` if charts cannot be drawn.
    package func html() throws -> String {
        let parts = try sections.enumerated().map { index, section in
            [
                "id": "section-\(index + 1)", "title": section.title,
                "body": try section.blocks.map { try $0.html() }.joined(separator: "\n"),
            ]
        }
        let context: [String: Any] = [
            "title": Shown.whole(title), "subtitle": Shown.whole(subtitle), "sections": parts,
        ]
        return try MustacheTemplate(string: Self.template).render(context)
    }
}

extension Report.Block {
    fileprivate func html() throws -> String {
        switch self {
        case .text(let text): "<p>\(HTML.escaped(text))</p>"
        case .links(let links):
            "<p>"
                + links.map { "<a href=\"\(HTML.escaped($0.address))\">\(HTML.escaped($0.text))</a>" }
                .joined(separator: ", ") + "</p>"
        case .list(let items): "<ul>\(items.map { "<li>\(HTML.escaped($0))</li>" }.joined())</ul>"
        case .table(let table):
            (table.title.map { "<h3>\(HTML.escaped($0))</h3>" } ?? "")
                + "<div class=\"scroll\">\(table.html)</div>"
                + (table.note.map { "<p class=\"note\">\(HTML.escaped($0))</p>" } ?? "")
        case .chart(let chart): "<figure class=\"scroll\">\(try chart.svg())</figure>"
        case .picture(_, let data, let caption):
            "<figure class=\"scroll\"><img alt=\"\(HTML.escaped(caption))\" src=\"data:image/jpeg;base64,\(data.base64EncodedString())\">"
                + "<figcaption>\(HTML.escaped(caption))</figcaption></figure>"
        case .code(let code): "<pre>\(HTML.escaped(code))</pre>"
        }
    }
}
