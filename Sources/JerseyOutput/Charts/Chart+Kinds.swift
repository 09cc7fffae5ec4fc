import Foundation
import JerseySupport

// MARK: - Lines

extension Chart.Lines {
    private static let below = 54.0

    func draw(in whole: PlotFrame, _ script: inout PlotScript) {
        var frame = whole.inset(left: 72, top: 6, right: 24, bottom: Self.below)
        script.legend(series.map(\.name) + (diagonal.map { [$0] } ?? []), &frame, stacked: diagonal != nil)
        if diagonal != nil {
            let side = min(frame.width, frame.height)
            frame.right = frame.left + side
            frame.bottom = frame.top + side
        }
        script.margins(frame)

        let visible = series.flatMap(\.points).filter {
            $0.x.isFinite && $0.y.value.isFinite && x.range?.contains($0.x) ?? true
        }
        if visible.isEmpty { script.sayNoData() }
        let fallback: ClosedRange<Double>? = visible.isEmpty ? 0...1 : nil
        // Marks on the frame would be clipped; a line may begin there.
        let hasPoints = series.contains { $0.style == .points }
        func wide(_ values: [Double?]) -> ClosedRange<Double>? {
            hasPoints ? values.compactMap(\.finite).padded : nil
        }
        let heights = visible.flatMap { [$0.y.value, $0.y.lower, $0.y.upper] }
        script.axis("x", x, range: x.range ?? fallback ?? wide(visible.map(\.x)))
        script.axis("y", y, range: y.range ?? fallback ?? wide(heights))
        var square = whole
        if diagonal != nil { square.bottom = frame.bottom + Self.below }
        script.axisLabels(x: x.label, y: y.label, frame, in: square)
        script.add("set autoscale xfix")
        let shown = visible.map { x.scaled($0.x) }
        if let low = shown.min(), let high = shown.max(), high - low <= 8,
            shown.allSatisfy({ $0 == $0.rounded() })
        {
            script.add("set xtics 1")
        }

        let isCrowded = Set(series.indices.map { series[$0].colour ?? $0 }).count > 2
        // Bands lie below all lines.
        var bands: [String] = []
        var curves: [String] = []
        for (index, series) in series.enumerated() {
            let drawn = curve(series, number: series.colour ?? index, isCrowded: isCrowded, &script)
            bands += drawn.bands
            curves += drawn.curves
        }
        if let diagonal {
            bands.append(
                "x * \(y.scaled(1) / x.scaled(1)) with lines lc rgb '\(PlotStyle.faint)' lw 1.2 dt (4,4) "
                    + "title \(PlotScript.quoted(diagonal))"
            )
        }
        script.plot(bands + curves)
    }

    /// One series: its line or points, and below them the band of its intervals.
    ///
    /// - Parameter number: of its colour, marker and dash.
    private func curve(
        _ series: Series, number: Int, isCrowded: Bool, _ script: inout PlotScript
    ) -> (bands: [String], curves: [String]) {
        let rows = series.points.map { point in
            [x.scaled(point.x)]
                + [point.y.value, point.y.lower, point.y.upper].map { $0.finite.map(y.scaled) }
        }
        let data = script.data(rows)
        let look = "lc rgb '\(PlotStyle.colour(number))'"
        let marker = "pt \(PlotStyle.markers[number % PlotStyle.markers.count])"
        let title = "title \(PlotScript.quoted(series.name.replacing("\n", with: " ")))"
        let hasIntervals = rows.contains { $0[2] != nil && $0[3] != nil }
        switch series.style {
        case .points:
            let bars = "\(data) using 1:3:(0):($4-$3) with vectors nohead \(look) lw 1.2 notitle"
            return (
                [],
                (hasIntervals ? [bars] : []) + [
                    "\(data) using 1:2 with points \(look) \(marker) ps 0.9 \(title)"
                ]
            )
        case .line, .dashed:
            let band =
                "\(data) using 1:3:4 with filledcurves \(look) fs transparent solid 0.15 noborder notitle"
            let dash =
                series.style == .dashed
                ? "(6,4)" : PlotStyle.dashes[number / PlotStyle.colours.count % PlotStyle.dashes.count]
            // Sparse marks tell many curves apart; a lone point has no line to be seen by.
            let drawn = rows.count { $0[1] != nil }
            let every = isCrowded || drawn == 1 ? "\(marker) ps 0.75 pi \(max(1, drawn / 6))" : "pt 0"
            return (
                hasIntervals ? [band] : [],
                ["\(data) using 1:2 with linespoints \(look) lw 1.8 dt \(dash) \(every) \(title)"]
            )
        }
    }
}

