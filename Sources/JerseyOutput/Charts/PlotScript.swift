import Foundation

/// A gnuplot script, and the style of all charts.
struct PlotScript {
    private var lines: [String] = []
    private var blocks = 0

    var text: String { lines.joined(separator: "\n") + "\n" }

    mutating func add(_ line: String) { lines.append(line) }

    /// Starts a plot with a clean state.
    mutating func begin() {
        add("reset")
        add("unset key")
        add("set border 3 lc rgb '\(PlotStyle.axis)' lw 0.8")
        add("set tics nomirror out scale 0.5 textcolor rgb '\(PlotStyle.ink)' font ',12'")
        add("set grid lt 1 lc rgb '\(PlotStyle.grid)' lw 0.8")
        add("set style fill solid noborder")
        // Omits the white ring around markers on a line.
        add("set pointintervalbox 0")
    }

    /// Adds numbers by row, nil for missing; returns the block's name for plot commands.
    mutating func data(_ rows: [[Double?]]) -> String {
        blocks += 1
        add("$d\(blocks) << END")
        // gnuplot refuses an empty block.
        for row in rows.isEmpty ? [[nil, nil, nil, nil]] : rows {
            add(row.map { $0.finite.map { "\($0)" } ?? "NaN" }.joined(separator: " "))
        }
        add("END")
        return "$d\(blocks)"
    }

    /// The last command of a plot.
    mutating func plot(_ elements: [String]) {
        add("plot " + (elements.isEmpty ? ["NaN notitle"] : elements).joined(separator: ", "))
    }

    /// Replaces the missing data.
    mutating func sayNoData() {
        add(
            "set label 'no data' at graph 0.5, graph 0.5 center front font ',15' textcolor rgb '\(PlotStyle.faint)'"
        )
    }

    /// Writes a title above `frame`, on as many lines as needed, and returns its height.
    mutating func title(_ text: String, _ frame: PlotFrame) -> Double {
        let lines = PlotStyle.titleLines(text, width: frame.width)
        add(
            "set label \(Self.quoted(lines.joined(separator: "\n"))) at \(frame.screen(x: frame.left + 14, y: frame.top + 20)) "
                + "left font '\(Chart.font):Bold,\(PlotStyle.titleSize)' textcolor rgb '\(PlotStyle.ink)'")
        return PlotStyle.titleHeight(text, width: frame.width)
    }

    /// Sets up an axis; `letter` is gnuplot's name for it.
    mutating func axis(_ letter: String, _ axis: Chart.Axis, range: ClosedRange<Double>?) {
        add("set format \(letter) '\(axis.percent ? "%g%%" : "%g")'")
        if let range {
            add("set \(letter)range [\(axis.scaled(range.lowerBound)):\(axis.scaled(range.upperBound))]")
        }
    }

    /// Writes the axis labels at the edges of `whole`, along the sides of `frame`. gnuplot's own
    /// position depends on the terminal.
    mutating func axisLabels(x: String, y: String, _ frame: PlotFrame, in whole: PlotFrame) {
        let bottom = frame.screen(x: (frame.left + frame.right) / 2, y: whole.bottom - 14)
        let left = frame.screen(x: whole.left + 16, y: (frame.top + frame.bottom) / 2)
        add("set label \(Self.quoted(x)) at \(bottom) center font ',13' textcolor rgb '\(PlotStyle.ink)'")
        add(
            "set label \(Self.quoted(y)) at \(left) center rotate by 90 font ',13' textcolor rgb '\(PlotStyle.ink)'"
        )
    }

    mutating func margins(_ frame: PlotFrame) {
        let (width, height) = frame.canvas
        add("set lmargin at screen \(frame.left / width)")
        add("set rmargin at screen \(frame.right / width)")
        add("set tmargin at screen \(1 - frame.top / height)")
        add("set bmargin at screen \(1 - frame.bottom / height)")
    }

    /// Reserves space for a legend and places it: in a row above `frame`, or if the names need more
    /// room, in a column to its right, or above it if `stacked`.
    mutating func legend(_ names: [String], _ frame: inout PlotFrame, stacked: Bool = false) {
        let widths = names.map { PlotStyle.width($0, size: 12) + 58 }
        guard let widest = widths.max() else { return }
        let style = "left top Left reverse samplen 2.4 font ',12' textcolor rgb '\(PlotStyle.ink)'"
        // gnuplot arranges more entries in two rows, whatever their width.
        if names.count <= 3, Double(names.count) * widest <= frame.width {
            add("set key at \(frame.screen(x: frame.left, y: frame.top - 4)) \(style) horizontal maxrows 1")
            frame.top += 26
        } else if stacked {
            add(
                "set key at \(frame.screen(x: frame.left, y: frame.top - 4)) \(style) vertical maxrows \(names.count)"
            )
            frame.top += 10 + 20 * Double(names.count)
        } else {
            frame.right -= widest + 6
            add(
                "set key at \(frame.screen(x: frame.right + 10, y: frame.top)) \(style) "
                    + "vertical maxrows \(names.count) spacing 1.2"
            )
        }
    }
}

