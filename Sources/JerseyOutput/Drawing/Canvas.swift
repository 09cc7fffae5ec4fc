import CCairo
import Foundation
import Jersey
import Synchronization

/// An image to draw on, over the part of Cairo that we use. Use each canvas from one thread.
package final class Canvas {
    package typealias Point = SIMD2<Double>
    /// Closed contours in user units, filled by the winding rule.
    package typealias Outline = [[Point]]

    /// The largest side of an image in Cairo, in pixels.
    package static let maximumSide = 32_767

    package let width: Int
    package let height: Int
    private let surface: OpaquePointer
    private let context: OpaquePointer
    /// Locked while fonts are used or released: Cairo keeps only a few open, and may close one that
    /// another thread reads.
    private static let fonts = Mutex(())

    package convenience init(width: Int, height: Int) {
        self.init(
            cairo_image_surface_create(CAIRO_FORMAT_RGB24, Int32(width), Int32(height)), width: width,
            height: height)
    }

    private init(_ surface: OpaquePointer, width: Int, height: Int) {
        self.width = width
        self.height = height
        self.surface = surface
        precondition(
            cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS,
            "cannot create a canvas of \(width)x\(height) pixels")
        context = cairo_create(surface)
        let options = cairo_font_options_create()
        cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE)
        cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF)
        cairo_set_font_options(context, options)
        cairo_font_options_destroy(options)
    }

    /// Runs `draw` and returns an SVG file. Text becomes shapes, so that no font is needed.
    package static func svg(width: Int, height: Int, _ draw: (Canvas) -> Void) -> Data {
        final class Sink { var data = Data() }
        let sink = Sink()
        let surface = cairo_svg_surface_create_for_stream(
            { sink, bytes, count in
                guard let sink, let bytes else { return CAIRO_STATUS_WRITE_ERROR }
                Unmanaged<Sink>.fromOpaque(sink).takeUnretainedValue().data.append(bytes, count: Int(count))
                return CAIRO_STATUS_SUCCESS
            }, Unmanaged.passUnretained(sink).toOpaque(), Double(width), Double(height))
        cairo_svg_surface_set_document_unit(surface, CAIRO_SVG_UNIT_PX)
        let canvas = Canvas(surface!, width: width, height: height)
        draw(canvas)
        fonts.withLock { _ in cairo_surface_finish(surface) }
        return withExtendedLifetime(canvas) { sink.data }
    }

    package convenience init(_ image: RGBImage) {
        self.init(width: image.width, height: image.height)
        cairo_surface_flush(surface)
        withRows { y, row in
            for x in 0..<width {
                let pixel = (y * width + x) * 3
                row[x] =
                    UInt32(image.pixels[pixel]) << 16 | UInt32(image.pixels[pixel + 1]) << 8
                    | UInt32(image.pixels[pixel + 2])
            }
        }
        cairo_surface_mark_dirty(surface)
    }

    deinit {
        Self.fonts.withLock { _ in cairo_destroy(context) }
        cairo_surface_destroy(surface)
    }

    /// The current content.
    package var image: RGBImage {
        cairo_surface_flush(surface)
        let pixels = [UInt8](unsafeUninitializedCapacity: width * height * 3) { buffer, count in
            count = width * height * 3
            withRows { y, row in
                for x in 0..<width {
                    let pixel = (y * width + x) * 3
                    buffer[pixel] = UInt8(truncatingIfNeeded: row[x] >> 16)
                    buffer[pixel + 1] = UInt8(truncatingIfNeeded: row[x] >> 8)
                    buffer[pixel + 2] = UInt8(truncatingIfNeeded: row[x])
                }
            }
        }
        return RGBImage(width: width, height: height, pixels: pixels)
    }

    /// Each row as `width` words of 0x00RRGGBB.
    private func withRows(_ body: (Int, UnsafeMutablePointer<UInt32>) -> Void) {
        let stride = Int(cairo_image_surface_get_stride(surface))
        for y in 0..<height {
            let row = UnsafeMutableRawPointer(cairo_image_surface_get_data(surface) + y * stride)
            body(y, row.assumingMemoryBound(to: UInt32.self))
        }
    }
}

