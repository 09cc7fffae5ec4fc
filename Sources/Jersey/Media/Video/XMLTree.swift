import Foundation

#if canImport(FoundationXML)
    import FoundationXML
#endif

/// XML as the objects and lists of JSON: attributes are fields, elements are lists by their names,
/// and elements with nothing but text are fields.
final class XMLTree: NSObject, XMLParserDelegate {
    /// The key of an element's text.
    static let content = "#text"
    private static let deepest = 64

    private(set) var root = ""
    var value: [String: Any] { finished }
    private var finished: [String: Any] = [:]
    private var open: [(name: String, fields: [String: Any], text: String)] = []

    init(_ data: Data, _ path: String) throws {
        super.init()
        let parser = XMLParser(data: data)
        parser.delegate = self
        parser.shouldResolveExternalEntities = false
        guard parser.parse(), parser.parserError == nil, !root.isEmpty, open.isEmpty else {
            let isPage = data.prefix(1000).range(of: Data("<html".utf8)) != nil
            throw FileError(
                path, isPage ? "is a web page" : "begins as XML, but is damaged or cut off",
                advice: "give the tracker's file itself")
        }
        if root.lowercased() == "html" {
            throw FileError(path, "is a web page", advice: "give the tracker's file itself")
        }
    }

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String]
    ) {
        guard open.count < Self.deepest else { return parser.abortParsing() }
        if open.isEmpty { root = name }
        open.append((name, attributes, ""))
    }

    func parser(_ parser: XMLParser, foundCharacters text: String) {
        guard let last = open.indices.last, open[last].text.utf8.count < 1000 else { return }
        open[last].text += text
    }

    func parser(
        _ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?
    ) {
        guard var element = open.popLast() else { return }
        let text = element.text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard let parent = open.indices.last else {
            finished = element.fields
            return
        }
        if element.fields.isEmpty && !text.isEmpty {
            open[parent].fields[name] = text
            return
        }
        if !text.isEmpty { element.fields[Self.content] = text }
        var list = open[parent].fields.removeValue(forKey: name) as? [Any] ?? []
        list.append(element.fields)
        open[parent].fields[name] = list
    }
}