extension [Double] {
    /// The range of the values with some room on both sides, but not below zero unless a value is;
    /// nil if empty.
    fileprivate var padded: ClosedRange<Double>? {
        guard let low = self.min(), let high = self.max() else { return nil }
        let room = high > low ? 0.06 * (high - low) : Swift.max(0.06 * abs(high), 1e-9)
        return (low >= 0 ? Swift.max(0, low - room) : low - room)...(high + room)
    }
}

// MARK: - Bars

extension Chart.Bars {
    private static let above = 6.0
    private static let below = 54.0

    /// Includes the title.
    func height(width: Double, title: String) -> Int {
        let rows = Double(categories.count) * max(24, 14 * Double(series.count))
        let plot = isLying(width: width) ? max(120, rows) : 360
        return Int(
            clamping: PlotStyle.titleHeight(title, width: width) + Self.above + (series.count > 1 ? 26 : 0)
                + plot + Self.below)
    }

    private func isLying(width: Double) -> Bool {
        let slot = (width - 96) / Double(max(1, categories.count))
        return names(lying: false).contains { name in
            name.split(separator: "\n").contains { PlotStyle.width(String($0), size: 12) + 6 > slot }
        }
    }

    private func names(lying: Bool) -> [String] {
        categories.enumerated().map { index, category in
            let category = category.replacing("\n", with: " ")
            guard let counts, index < counts.count else { return category }
            return lying ? "\(category) (n = \(counts[index]))" : "\(category)\nn = \(counts[index])"
        }
    }

    func draw(in whole: PlotFrame, _ script: inout PlotScript) {
        let lying = isLying(width: whole.width)
        let names = names(lying: lying)
        let widest = names.map { PlotStyle.width($0, size: 12) }.max() ?? 0
        // A name may take half of the chart.
        var frame = whole.inset(
            left: lying ? min(widest + 24, whole.width / 2) : 72, top: Self.above, right: lying ? 72 : 24,
            bottom: !lying && counts != nil ? Self.below + 12 : Self.below)
        if series.count > 1 { script.legend(series.map(\.name), &frame) }
        script.margins(frame)

        let values = series.flatMap { $0.values.prefix(categories.count) }.compactMap { $0 }.filter(
            \.value.isFinite)
        if values.isEmpty { script.sayNoData() }
        let range = axis.range ?? values.range
        let (value, category) = lying ? ("x", "y") : ("y", "x")
        script.axis(value, axis, range: range)
        script.axisLabels(x: lying ? axis.label : "", y: lying ? "" : axis.label, frame, in: whole)
        let (first, last) = (-0.6, Double(max(1, categories.count)) - 0.4)
        script.add("set \(category)range [\(lying ? "\(last):\(first)" : "\(first):\(last)")]")
        script.add("set \(category)tics \(PlotScript.tics(names)) scale 0")
        script.add("set grid no\(category)tics")

        let isLength = range.contains(0)
        let shown = series.indices.flatMap { bars(of: $0, lying: lying, isLength: isLength, &script) }
        if series.count == 1 { write(series[0], lying: lying, slot: frame.width / (last - first), &script) }
        script.plot(shown)
    }

    /// The bars of one series with their intervals.
    ///
    /// - Parameter isLength: whether the axis begins at zero, so that a bar's length says something; points are drawn where not.
    private func bars(of index: Int, lying: Bool, isLength: Bool, _ script: inout PlotScript) -> [String] {
        let slot = 0.76 / Double(max(1, series.count))
        let middle = (Double(index) + 0.5) * slot - 0.38
        let rows = zip(categories.indices, series[index].values).map { place, value -> [Double?] in
            let numbers = [value?.value, value?.lower, value?.upper].map { $0.finite.map(axis.scaled) }
            return [Double(place) + middle] + (numbers[0] == nil ? [nil, nil, nil] : numbers)
        }
        let data = script.data(rows)
        let name = PlotScript.quoted(series[index].name.replacing("\n", with: " "))
        let title = series.count > 1 ? "title \(name)" : "notitle"
        var elements: [String] = []
        if isLength {
            let half = slot * 0.46
            let ends = "($1-\(half)):($1+\(half))"
            let columns = lying ? "2:1:(0):2:\(ends)" : "1:2:\(ends):(0):2"
            elements.append(
                "\(data) using \(columns) with boxxyerror lc rgb '\(PlotStyle.fill(index))' \(title)")
        } else {
            let marker = PlotStyle.markers[index % PlotStyle.markers.count]
            let look = "lc rgb '\(PlotStyle.colour(index))' pt \(marker)"
            elements.append("\(data) using \(lying ? "2:1" : "1:2") with points \(look) ps 1.1 \(title)")
        }
        if rows.contains(where: { $0[2] != nil && $0[3] != nil }) {
            let colour = isLength ? PlotStyle.ink : PlotStyle.colour(index)
            let columns = lying ? "3:1:($4-$3):(0)" : "1:3:(0):($4-$3)"
            elements.append("\(data) using \(columns) with vectors nohead lw 1.1 lc rgb '\(colour)' notitle")
        }
        return elements
    }