// MARK: - Position

extension Canvas {
    /// Transforms and clips from `body` end with it.
    package func scoped(_ body: () -> Void) {
        cairo_save(context)
        defer { cairo_restore(context) }
        body()
    }

    package func translate(_ by: Point) { cairo_translate(context, by.x, by.y) }

    package func scale(_ by: Point) { cairo_scale(context, by.x, by.y) }

    /// Clockwise, in radians.
    package func rotate(_ angle: Double, around centre: Point) {
        translate(centre)
        cairo_rotate(context, angle)
        translate(-centre)
    }

    package func clip(to outline: Outline) {
        trace(outline)
        cairo_clip(context)
    }
}

// MARK: - Shapes

extension Canvas {
    package func fill(_ colour: Colour) {
        use(colour)
        cairo_paint(context)
    }

    package func fill(_ outline: Outline, _ colour: Colour) {
        trace(outline)
        use(colour)
        cairo_fill(context)
    }

    /// Fills with a gradient: colours at equal steps between `left` and `right` (x in user units).
    package func fill(_ outline: Outline, from left: Double, to right: Double, _ colours: [Colour]) {
        let gradient = cairo_pattern_create_linear(left, 0, right, 0)
        defer { cairo_pattern_destroy(gradient) }
        for (step, colour) in colours.enumerated() {
            let offset = Double(step) / Double(max(1, colours.count - 1))
            cairo_pattern_add_color_stop_rgba(
                gradient, offset, colour.red, colour.green, colour.blue, colour.alpha)
        }
        trace(outline)
        cairo_set_source(context, gradient)
        cairo_fill(context)
    }

    package func stroke(_ outline: Outline, width: Double, _ colour: Colour) {
        trace(outline)
        stroke(width: width, colour)
    }

    /// A line with round ends.
    package func line(_ points: Point..., width: Double, _ colour: Colour) {
        for point in points { cairo_line_to(context, point.x, point.y) }
        stroke(width: width, colour)
    }

    package func rectangle(_ origin: Point, _ size: Point, _ colour: Colour) {
        cairo_rectangle(context, origin.x, origin.y, size.x, size.y)
        use(colour)
        cairo_fill(context)
    }

    package func ellipse(_ centre: Point, _ radii: Point, _ colour: Colour) {
        scoped {
            translate(centre)
            scale(radii)
            cairo_arc(context, 0, 0, 1, 0, 2 * .pi)
        }
        use(colour)
        cairo_fill(context)
    }

    /// Draws all of `other`, scaled to the rectangle with a bilinear (up) or area (down) filter.
    package func draw(_ other: Canvas, at origin: Point, size: Point) {
        scoped {
            translate(origin)
            scale(size / Point(Double(other.width), Double(other.height)))
            cairo_set_source_surface(context, other.surface, 0, 0)
            cairo_pattern_set_filter(
                cairo_get_source(context),
                size.x > Double(other.width) ? CAIRO_FILTER_BILINEAR : CAIRO_FILTER_GOOD)
            cairo_pattern_set_extend(cairo_get_source(context), CAIRO_EXTEND_PAD)
            cairo_rectangle(context, 0, 0, Double(other.width), Double(other.height))
            cairo_fill(context)
        }
    }

    private func use(_ colour: Colour) {
        cairo_set_source_rgba(context, colour.red, colour.green, colour.blue, colour.alpha)
    }

    private func stroke(width: Double, _ colour: Colour) {
        use(colour)
        cairo_set_line_width(context, width)
        cairo_set_line_cap(context, CAIRO_LINE_CAP_ROUND)
        cairo_set_line_join(context, CAIRO_LINE_JOIN_ROUND)
        cairo_stroke(context)
    }

    private func trace(_ outline: Outline) {
        cairo_new_path(context)
        for contour in outline {
            cairo_new_sub_path(context)
            for point in contour { cairo_line_to(context, point.x, point.y) }
            cairo_close_path(context)
        }
    }
}

// MARK: - Text

