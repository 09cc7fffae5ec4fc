import Foundation
import Jersey
import JerseyOutput

/// A drawing of a model, with frames at the left, digits at the right, and the shapes between parts
/// below.
package struct ModelDiagram {
    package let outline: ModelOutline
    /// Laid out once, because it measures text.
    private var columns: [Column] = []

    package init(_ outline: ModelOutline) {
        self.outline = outline
        columns = outline.parts.flatMap(columns)
    }

    /// Two dots per pixel, for print.
    package func png() throws -> Data {
        let (width, height) = size
        let canvas = Canvas(width: 2 * width, height: 2 * height)
        canvas.scale([2, 2])
        draw(on: canvas)
        return try canvas.image.pngData()
    }

    package func svg() -> Data {
        let (width, height) = size
        return Canvas.svg(width: width, height: height, draw)
    }

    // MARK: Content

    /// A part of the model with its labels.
    private struct Column {
        /// Nil for the output, which has text without a box.
        let kind: ModelOutline.Part.Kind?
        /// The title in bold, and smaller notes below.
        let title, notes: [String]
        /// Shown below the drawing.
        let shapes: [String]
        /// One per shown frame, or a single one for the whole sequence.
        let cells: [String]
        let width: Double
    }

    /// Frames as rows; the third stands for all in between.
    private var rows: [String] { outline.spec.readsAnchorOnly ? ["anchor"] : ["1", "2", "…", "T"] }
    private static let ellipsis = 2

    private func columns(of part: ModelOutline.Part) -> [Column] {
        let count =
            part.parameters > 0 ? ["\(Format.grouped(part.parameters)) parameters"] : []
        func column(_ title: String, _ notes: [String], _ shapes: [String], cells: [String]) -> [Column] {
            [Self.column(part.part, title, notes, shapes, cells)]
        }
        switch (part.part, outline.spec.family) {
        case (.frames, .singleFrame): return column("anchor frame", [], part.shapes, cells: rows)
        case (.frames, _): return column("frames", ["in time order"], part.shapes, cells: rows)
        case (.encoder, .singleFrame): return column(part.what, count, part.shapes, cells: ["encoder"])
        case (.encoder, _):
            return column(part.what, count + ["shared by all frames"], part.shapes, cells: ["encoder"])
        case (.temporal, .recurrent(let layer, _)):
            let units = "\(layer.hidden) units" + (layer.bidirectional ? " in each direction" : "")
            return column(
                part.what, [units] + count, part.shapes, cells: rows.map { _ in "\(layer.cell)".uppercased() }
            )
        case (.pooling, .recurrent(_, let pooling)):
            return column(part.what, [pooling.formula] + count, part.shapes, cells: [pooling.symbol])
        case (.heads, .evidence):
            return column(
                "digits of each frame", [part.what] + count, part.shapes, cells: rows.map { _ in "digits" })
        case (.pooling, .evidence):
            return column(
                part.what, ["r: probability that the frame is read correctly"] + count, [],
                cells: ["Σ r log p"])
                + outputs(part.shapes)
        case (.heads, _):
            return column(
                "heads", [part.what] + count, [], cells: part.shapes.indices.map { Self.digits[$0] })
                + outputs(part.shapes)
        case (.temporal, _), (.pooling, _): return []
        }
    }

    /// The model's outputs.
    private func outputs(_ shapes: [String]) -> [Column] {
        [Self.column(nil, "output", [], [], zip(Self.digits, shapes).map { "\($0) \($1)" })]
    }

    private static let digits = ["tens", "ones", "number"]

    private static func column(
        _ kind: ModelOutline.Part.Kind?, _ title: String, _ notes: [String], _ shapes: [String],
        _ cells: [String]
    ) -> Column {
        let pen = Canvas(width: 1, height: 1)
        let (title, notes) = (
            wrapped(title, Style.titleSize, Style.bold),
            notes.filter { !$0.isEmpty }.flatMap { wrapped($0, Style.textSize, Style.plain) }
        )
        let widths =
            title.map { pen.textWidth($0, size: Style.titleSize, Style.bold) }
            + (notes + shapes).map { pen.textWidth($0, size: Style.textSize, Style.plain) }
            + cells.map { pen.textWidth($0, size: Style.cellSize, Style.plain) + 24 }
        return Column(
            kind: kind, title: title, notes: notes, shapes: shapes, cells: cells,
            width: (widths.max() ?? 0).rounded(.up))
    }

    /// Wraps words into lines of at most the column width, where possible.
    private static func wrapped(_ text: String, _ size: Double, _ face: Canvas.Typeface) -> [String] {
        let pen = Canvas(width: 1, height: 1)
        return text.split(separator: " ").reduce(into: [String]()) { lines, word in
            let longer = (lines.last.map { $0 + " " } ?? "") + word
            if !lines.isEmpty, pen.textWidth(longer, size: size, face) <= Style.columnWidth {
                lines[lines.count - 1] = longer
            } else {
                lines.append(String(word))
            }
        }
    }

    // MARK: Layout, in pixels

    private enum Style {
        static let plain = Canvas.Typeface(family: "DejaVu Sans", bold: false)
        static let bold = Canvas.Typeface(family: "DejaVu Sans")
        static let (headingSize, titleSize, textSize, cellSize) = (20.0, 14.0, 11.0, 12.0)
        static let (margin, gap, line, rowHeight, cellHeight, columnWidth) = (
            24.0, 52.0, 17.0, 64.0, 40.0, 150.0
        )
        static let paper = Canvas.Colour.white
        static let ink = Canvas.Colour(0x1E2227)
        static let faint = Canvas.Colour(0x5B636C)
        static let arrow = Canvas.Colour(0x7A828B)

        static func colour(_ kind: ModelOutline.Part.Kind) -> Canvas.Colour {
            switch kind {
            case .frames: Canvas.Colour(0x8A9099)
            case .encoder: Canvas.Colour(0x2F6FB2)
            case .temporal: Canvas.Colour(0x2E8B57)
            case .pooling: Canvas.Colour(0xC9781E)
            case .heads: Canvas.Colour(0x7B4FA3)
            }
        }
    }

    private var headingHeight: Double { Style.margin + Style.headingSize + 2 * Style.line }
    private var wordsHeight: Double {
        (columns.map { Double($0.title.count + $0.notes.count) }.max() ?? 0) * Style.line + 12
    }
    private var top: Double { headingHeight + wordsHeight }
    private var bodyHeight: Double {
        max(Double(max(rows.count, columns.map(\.cells.count).max() ?? 1)), 2) * Style.rowHeight
    }
    private var shapesHeight: Double {
        (columns.map { Double($0.shapes.count) }.max() ?? 0) * Style.line + 14
    }

    private var size: (width: Int, height: Int) {
        let widths = columns.reduce(0) { $0 + $1.width } + Double(columns.count - 1) * Style.gap
        let pen = Canvas(width: 1, height: 1)
        let heading = max(
            pen.textWidth(heading, size: Style.headingSize, Style.bold),
            pen.textWidth(legend, size: Style.textSize, Style.plain))
        return (
            Int((max(widths, heading) + 2 * Style.margin).rounded(.up)),
            Int((top + bodyHeight + shapesHeight + Style.margin).rounded(.up))
        )
    }

    private var heading: String { outline.spec.title }
    private var legend: String {
        "\(Format.grouped(outline.parameters)) parameters. Shapes: B sequences"
            + (rows.count == 1 ? ", one frame each" : " of T frames")
            + "; tens are 0 to 9 and blank, ones 0 to 9."
    }

    /// The middle of one of `count` cells.
    private func middle(_ index: Int, of count: Int) -> Double {
        top + bodyHeight * (Double(index) + 0.5) / Double(count)
    }

    // MARK: Drawing

    private func draw(on canvas: Canvas) {
        canvas.fill(Style.paper)
        canvas.text(
            heading, at: [Style.margin, Style.margin + Style.headingSize], size: Style.headingSize,
            Style.bold, Style.ink)
        canvas.text(
            legend, at: [Style.margin, Style.margin + Style.headingSize + 1.4 * Style.line],
            size: Style.textSize, Style.plain,
            Style.faint)
        var left = Style.margin
        var former: Column?
        for column in columns {
            if let former { connect(former, to: column, from: left - Style.gap, on: canvas) }
            draw(column, left: left, on: canvas)
            left += column.width + Style.gap
            former = column
        }
    }

    private func draw(_ column: Column, left: Double, on canvas: Canvas) {
        let centre = left + column.width / 2
        func centred(
            _ text: String, _ y: Double, _ size: Double, _ face: Canvas.Typeface, _ colour: Canvas.Colour
        ) {
            canvas.text(
                text, at: [centre - canvas.textWidth(text, size: size, face) / 2, y], size: size, face, colour
            )
        }
        var y = top - 12 - Double(column.title.count + column.notes.count - 1) * Style.line
        for line in column.title {
            centred(line, y, Style.titleSize, Style.bold, Style.ink)
            y += Style.line
        }
        for line in column.notes {
            centred(line, y, Style.textSize, Style.plain, Style.faint)
            y += Style.line
        }
        for (index, shape) in column.shapes.enumerated() {
            centred(
                shape, top + bodyHeight + 14 + Double(index + 1) * Style.line - 4, Style.textSize,
                Style.plain, Style.ink)
        }
        let colour = column.kind.map(Style.colour) ?? Style.ink
        let (width, height) = cell(of: column)
        for (index, text) in column.cells.enumerated() {
            let middle = middle(index, of: column.cells.count)
            if column.cells.count == rows.count, index == Self.ellipsis, rows.count > 1 {
                centred("⋮", middle + 7, 20, Style.bold, colour)
                continue
            }
            if column.kind != nil {
                let box = Self.rounded(
                    [centre - width / 2, middle - height / 2], [width, height], radius: 7)
                canvas.fill(box, colour.mixed(with: Style.paper, 0.82))
                canvas.stroke(box, width: 1.5, colour)
            }
            centred(text, middle + 4.5, Style.cellSize, Style.plain, Style.ink)
        }
        if column.kind == .temporal { steps(centre, on: canvas) }
    }

    private func cell(of column: Column) -> (width: Double, height: Double) {
        let text =
            column.cells.map { Canvas(width: 1, height: 1).textWidth($0, size: Style.cellSize, Style.plain) }
            .max() ?? 0
        switch column.kind {
        case nil: return (text, Style.cellHeight)
        case .frames: return (max(34, text + 16), 52)
        case .encoder: return (max(84, text + 24), bodyHeight - 12)
        case .pooling: return (max(60, text + 24), rows.count > 1 ? bodyHeight * 0.5 : Style.cellHeight)
        case .temporal, .heads: return (max(58, text + 24), Style.cellHeight)
        }
    }

    /// Arrows between frames in the recurrent layer, in both directions if it is bidirectional.
    private func steps(_ centre: Double, on canvas: Canvas) {
        let isBidirectional = outline.spec.temporal?.bidirectional ?? false
        for index in 1..<rows.count {
            // The ellipsis needs less room than a cell.
            func edge(_ row: Int, _ side: Double) -> Double {
                middle(row, of: rows.count) + side * (row == Self.ellipsis ? 14 : Style.cellHeight / 2 + 2)
            }
            let (above, below) = (edge(index - 1, 1), edge(index, -1))
            arrow(
                [centre - (isBidirectional ? 9 : 0), above], [centre - (isBidirectional ? 9 : 0), below],
                Style.colour(.temporal),
                on: canvas)
            if isBidirectional {
                arrow([centre + 9, below], [centre + 9, above], Style.colour(.temporal), on: canvas)
            }
        }
    }

    /// Arrows from the cells of one column to those of the next, whose left side is a gap away.
    private func connect(_ former: Column, to next: Column, from left: Double, on canvas: Canvas) {
        let start = left - (former.width - cell(of: former).width) / 2 + 5
        let end = left + Style.gap + (next.width - cell(of: next).width) / 2 - 5
        let (these, those) = (former.cells.count, next.cells.count)
        let count = max(these, those)
        for index in 0..<count {
            let isRow = count == rows.count && rows.count > 1
            if isRow, index == Self.ellipsis { continue }
            // Only the last state.
            if next.kind == .pooling, outline.spec.pooling == .final, index < count - 1 { continue }
            let from = these == count ? middle(index, of: count) : edge(former, index, of: count)
            let to = those == count ? middle(index, of: count) : edge(next, index, of: count)
            arrow([start, from], [end, to], Style.arrow, on: canvas)
            if next.kind == .pooling, outline.spec.pooling?.isAttention == true, isRow {
                let label = "α" + (["₁", "₂", "", "ₜ"][index])
                canvas.text(
                    label, at: [start + 6, to < from ? from + 16 : from - 7], size: Style.cellSize,
                    Style.plain,
                    Style.colour(.pooling))
            }
        }
    }

    /// Where one of several arrows meets a column's single cell: straight ahead, within the cell's
    /// height.
    private func edge(_ column: Column, _ index: Int, of count: Int) -> Double {
        let (centre, reach) = (middle(0, of: 1), cell(of: column).height / 2 - 12)
        return min(max(middle(index, of: count), centre - reach), centre + reach)
    }

    private func arrow(_ from: Canvas.Point, _ to: Canvas.Point, _ colour: Canvas.Colour, on canvas: Canvas) {
        let way = to - from
        let length = (way * way).sum().squareRoot()
        guard length > 0 else { return }
        let ahead = way / length
        let side = Canvas.Point(-ahead.y, ahead.x)
        canvas.line(from, to - ahead * 5, width: 1.3, colour)
        canvas.fill([[to, to - ahead * 7 + side * 3.5, to - ahead * 7 - side * 3.5]], colour)
    }

    private static func rounded(_ origin: Canvas.Point, _ size: Canvas.Point, radius: Double)
        -> Canvas.Outline
    {
        let corners: [(Canvas.Point, Double)] = [
            ([size.x - radius, radius], -0.5), ([size.x - radius, size.y - radius], 0),
            ([radius, size.y - radius], 0.5),
            ([radius, radius], 1),
        ]
        return [
            corners.flatMap { corner, turn in
                (0...6).map { step in
                    let angle = (turn + Double(step) / 12) * .pi
                    return origin + corner + radius * Canvas.Point(cos(angle), sin(angle))
                }
            }
        ]
    }
}