    /// Writes the values beside the bars of a single series, if they fit.
    private func write(_ series: Series, lying: Bool, slot: Double, _ script: inout PlotScript) {
        for (index, value) in zip(categories.indices, series.values) {
            guard let value, value.value.isFinite else { continue }
            let text = axis.text(value.value)
            guard lying || PlotStyle.width(text, size: 11) <= slot else { continue }
            let place = lying ? "graph 1, first \(index) left offset 0.8,0" : top(value, index)
            script.add(
                "set label \(PlotScript.quoted(text)) at \(place) font ',11' textcolor rgb '\(PlotStyle.ink)'"
            )
        }
    }

    private func top(_ value: Chart.Value, _ index: Int) -> String {
        let end = max(0, value.value, value.upper.finite ?? value.value)
        return "first \(index), first \(axis.scaled(end)) center offset 0,0.6"
    }
}

extension [Chart.Value] {
    /// From zero to beyond the last error bar.
    fileprivate var range: ClosedRange<Double> {
        let ends = flatMap { [$0.value, $0.lower.finite ?? $0.value, $0.upper.finite ?? $0.value] }
        let (low, high) = (Swift.min(0, ends.min() ?? 0), Swift.max(0, ends.max() ?? 1))
        guard high > low else { return 0...1 }
        return (low < 0 ? low - 0.08 * (high - low) : 0)...(high > 0 ? high + 0.08 * (high - low) : 0)
    }
}

// MARK: - Heat map

extension Chart.Heatmap {
    private static let ticSize = 11.0
    private static let scaleWidth = 92.0

    /// The side of a cell: enough for its text, as long as the chart is about as wide as a page.
    private var cell: Double {
        let most = Double(max(rows.names.count, columns.names.count, 1))
        let text = texts?.joined().map { Self.extent($0, size: 10.5) + 6 }.max() ?? 0
        let side = min(max(min(560 / most, 40), min(text, 760 / most)), 72)
        // Whole pixels, so that all gaps are equally wide.
        return side < 8 ? side : side.rounded(.down)
    }

    /// The larger side of a text, which may have several lines.
    private static func extent(_ text: String, size: Double) -> Double {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return max(
            lines.map { PlotStyle.width(String($0), size: size) }.max() ?? 0,
            Double(lines.count) * size * 1.25)
    }

    private var margins: (left: Double, bottom: Double) {
        let row = rows.names.map { PlotStyle.width($0, size: Self.ticSize) }.max() ?? 0
        let column = columns.names.map { PlotStyle.width($0, size: Self.ticSize) }.max() ?? 0
        return (min(row, 240) + 44, (isUpright ? min(column, 240) : Self.ticSize) + 44)
    }

    /// Whether to rotate column names: if most of them would not fit otherwise.
    private var isUpright: Bool {
        (columns.names.map { PlotStyle.width($0, size: Self.ticSize) }.max() ?? 0) > max(2.5 * cell, 26)
            || (columns.names.count <= 40 && (columns.names.map(\.count).max() ?? 0) > 3
                && widest(columns.names) > cell)
    }

    private func widest(_ names: [String]) -> Double {
        names.map { PlotStyle.width($0, size: Self.ticSize) }.max() ?? 0
    }

    /// Includes the title.
    func size(title: String) -> (width: Int, height: Int) {
        let across = max(cell * Double(columns.names.count), 160)
        let width = max(margins.left + across + Self.scaleWidth, 360)
        let height = max(cell * Double(rows.names.count), 100) + margins.bottom + 8
        return (Int(clamping: width), Int(clamping: height + PlotStyle.titleHeight(title, width: width)))
    }

