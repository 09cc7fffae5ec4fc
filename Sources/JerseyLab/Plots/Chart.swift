/// A figure as a plain value. `write(to:)` and `svg()` draw it with gnuplot, all figures in one style.
///
/// What cannot be drawn (nil, NaN, infinity) is left out; where nothing remains the picture says "no data".
public struct Chart: Sendable {
    /// The stem of its files, and what its SVG's ids begin with: unlike the other names of a page or folder, and without "/".
    public var name: String
    public var title: String
    public var content: Content

    public enum Content: Sendable {
        case lines(Lines)
        case bars(Bars)
        case heatmap(Heatmap)
    }

    public init(name: String, title: String, _ content: Content) {
        precondition(!name.isEmpty && !name.contains("/"), "a chart's name is the stem of a file")
        (self.name, self.title, self.content) = (name, title, content)
    }

    public struct Axis: Sendable {
        public var label: String
        /// What to show, in the unit of the data; chosen by what there is to see when nil.
        public var range: ClosedRange<Double>?
        /// Values are shares, and written as percentages.
        public var percent: Bool

        public init(_ label: String, range: ClosedRange<Double>? = nil, percent: Bool = false) {
            (self.label, self.range, self.percent) = (label, range, percent)
        }
    }

    /// A figure and, where it is known, the interval that it lies in.
    public struct Value: Sendable {
        public var value: Double
        public var lower: Double?
        public var upper: Double?

        public init(_ value: Double, lower: Double? = nil, upper: Double? = nil) {
            (self.value, self.lower, self.upper) = (value, lower, upper)
        }

        /// With its 95% interval.
        public init?(_ proportion: Proportion) {
            guard let value = proportion.value, let interval = proportion.interval else { return nil }
            self.init(value, lower: interval[0], upper: interval[1])
        }

        /// The mean, and one standard deviation to either side.
        public init?(_ summary: Summary) {
            guard let mean = summary.mean else { return nil }
            let deviation = summary.standardDeviation
            self.init(mean, lower: deviation.map { mean - $0 }, upper: deviation.map { mean + $0 })
        }
    }
}

// MARK: - What there is to draw

extension Chart {
    /// Curves or points over a common x.
    public struct Lines: Sendable {
        public var x: Axis
        public var y: Axis
        public var series: [Series]
        /// The legend's name for the line y = x, drawn in grey across a square plot; none when nil.
        public var diagonal: String?

        public init(x: Axis, y: Axis, _ series: [Series], diagonal: String? = nil) {
            (self.x, self.y, self.series, self.diagonal) = (x, y, series, diagonal)
        }

        public struct Series: Sendable {
            public var name: String
            /// In drawing order; one that cannot be drawn breaks the line.
            public var points: [Point]
            public var style: Style
            /// Series of one number share a colour; nil takes the place in `series`.
            public var colour: Int?

            public init(_ name: String, _ points: [Point], style: Style = .line, colour: Int? = nil) {
                (self.name, self.points, self.style, self.colour) = (name, points, style, colour)
            }
        }

        /// Intervals are a band around lines, and error bars on points.
        public enum Style: Sendable { case line, dashed, points }

        public struct Point: Sendable {
            public var x: Double
            public var y: Value

            public init(_ x: Double, _ y: Value) { (self.x, self.y) = (x, y) }
            public init(_ x: Double, _ y: Double) { self.init(x, Value(y)) }
        }
    }

    /// One bar per category and series, with error bars. Bars lie down when their names need the room. On an axis whose range
    /// leaves out zero a bar's length would lie: dots are drawn instead.
    public struct Bars: Sendable {
        public var categories: [String]
        /// How many samples each category stands for, written beside its name.
        public var counts: [Int]?
        public var axis: Axis
        public var series: [Series]

        public init(_ categories: [String], counts: [Int]? = nil, axis: Axis, _ series: [Series]) {
            (self.categories, self.counts, self.axis, self.series) = (categories, counts, axis, series)
        }

        public struct Series: Sendable {
            public var name: String
            /// One per category; what is missing at the end counts as nil.
            public var values: [Value?]

            public init(_ name: String, _ values: [Value?]) { (self.name, self.values) = (name, values) }
        }
    }

    /// A matrix of colours, the first row on top.
    public struct Heatmap: Sendable {
        /// What the rows and columns are, and their names. Names that do not fit are thinned out.
        public var rows: (label: String, names: [String])
        public var columns: (label: String, names: [String])
        /// By row; nil is grey.
        public var values: [[Double?]]
        /// What is written into the cells, like `values`; newlines are kept. Left out where cells are too small to read it.
        public var texts: [[String]]?
        public var scale: Axis

        public init(
            rows: (label: String, names: [String]), columns: (label: String, names: [String]), values: [[Double?]],
            texts: [[String]]? = nil, scale: Axis
        ) {
            (self.rows, self.columns, self.values, self.texts, self.scale) = (rows, columns, values, texts, scale)
        }
    }
}