extension Canvas {
    /// A font family known to fontconfig, which replaces a missing one with the nearest.
    package struct Typeface: Sendable, Equatable {
        package var family: String
        package var bold = true
        package var italic = false

        package init(family: String, bold: Bool = true, italic: Bool = false) {
            self.family = family
            self.bold = bold
            self.italic = italic
        }
    }

    /// Draws one line of text; `point` is the left end of its baseline. `size` is the font size in
    /// user units.
    package func text(_ text: String, at point: Point, size: Double, _ typeface: Typeface, _ colour: Colour) {
        use(colour)
        Self.fonts.withLock { _ in
            select(typeface, size: size)
            cairo_move_to(context, point.x, point.y)
            cairo_show_text(context, text)
            cairo_new_path(context)
        }
    }

    /// The width of one line, in user units.
    package func textWidth(_ text: String, size: Double, _ typeface: Typeface) -> Double {
        Self.fonts.withLock { _ in
            select(typeface, size: size)
            var extents = cairo_text_extents_t()
            cairo_text_extents(context, text, &extents)
            return extents.x_advance
        }
    }

    /// The shapes of a line of text, one unit high and centred at x = 0, with y from 0 (top) to 1.
    /// Empty if no font is installed.
    package static func outline(of text: String, _ typeface: Typeface) -> Outline {
        let canvas = Canvas(width: 1, height: 1)
        let outline = fonts.withLock { _ in
            canvas.select(typeface, size: 100)
            cairo_text_path(canvas.context, text)
            return canvas.flatPath()
        }
        let points = outline.joined()
        guard let first = points.first else { return [] }
        let low = points.reduce(first) { pointwiseMin($0, $1) }
        let high = points.reduce(first) { pointwiseMax($0, $1) }
        guard high.y > low.y else { return [] }
        let origin = Point((low.x + high.x) / 2, low.y)
        return outline.map { $0.map { ($0 - origin) / (high.y - low.y) } }
    }

    private func select(_ typeface: Typeface, size: Double) {
        let slant = typeface.italic ? CAIRO_FONT_SLANT_ITALIC : CAIRO_FONT_SLANT_NORMAL
        cairo_select_font_face(
            context, typeface.family, slant, typeface.bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL
        )
        cairo_set_font_size(context, size)
    }

    /// The current path, with curves flattened to short lines.
    private func flatPath() -> Outline {
        guard let path = cairo_copy_path_flat(context) else { return [] }
        defer { cairo_path_destroy(path) }
        var outline: Outline = []
        var index = 0
        while index < Int(path.pointee.num_data) {
            let element = path.pointee.data + index
            let kind = element.pointee.header.type
            if kind == CAIRO_PATH_MOVE_TO { outline.append([]) }
            if kind == CAIRO_PATH_MOVE_TO || kind == CAIRO_PATH_LINE_TO {
                outline[outline.count - 1].append(
                    Point((element + 1).pointee.point.x, (element + 1).pointee.point.y))
            }
            index += Int(element.pointee.header.length)
        }
        return outline.filter { $0.count > 2 }
    }
}

// MARK: - Colour

extension Canvas {
    /// Components are from 0 to 1.
    package struct Colour: Sendable, Equatable {
        package var red, green, blue: Double
        package var alpha = 1.0

        package init(red: Double, green: Double, blue: Double) {
            self.red = red
            self.green = green
            self.blue = blue
        }

        /// 0xRRGGBB.
        package init(_ hex: UInt32) {
            self.init(
                red: Double(hex >> 16 & 255) / 255, green: Double(hex >> 8 & 255) / 255,
                blue: Double(hex & 255) / 255)
        }

        package static let black = Colour(0x000000)
        package static let white = Colour(0xFFFFFF)

        package var luminance: Double { 0.299 * red + 0.587 * green + 0.114 * blue }

        package func opacity(_ alpha: Double) -> Colour {
            var copy = self
            copy.alpha = alpha
            return copy
        }

        /// `share` is 0 for this colour, 1 for the other.
        package func mixed(with other: Colour, _ share: Double) -> Colour {
            Colour(
                red: red + (other.red - red) * share, green: green + (other.green - green) * share,
                blue: blue + (other.blue - blue) * share)
        }
    }
}
