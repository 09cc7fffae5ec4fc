import Foundation
import Jersey
import JerseyOutput

/// Draws a tracker's boxes and the numbers into a video.
package enum AnnotatedVideo {
    /// Decodes a video again and writes an annotated copy, without sound.
    ///
    /// - Parameters:
    ///   - predictions: of the tracks, or pieces of them.
    ///   - players: who they are, if they were sorted into teams. Boxes then have the colours of
    ///     their shirts, and those of officials are grey.
    ///   - video: must be at its start.
    ///   - progress: called after each frame; if it throws, the work ends and no file remains.
    /// - Throws: `FileError` if a file cannot be read or written.
    package static func write(
        _ predictions: [Prediction], _ boxes: TrackBoxes, players: PlayerTable? = nil,
        in video: VideoReader, to path: String,
        progress: () throws -> Void = {}
    ) throws {
        let known = BoxPredictions(predictions)
        let playerOfTrack = players.map { table in
            Dictionary(
                (table.players + table.unnumbered).flatMap { player in player.tracks.map { ($0, player) } },
                uniquingKeysWith: { first, _ in first })
        }
        func label(_ box: TrackBoxes.Box) -> Label {
            let prediction = known.prediction(
                ofTrack: boxes.tracks[Int(box.track)], frame: Int(box.frame) + boxes.firstFrame)
            guard let playerOfTrack else { return Self.label(prediction) }
            return Self.label(prediction.flatMap { playerOfTrack[$0.track] })
        }
        let writer = try VideoWriter(
            path, width: video.width, height: video.height, rate: video.rate,
            pixelAspect: video.pixelAspect)
        var rest = boxes.boxes[...]
        while let frame = try video.next() {
            let here = rest.prefix { $0.frame == frame.index }
            rest = rest.dropFirst(here.count)
            let image = try video.image()
            try writer.add(
                here.isEmpty ? image : annotated(image, here.map { ($0, label($0)) }),
                time: frame.time)
            try progress()
        }
        try writer.finish()
    }

    private struct Label {
        let text: String
        let colour: Canvas.Colour
    }

    /// "23 97%"; grey if no number was read.
    private static func label(_ prediction: Prediction?) -> Label {
        guard let number = prediction?.number, let confidence = prediction?.confidence else {
            return Label(text: "?", colour: Player.unknownShirt)
        }
        // Neighbouring numbers get distant colours. A number keeps its colour, however often its
        // track breaks.
        let colour = colours[number.index * 5 % colours.count]
        return Label(text: "\(number) \(Format.percent(confidence, places: 0))", colour: colour)
    }

    /// "23 Ann Lee" in the colour of the shirt; a frame without a label if no number was read.
    private static func label(_ player: Player?) -> Label {
        let isOfficial = player?.team == Teams.Side.other.rawValue && player?.number == nil
        let text = [player?.number?.description, player?.names.first].compactMap(\.self)
        return Label(
            text: text.joined(separator: " "),
            colour: isOfficial ? Player.unknownShirt : player?.shirt ?? Player.unknownShirt)
    }

    private static let colours: [Canvas.Colour] = [
        0x4E9AE8, 0xF28E2B, 0xE15759, 0x76D7C4, 0x59C14F, 0xEDC948, 0xC58BE0, 0xFF9DA7, 0xBAB0AC, 0xFFFFFF,
        0x9FD356,
    ].map { Canvas.Colour($0) }

    private static func annotated(_ image: RGBImage, _ boxes: [(box: TrackBoxes.Box, label: Label)])
        -> RGBImage
    {
        let canvas = Canvas(image)
        // Legible in a small frame, not too large in a big one.
        let size = max(11, Double(image.height) / 50)
        let line = max(1.5, size / 9)
        let typeface = Canvas.Typeface(family: "DejaVu Sans")
        for (box, label) in boxes {
            guard let area = box.area(width: image.width, height: image.height) else { continue }
            let (left, top) = (Double(area.left), Double(area.top))
            let (right, bottom) = (left + Double(area.width), top + Double(area.height))
            canvas.stroke(
                [[[left, top], [right, top], [right, bottom], [left, bottom]]], width: line, label.colour)
            guard !label.text.isEmpty else { continue }
            let width = canvas.textWidth(label.text, size: size, typeface) + size * 0.6
            // Above the box, or inside it at the upper edge of the frame; never beyond the sides.
            let y = top - size * 1.3 < 0 ? top : top - size * 1.3
            let x = max(0, min(left - line / 2, Double(image.width) - width))
            canvas.rectangle([x, y], [width, size * 1.3], label.colour)
            let ink: Canvas.Colour = label.colour.luminance > 0.45 ? .black : .white
            canvas.text(label.text, at: [x + size * 0.3, y + size], size: size, typeface, ink)
        }
        return canvas.image
    }
}
