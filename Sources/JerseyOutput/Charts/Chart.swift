/// A figure as a plain value. `write(to:)` and `svg()` draw it with gnuplot, all figures in one style.
///
/// What cannot be drawn (nil, NaN, infinity) is left out; where nothing remains the picture says "no data".
package struct Chart: Sendable {
    /// The stem of its files, and what its SVG's ids begin with: unlike the other names of a page or folder, and without "/".
    package var name: String
    package var title: String
    package var content: Content

    package enum Content: Sendable {
        case lines(Lines)
        case bars(Bars)
        case heatmap(Heatmap)
    }

    package init(name: String, title: String, _ content: Content) {
        precondition(!name.isEmpty && !name.contains("/"), "a chart's name is the stem of a file")
        self.name = name
        self.title = title
        self.content = content
    }

    package struct Axis: Sendable {
        package var label: String
        /// What to show, in the unit of the data; chosen by what there is to see when nil.
        package var range: ClosedRange<Double>?
        /// Values are shares, and written as percentages.
        package var percent: Bool

        package init(_ label: String, range: ClosedRange<Double>? = nil, percent: Bool = false) {
            self.label = label
            self.range = range
            self.percent = percent
        }
    }

    /// A figure and, where it is known, the interval that it lies in.
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

// MARK: - What there is to draw

extension Chart {
    /// Curves or points over a common x.
    package struct Lines: Sendable {
        package var x: Axis
        package var y: Axis
        package var series: [Series]
        /// The legend's name for the line y = x, drawn in grey across a square plot; none when nil.
        package var diagonal: String?

        package init(x: Axis, y: Axis, _ series: [Series], diagonal: String? = nil) {
            self.x = x
            self.y = y
            self.series = series
            self.diagonal = diagonal
        }

        package struct Series: Sendable {
            package var name: String
            /// In drawing order; one that cannot be drawn breaks the line.
            package var points: [Point]
            package var style: Style
            /// Series of one number share a colour; nil takes the place in `series`.
            package var colour: Int?

            package init(_ name: String, _ points: [Point], style: Style = .line, colour: Int? = nil) {
                self.name = name
                self.points = points
                self.style = style
                self.colour = colour
            }
        }

        /// Intervals are a band around lines, and error bars on points.
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

    /// One bar per category and series, with error bars. Bars lie down when their names need the room. On an axis whose range
    /// leaves out zero a bar's length would lie: dots are drawn instead.
    package struct Bars: Sendable {
        package var categories: [String]
        /// How many samples each category stands for, written beside its name.
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
            /// One per category; what is missing at the end counts as nil.
            package var values: [Value?]

            package init(_ name: String, _ values: [Value?]) {
                self.name = name
                self.values = values
            }
        }
    }

    /// A matrix of colours, the first row on top.
    package struct Heatmap: Sendable {
        /// What the rows and columns are, and their names. Names that do not fit are thinned out.
        package var rows: (label: String, names: [String])
        package var columns: (label: String, names: [String])
        /// By row; nil is grey.
        package var values: [[Double?]]
        /// What is written into the cells, like `values`; newlines are kept. Left out where cells are too small to read it.
        package var texts: [[String]]?
        package var scale: Axis

        package init(
            rows: (label: String, names: [String]), columns: (label: String, names: [String]), values: [[Double?]],
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
