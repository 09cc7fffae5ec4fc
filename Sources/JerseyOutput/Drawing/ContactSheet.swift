import Jersey

/// Sequences at a glance: one row each, with the answer at the left and an attention bar under each
/// frame.
package struct ContactSheet: Sendable, Equatable {
    package struct Frame: Sendable, Equatable {
        package var image: RGBImage
        package var caption: String?
        /// At least 0; bars are relative to the largest weight in the row.
        package var weight: Double?
        /// Left and top edge, width and height of a frame to draw in the image, in its pixels.
        package var box: SIMD4<Double>?

        package init(
            image: RGBImage, caption: String? = nil, weight: Double? = nil, box: SIMD4<Double>? = nil
        ) {
            self.image = image
            self.caption = caption
            self.weight = weight
            self.box = box
        }
    }

    package struct Row: Sendable, Equatable {
        /// Shown large, with the subtitle small below.
        package var title: String
        package var subtitle: String?
        package var frames: [Frame]

        package init(title: String, subtitle: String? = nil, frames: [Frame]) {
            self.title = title
            self.subtitle = subtitle
            self.frames = frames
        }
    }

    package var rows: [Row]
    /// Height of every frame, in pixels, at least 40; widths follow.
    package var frameHeight: Int

    package init(rows: [Row], frameHeight: Int = 112) {
        self.rows = rows
        self.frameHeight = frameHeight
    }

    /// Throws if the sheet would be too large for one image.
    package func image() throws -> RGBImage {
        let titles = titleWidth
        let width = Int(
            clamping: (margin + titles + (rows.map(framesWidth).max() ?? 0) + margin).rounded(.up))
        let height = Int(clamping: margin + rows.reduce(0) { $0 + self.height(of: $1) })
        guard max(width, height) <= Canvas.maximumSide, width * height <= Self.maximumPixels else {
            throw ContactSheetError.tooLarge(width: width, height: height)
        }
        let canvas = Canvas(width: width, height: height)
        canvas.fill(Style.paper)
        var top = margin
        for (index, row) in rows.enumerated() {
            if index > 0 {
                canvas.rectangle([margin, top - margin / 2], [Double(width) - 2 * margin, 1], Style.rule)
            }
            draw(row, on: canvas, top: top, titleWidth: titles)
            top += self.height(of: row)
        }
        return canvas.image
    }

    /// A larger sheet is no longer readable at a glance.
    static let maximumPixels = 64_000_000
}

// MARK: - Layout, in pixels

extension ContactSheet {
    private enum Style {
        static let plain = Canvas.Typeface(family: "DejaVu Sans", bold: false)
        static let bold = Canvas.Typeface(family: "DejaVu Sans")
        static let (titleSize, textSize, captionSize) = (34.0, 13.0, 10.0)
        static let paper = Canvas.Colour(0xFAFAF8)
        static let rule = Canvas.Colour(0xDDDDD8)
        static let ink = Canvas.Colour(0x1E2227)
        static let faint = Canvas.Colour(0x5B636C)
        static let bar = Canvas.Colour(0x2F6FB2)
        static let track = Canvas.Colour(0xEAEAE5)
    }

    private var margin: Double { 12 }
    private var gap: Double { 6 }
    /// A row without weights has no bars; its captions follow right below the frames.
    private func barHeight(_ row: Row) -> Double { row.frames.contains { $0.weight != nil } ? 28 : 0 }
    private func captionHeight(_ row: Row) -> Double { row.frames.contains { $0.caption != nil } ? 16 : 0 }
    private func height(of row: Row) -> Double {
        Double(frameHeight) + 4 + barHeight(row) + captionHeight(row) + margin
    }

    private var titleWidth: Double {
        let pen = Canvas(width: 1, height: 1)
        let widths = rows.flatMap { row in
            [
                pen.textWidth(row.title, size: Style.titleSize, Style.bold),
                pen.textWidth(row.subtitle ?? "", size: Style.textSize, Style.plain),
            ]
        }
        return (widths.max() ?? 0) + margin
    }

    private func width(of frame: Frame) -> Double {
        min(
            (Double(frameHeight) * Double(frame.image.width) / Double(frame.image.height)).rounded(.up),
            Double(frameHeight) * Self.widest)
    }

    /// The widest that a frame is drawn, in its heights; a wider one is squeezed.
    private static let widest = 4.0

    /// Leaves room for a short caption even below a narrow frame.
    private func room(for frame: Frame) -> Double {
        let caption = Canvas(width: 1, height: 1).textWidth(
            frame.caption ?? "", size: Style.captionSize, Style.plain)
        return max(width(of: frame), min(caption.rounded(.up), 60))
    }

    private func framesWidth(_ row: Row) -> Double {
        row.frames.reduce(0) { $0 + room(for: $1) + gap }
    }

    private func draw(_ row: Row, on canvas: Canvas, top: Double, titleWidth: Double) {
        canvas.text(
            row.title, at: [margin, top + Style.titleSize], size: Style.titleSize, Style.bold, Style.ink)
        canvas.text(
            row.subtitle ?? "", at: [margin, top + Style.titleSize + 1.6 * Style.textSize],
            size: Style.textSize, Style.plain,
            Style.faint)
        let (barHeight, rowHeight) = (barHeight(row), height(of: row))
        let most = row.frames.compactMap(\.weight).filter(\.isFinite).max() ?? 0
        var left = margin + titleWidth
        for frame in row.frames {
            let (width, room) = (width(of: frame), room(for: frame))
            canvas.draw(Canvas(frame.image), at: [left, top], size: [width, Double(frameHeight)])
            if let box = frame.box {
                let (x, y) = (
                    width / Double(frame.image.width), Double(frameHeight) / Double(frame.image.height)
                )
                draw(box * [x, y, x, y], at: [left, top], in: [width, Double(frameHeight)], on: canvas)
            }
            let barTop = top + Double(frameHeight) + 4
            if let weight = frame.weight {
                let share = most > 0 && weight.isFinite ? max(0, weight / most) : 0
                canvas.rectangle([left, barTop], [width, barHeight], Style.track)
                canvas.rectangle(
                    [left, barTop + barHeight * (1 - share)], [width, barHeight * share], Style.bar)
            }
            if let caption = frame.caption {
                // Clip the caption to its room.
                canvas.scoped {
                    canvas.clip(to: [
                        [
                            [left, top], [left + room, top], [left + room, top + rowHeight],
                            [left, top + rowHeight],
                        ]
                    ])
                    canvas.text(
                        caption, at: [left, barTop + barHeight + 12], size: Style.captionSize, Style.plain,
                        Style.faint)
                }
            }
            left += room + gap
        }
    }
}

extension ContactSheet {
    private func draw(
        _ box: SIMD4<Double>, at origin: Canvas.Point, in size: Canvas.Point, on canvas: Canvas
    ) {
        let first = (origin + [box.x, box.y]).clamped(lowerBound: origin, upperBound: origin + size)
        let last = (origin + [box.x + box.z, box.y + box.w]).clamped(
            lowerBound: origin, upperBound: origin + size)
        let corners: [Canvas.Point] = [first, [last.x, first.y], last, [first.x, last.y]]
        canvas.stroke([corners], width: 3, Style.paper)
        canvas.stroke([corners], width: 1.5, Style.bar)
    }
}

/// Why a sheet could not be drawn.
package enum ContactSheetError: Error, Equatable, CustomStringConvertible {
    case tooLarge(width: Int, height: Int)

    package var description: String {
        switch self {
        case .tooLarge(let width, let height):
            "a contact sheet of \(width)x\(height) pixels is too large; use fewer sequences or several sheets"
        }
    }
}