    func draw(in whole: PlotFrame, _ script: inout PlotScript) {
        let frame = whole.inset(left: margins.left, top: 8, right: Self.scaleWidth, bottom: margins.bottom)
        script.margins(frame)
        let count = (rows: rows.names.count, columns: columns.names.count)
        let cells = (0..<count.rows).flatMap { row in
            (0..<count.columns).map { column in
                (
                    row, column,
                    row < values.count && column < values[row].count ? values[row][column].finite : nil
                )
            }
        }
        let known = cells.compactMap { $0.2 }
        let range = scale.range ?? Self.range(known)
        if known.isEmpty { script.sayNoData() }

        script.axisLabels(x: columns.label, y: rows.label, frame, in: whole)
        script.add(
            "set label \(PlotScript.quoted(scale.label)) at "
                + frame.screen(x: whole.left + whole.width - 14, y: frame.bottom - min(frame.height, 240) / 2)
                + " center rotate by 90 font ',13' textcolor rgb '\(PlotStyle.ink)'")
        script.add("unset grid")
        script.add("unset border")
        addAxes(&script)
        script.add(
            "set object rectangle from graph 0,0 to graph 1,1 behind fc rgb '\(PlotStyle.missing)' fs solid noborder"
        )
        addScale(frame, range, &script)
        write(cells, range, &script)

        if known.isEmpty {
            script.plot([])
        } else if count.rows > 1, count.columns > 1, cells.count > 2500 {
            let data = script.data(cells.map { [Double($1), Double($0), $2.map(scale.scaled)] })
            script.plot(["\(data) using 1:2:3 with image notitle"])
        } else {
            // Leaves gaps between cells that are large enough.
            let data = script.data(
                cells.filter { $0.2 != nil }.map { [Double($1), Double($0), $2.map(scale.scaled)] })
            let half = cell >= 20 ? 0.5 - 0.5 / cell : 0.5
            script.plot([
                "\(data) using 1:2:(\(half)):(\(half)):3 with boxxyerror fs solid noborder fc palette notitle"
            ])
        }
    }

    /// The names of rows and columns, as many as there is room for.
    private func addAxes(_ script: inout PlotScript) {
        script.axis("x", Chart.Axis(""), range: -0.5...(Double(max(1, columns.names.count)) - 0.5))
        script.add("set yrange [\(Double(max(1, rows.names.count)) - 0.5):-0.5]")
        let tall = Self.ticSize * 1.3
        let stepX = Self.step((isUpright ? tall : widest(columns.names) + 4) / cell)
        let stepY = Self.step(tall / cell)
        // Where rows and columns are the same, so are the names written at them.
        let same = rows.names == columns.names
        script.add(
            "set xtics \(PlotScript.tics(columns.names, step: same ? max(stepX, stepY) : stepX)) "
                + "\(isUpright ? "rotate by 90 right" : "") scale 0 font ',\(Self.ticSize)'"
        )
        script.add(
            "set ytics \(PlotScript.tics(rows.names, step: same ? max(stepX, stepY) : stepY)) scale 0 font ',\(Self.ticSize)'"
        )
    }

    /// What the colours mean.
    private func addScale(_ frame: PlotFrame, _ range: ClosedRange<Double>, _ script: inout PlotScript) {
        script.axis("cb", scale, range: range)
        script.add(
            "set palette defined (\(PlotStyle.blues.enumerated().map { "\($0) '\($1)'" }.joined(separator: ", ")))"
        )
        script.add(
            "set colorbox user origin \(frame.screen(x: frame.right + 14, y: frame.bottom)) "
                + "size screen \(12 / frame.canvas.width), screen \(min(frame.height, 240) / frame.canvas.height) noborder"
        )
        script.add("set cbtics scale 0 font ',\(Self.ticSize)' offset -0.6,0")
    }

    private func write(
        _ cells: [(Int, Int, Double?)], _ range: ClosedRange<Double>, _ script: inout PlotScript
    ) {
        guard let texts else { return }
        let most = texts.joined().map { Self.extent($0, size: 1) }.max() ?? 1
        let size = min(12, (cell - 4) / most)
        guard size >= 6 else { return }
        for (row, column, value) in cells
        where row < texts.count && column < texts[row].count && !texts[row][column].isEmpty {
            // Above this, white text is more readable than black.
            let isDark =
                value.map { ($0 - range.lowerBound) / (range.upperBound - range.lowerBound) > 0.62 } ?? false
            // gnuplot would put the first of several lines at the middle of the cell.
            let lift = Double(texts[row][column].count(where: \.isNewline)) * 0.6 * size / cell
            script.add(
                "set label \(PlotScript.quoted(texts[row][column])) at \(column),\(Double(row) - lift) "
                    + "center front font ',\(size)' "
                    + "textcolor rgb '\(isDark ? "#ffffff" : PlotStyle.ink)'")
        }
    }

    /// The spacing of labels if one takes the room of `names` cells: 1, 2, 5, 10, 20, …
    private static func step(_ names: Double) -> Int {
        var step = 1
        while Double(step) < names { step = String(step).hasPrefix("2") ? step / 2 * 5 : step * 2 }
        return step
    }

    private static func range(_ values: [Double]) -> ClosedRange<Double> {
        let (low, high) = (min(0, values.min() ?? 0), max(0, values.max() ?? 1))
        return low < high ? low...high : 0...1
    }
}
