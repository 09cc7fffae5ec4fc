import Foundation

/// Layout is in pixels of the chart on a page; y runs down from the top.
extension Chart {
    enum Terminal { case png, svg }

    /// Debian's replacement for Arial.
    static let font = "Liberation Sans"
    static let webFonts = "Helvetica, Arial, Liberation Sans, sans-serif"

    var size: (width: Int, height: Int) {
        switch content {
        case .lines(let lines): lines.diagonal == nil ? (900, 500) : (600, 600)
        case .bars(let bars): (900, bars.height(width: 900, title: title))
        case .heatmap(let heatmap): heatmap.size(title: title)
        }
    }

    /// The complete gnuplot script, with its data.
    func script(for terminal: Terminal) -> String {
        let (width, height) = size
        var script = PlotScript()
        switch terminal {
        // Two dots per pixel, for print; a point is 4/3 pixels here and one pixel in SVG.
        case .png:
            script.add(
                "set terminal pngcairo noenhanced size \(2 * width),\(2 * height) font '\(Self.font),13' "
                    + "fontscale 1.5 linewidth 2 pointscale 2"
            )
        case .svg:
            script.add(
                "set terminal svg noenhanced size \(width),\(height) font '\(Self.font),13' background rgb 'white'"
            )
        }
        script.add("set encoding utf8")
        let frame = PlotFrame(
            canvas: (Double(width), Double(height)), right: Double(width), bottom: Double(height))
        draw(in: frame, &script)
        return script.text
    }

    private func draw(in whole: PlotFrame, _ script: inout PlotScript) {
        var frame = whole
        script.begin()
        frame.top += script.title(title, frame)
        switch content {
        case .lines(let lines): lines.draw(in: frame, &script)
        case .bars(let bars): bars.draw(in: frame, &script)
        case .heatmap(let heatmap): heatmap.draw(in: frame, &script)
        }
    }

    /// Replaces characters that images or XML cannot hold; newlines stay.
    static func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { scalar in
                    let isFine =
                        scalar == "\n"
                        || scalar.properties.generalCategory != .control && scalar.value & 0xFFFE != 0xFFFE
                    return isFine ? scalar : " "
                }))
    }
}
