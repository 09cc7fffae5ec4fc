/// A chart as a plain value. `write(to:)` and `svg()` draw it with gnuplot, all in one style.
///
/// Values that cannot be drawn (nil, NaN, infinity) are skipped; if none remain, the chart says "no
/// data".
package struct Chart: Sendable {
    /// The base name of its files and the prefix of its SVG ids. Must be unique within a page or
    /// folder, and contain no "/".
    package var name: String
    package var title: String
    package var content: Content

    package enum Content: Sendable {
        case lines(Lines)
        case bars(Bars)
        case heatmap(Heatmap)
    }

    package init(name: String, title: String, _ content: Content) {
        precondition(!name.isEmpty && !name.contains("/"), "a chart's name must be a file's base name")
        self.name = name
        self.title = title
        self.content = content
    }

    package struct Axis: Sendable {
        package var label: String
        /// The range to show, in the data's unit; nil chooses one from the data.
        package var range: ClosedRange<Double>?
        /// Whether values are shares, shown as percentages.
        package var percent: Bool

        package init(_ label: String, range: ClosedRange<Double>? = nil, percent: Bool = false) {
            self.label = label
            self.range = range
            self.percent = percent
        }
    }

    /// A value with its interval, if known.
    package struct Value: Sendable {
        package var value: Double
        package var lower: Double?
        package var upper: Double?

        package init(_ value: Double, lower: Double? = nil, upper: Double? = nil) {
            self.value = value
            self.lower = lower
            self.upper = upper
        }
    }
}

// MARK: - Kinds of charts

extension Chart {
    /// Curves or points over a common x.
    package struct Lines: Sendable {
        package var x: Axis
        package var y: Axis
        package var series: [Series]
        /// The legend's name for the line y = x, drawn in grey across a square plot; nil for none.
        package var diagonal: String?

        package init(x: Axis, y: Axis, _ series: [Series], diagonal: String? = nil) {
            self.x = x
            self.y = y
            self.series = series
            self.diagonal = diagonal
        }

        package struct Series: Sendable {
            package var name: String
            /// In drawing order; a value that cannot be drawn breaks the line.
            package var points: [Point]
            package var style: Style
            /// Series with the same number share a colour; nil uses the index in `series`.
            package var colour: Int?

            package init(_ name: String, _ points: [Point], style: Style = .line, colour: Int? = nil) {
                self.name = name
                self.points = points
                self.style = style
                self.colour = colour
            }
        }

        /// Intervals are drawn as a band around lines, and as error bars on points.
        package enum Style: Sendable { case line, dashed, points }

        package struct Point: Sendable {
            package var x: Double
            package var y: Value

            package init(_ x: Double, _ y: Value) {
                self.x = x
                self.y = y
            }
            package init(_ x: Double, _ y: Double) { self.init(x, Value(y)) }
        }
    }

    /// One bar per category and series, with error bars. Bars are horizontal if the names need
    /// room. If the axis does not include zero, dots are drawn instead, because a bar's length
    /// would mislead.
    package struct Bars: Sendable {
        package var categories: [String]
        /// The sample count of each category, written beside its name.
        package var counts: [Int]?
        package var axis: Axis
        package var series: [Series]

        package init(_ categories: [String], counts: [Int]? = nil, axis: Axis, _ series: [Series]) {
            self.categories = categories
            self.counts = counts
            self.axis = axis
            self.series = series
        }

        package struct Series: Sendable {
            package var name: String
            /// One per category; missing ones at the end count as nil.
            package var values: [Value?]

            package init(_ name: String, _ values: [Value?]) {
                self.name = name
                self.values = values
            }
        }
    }

    /// A matrix of colours, with the first row at the top.
    package struct Heatmap: Sendable {
        /// What rows and columns stand for, and their names. If names do not fit, only some are
        /// shown.
        package var rows: (label: String, names: [String])
        package var columns: (label: String, names: [String])
        /// By row; nil is drawn in grey.
        package var values: [[Double?]]
        /// Text for the cells, like `values`; newlines are kept. Omitted if cells are too small for
        /// it.
        package var texts: [[String]]?
        package var scale: Axis

        package init(
            rows: (label: String, names: [String]), columns: (label: String, names: [String]),
            values: [[Double?]],
            texts: [[String]]? = nil, scale: Axis
        ) {
            self.rows = rows
            self.columns = columns
            self.values = values
            self.texts = texts
            self.scale = scale
        }
    }
}
