import Foundation
import JerseySupport

extension Chart {
    /// Draws `<name>.png` (for print and slides) and `<name>.svg` into an existing folder.
    ///
    /// - Throws: `FileError` if gnuplot is missing or fails, or a file cannot be written.
    @discardableResult
    package func write(to folder: URL) throws -> (png: URL, svg: URL) {
        let files = (
            png: folder.appendingPathComponent(name + ".png"),
            svg: folder.appendingPathComponent(name + ".svg")
        )
        try AtomicFile.write(Gnuplot.draw(script(for: .png)), to: files.png)
        try AtomicFile.write(Data(svg().utf8), to: files.svg)
        return files
    }

    /// An `<svg>` element for an HTML page (or a file), as wide as its container up to its natural
    /// width.
    ///
    /// - Throws: `FileError` if gnuplot is missing or fails.
    package func svg() throws -> String {
        let drawing = String(decoding: try Gnuplot.draw(script(for: .svg)), as: UTF8.self)
        let (width, height) = size
        let id = identifier
        // Drop gnuplot's prolog, version, and ids that are the same in every drawing.
        var lines = drawing.split(separator: "\n", omittingEmptySubsequences: true).drop {
            !$0.hasPrefix("<g id=")
        }.map { line in
            line.hasPrefix("\t\t<text")
                ? String(line).replacing("]]>", with: "]]&gt;") : Self.adapted(String(line), id: id)
        }
        lines.insert(
            """
            <svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 \(width) \(height)" \
            role="img" aria-labelledby="\(id)-title" style="width:100%;max-width:\(width)px;height:auto">
            <title id="\(id)-title">\(HTML.escaped(Self.printable(title)))</title>
            """, at: 0)
        return lines.joined(separator: "\n") + "\n"
    }

    /// The name as an id prefix, with invalid characters written as their codes.
    private var identifier: String {
        "chart-"
            + name.unicodeScalars.map {
                $0.isASCII && $0.properties.isAlphabetic || "0"..."9" ~= $0 || $0 == "-"
                    ? "\($0)" : "_\($0.value)"
            }.joined()
    }

    /// Adapts a line of gnuplot's SVG that is not text.
    private static func adapted(_ line: String, id: String) -> String {
        if line.contains("<g id=") || line.contains("id=\"gnuplot_") { return "<g>" }
        return line.replacing("id='", with: "id='\(id)-")
            .replacing("'#gp", with: "'#\(id)-gp")
            .replacing(
                "font-family=\"\(font):Bold\"", with: "font-family=\"\(webFonts)\" font-weight=\"bold\""
            )
            .replacing("font-family=\"\(font)\"", with: "font-family=\"\(webFonts)\"")
            // A pixel is a cell of a heat map and must not be blurred into its neighbours.
            .replacing(
                "<image ",
                with: "<image image-rendering=\"optimizeSpeed\" style=\"image-rendering:pixelated\" ")
    }
}

enum Gnuplot {
    /// Runs a script that sets a terminal, and returns gnuplot's output.
    ///
    /// - Throws: `FileError` if there is no `program`, or with its message if it fails.
    static func draw(_ script: String, program: String = "gnuplot") throws -> Data {
        // -d ignores the user's own gnuplot files, which would change the drawing.
        let gnuplot = try ExternalProgram([program, "-d"], input: Data(script.utf8))
        switch gnuplot.status {
        case 0: return gnuplot.output
        case ExternalProgram.notFound:
            throw FileError(program, "is not installed, but charts need it", advice: "run `make setup`")
        default:
            throw FileError(
                program, "failed with status \(gnuplot.status): " + gnuplot.complaints.joined(separator: " "))
        }
    }
}