// MARK: - Texts

extension PlotScript {
    /// A text as a gnuplot expression. Between single quotes only the quote is special. Between
    /// double quotes a backquote would run a command.
    static func quoted(_ text: String) -> String {
        Chart.printable(text).split(separator: "\n", omittingEmptySubsequences: false)
            .map { "'" + $0.replacing("'", with: "''") + "'" }.joined(separator: #"."\n"."#)
    }

    /// Names at positions 0, 1, … of an axis; every `step`th.
    static func tics(_ names: [String], step: Int = 1) -> String {
        // Tic labels, unlike other texts, are formats. An empty list would bring back the numbers.
        let tics = (names.isEmpty ? [""] : names).enumerated().filter { $0.offset % step == 0 }.map {
            "\(quoted($1.replacing("%", with: "%%"))) \($0)"
        }
        return "(" + tics.joined(separator: ", ") + ")"
    }
}

/// A part of the chart, in pixels from the top left.
struct PlotFrame {
    let canvas: (width: Double, height: Double)
    var left = 0.0
    var top = 0.0
    var right: Double
    var bottom: Double

    var width: Double { right - left }
    var height: Double { bottom - top }

    func inset(left: Double, top: Double, right: Double, bottom: Double) -> PlotFrame {
        PlotFrame(
            canvas: canvas, left: self.left + left, top: self.top + top, right: self.right - right,
            bottom: self.bottom - bottom)
    }

    /// As gnuplot coordinates.
    func screen(x: Double, y: Double) -> String {
        "screen \(x / canvas.width), screen \(1 - y / canvas.height)"
    }
}

enum PlotStyle {
    static let ink = "#222222"
    static let faint = "#888888"
    static let axis = "#777777"
    static let grid = "#e6e6e6"
    static let missing = "#dddddd"

    /// Okabe and Ito's colours, which are safe for colour-blind readers; without the yellow, which
    /// is too light for print.
    static let colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"]
    /// For the second and third cycle of colours.
    static let dashes = ["1", "(12,4)", "(3,3)", "(12,4,3,4)"]
    /// Nine shapes, so that they do not repeat with the colours.
    static let markers = [7, 5, 9, 13, 11, 6, 4, 8, 12]
    /// Brewer's blues; they keep their order in greyscale.
    static let blues = [
        "#f7fbff", "#deebf7", "#c6dbef", "#9ecae1", "#6baed6", "#4292c6", "#2171b5", "#08519c", "#08306b",
    ]

    static func colour(_ index: Int) -> String { colours[index % colours.count] }

    /// A lighter shade for areas, on which black error bars remain visible. gnuplot's own would let
    /// the grid show through in SVG.
    static func fill(_ index: Int) -> String {
        let colour = Int(colour(index).dropFirst(), radix: 16) ?? 0
        let parts = [16, 8, 0].map { 255 - (255 - (colour >> $0 & 255)) * 7 / 10 }
        return "#" + parts.map { String(format: "%02x", $0) }.joined()
    }

    /// Approximate width of a line of text; errs on the large side.
    static func width(_ text: String, size: Double) -> Double { Double(text.count) * size * 0.56 }

    static let titleSize = 15.0

    static func titleLines(_ text: String, width: Double) -> [String] {
        text.split(whereSeparator: \.isWhitespace).reduce(into: []) { lines, word in
            if let line = lines.last, PlotStyle.width("\(line) \(word)", size: titleSize) <= width - 28 {
                lines[lines.count - 1] += " \(word)"
            } else {
                lines.append(String(word))
            }
        }
    }

    static func titleHeight(_ text: String, width: Double) -> Double {
        14 + 20 * Double(titleLines(text, width: width).count)
    }
}

extension Double? {
    var finite: Double? { flatMap { $0.isFinite ? $0 : nil } }
}

extension Chart.Axis {
    /// In the unit of the axis.
    func scaled(_ value: Double) -> Double { percent ? value * 100 : value }

    func text(_ value: Double) -> String {
        percent ? Format.percent(value, places: 1) : Format.digits(value, 4)
    }
}
