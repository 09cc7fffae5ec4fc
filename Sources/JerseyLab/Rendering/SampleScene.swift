import Foundation
import Jersey

/// What a track keeps: the player, the kit, the number on it, and how the crop is framed. Lengths are in metres.
struct SampleTrack: Sendable {
    typealias Colour = Canvas.Colour

    enum Pattern: CaseIterable { case plain, stripes, hoops, sash }

    // The kit
    let shirt, trim, shorts, socks: Colour
    let pattern: Pattern
    /// Unit outlines, see `Canvas.outline(of:_:)`.
    let number, name: Canvas.Outline
    let numberColour: Colour
    let borderColour: Colour?
    /// Width is a stretch of the typeface's own proportions.
    let numberHeight, numberStretch, numberTop: Double

    // The player
    let skin, hair: Colour
    let build: Double

    // The crop
    let top, span, aspect: Double
    /// Of the crop, in pixels.
    let height: Double
    let noise, contrast, brightness: Double

    init(number text: String, using random: inout RandomStream) {
        let typeface = Self.typefaces.randomElement(using: &random)!
        shirt = Self.kitColours.randomElement(using: &random)!
        pattern = random.chance(0.5) ? .plain : Pattern.allCases.randomElement(using: &random)!
        trim = shirt.mixed(with: Self.kitColours.randomElement(using: &random)!, random.uniform(0.15...0.45))
        shorts = random.chance(0.4) ? shirt : Self.kitColours.randomElement(using: &random)!
        socks = random.chance(0.5) ? shirt : shorts
        let (shirt, trim) = (shirt, trim)  // the closure below cannot use self yet
        let readable = Self.kitColours.filter {
            abs($0.luminance - shirt.luminance) > 0.35 && abs($0.luminance - trim.luminance) > 0.25
        }
        let colour = readable.randomElement(using: &random) ?? (shirt.luminance > 0.5 ? .black : .white)
        numberColour = colour
        borderColour = random.chance(0.35) ? (colour.luminance > 0.5 ? .black : .white) : nil
        number = Canvas.outline(of: text, typeface)
        let letters = (0..<Int(random.uniform(4...9))).map { _ in "ABCDEFGHIKLMNOPRSTUVWZ".randomElement(using: &random)! }
        name = random.chance(0.5) ? Canvas.outline(of: String(letters), typeface) : []
        numberHeight = random.uniform(0.25...0.34)
        // Two digits of a wide typeface must still fit between the shoulder blades.
        let width = number.joined().reduce(0) { max($0, abs($1.x)) } * 2
        numberStretch = min(random.uniform(0.85...1.1), 0.37 / (numberHeight * max(width, 0.1)))
        numberTop = random.uniform(0.13...0.19)

        skin = Self.skinColours.randomElement(using: &random)!
        hair = Self.hairColours.randomElement(using: &random)!
        build = random.uniform(0.92...1.1)

        switch random.uniform() {
        case ..<0.45:  // from head to foot
            (top, span, aspect) = (-0.38, 1.95, random.uniform(0.42...0.52))
            height = random.uniform(96...160)
        case ..<0.8:  // from head to hip
            (top, span, aspect) = (-0.36, 1.15, random.uniform(0.52...0.64))
            height = random.uniform(76...150)
        default:  // the back
            (top, span, aspect) = (-0.12, 0.85, random.uniform(0.6...0.72))
            height = random.uniform(60...120)
        }
        noise = random.uniform(1...7)
        contrast = random.uniform(0.75...1.1)
        brightness = random.uniform(-22...18)
    }

    static let typefaces: [Canvas.Typeface] = [
        .init(family: "DejaVu Sans"), .init(family: "DejaVu Sans Condensed"), .init(family: "DejaVu Serif"),
        .init(family: "DejaVu Sans Condensed", italic: true), .init(family: "Liberation Sans"),
        .init(family: "Liberation Sans", italic: true), .init(family: "Liberation Sans Narrow"),
        .init(family: "Liberation Serif"),
    ]
    static let kitColours: [Colour] = [
        0xF4F4F2, 0x16181C, 0xC8102E, 0x7A0019, 0x0B3D91, 0x6CABDD, 0x1B1F4B, 0xFFD200, 0xF58220, 0x00703C, 0x6A2C91, 0x8C8F93,
        0xF7A8C4,
        0x00A6A0,
    ].map { Colour($0) }
    static let skinColours: [Colour] = [0xF1C9A5, 0xE0AC85, 0xB97F56, 0x8A5733, 0x5A3822].map { Colour($0) }
    static let hairColours: [Colour] = [0x14110F, 0x2E2019, 0x5A3D28, 0xA8824F, 0x777777].map { Colour($0) }
}

/// What changes from sequence to sequence: a smooth motion over the frames, around one frame that shows the number well.
struct SampleMotion: Sendable {
    /// A sine over the frames of a sequence.
    private struct Wave {
        let amplitude, period, phase: Double

        /// The period is in frames.
        init(_ amplitude: ClosedRange<Double>, period: ClosedRange<Double>, using random: inout RandomStream) {
            self.amplitude = random.uniform(amplitude)
            self.period = random.uniform(period)
            phase = random.uniform(0...(2 * .pi))
        }

        func callAsFunction(_ frame: Int) -> Double { amplitude * sin(2 * .pi * Double(frame) / period + phase) }
    }

    private let best: Int
    private let facing, lean, stridePhase, cadence, pan, sharpness: Double
    private let turn, sway, rise, tilt, zoom, room, light: Wave

    init(frames: Int, using random: inout RandomStream) {
        best = Int(random.uniform() * Double(frames))
        facing = random.normal() * 0.13
        lean = random.normal() * 0.05
        stridePhase = random.uniform(0...(2 * .pi))
        cadence = random.uniform(0.15...0.5)
        pan = random.normal() * 0.04
        sharpness = random.uniform(0.75...1)
        turn = Wave(0.1...0.9, period: 14...40, using: &random)
        sway = Wave(0...0.04, period: 8...20, using: &random)
        rise = Wave(0...0.03, period: 6...12, using: &random)
        tilt = Wave(0...0.08, period: 10...24, using: &random)
        zoom = Wave(0...0.1, period: 20...50, using: &random)
        room = Wave(0...0.08, period: 8...30, using: &random)
        light = Wave(0...10, period: 12...40, using: &random)
    }

    /// The pose of one frame; `random` adds what is not smooth, the shake of the crop and the blur.
    func pose(frame: Int, using random: inout RandomStream) -> SamplePose {
        // Frames away from the best one are sometimes blurred, along one direction more than along the other.
        let blurred = frame != best && random.chance(0.3)
        let blur = SIMD2(random.uniform(0.35...0.9), random.uniform(0.45...0.95))
        return SamplePose(
            yaw: facing + turn(frame) - turn(best),
            lean: lean + tilt(frame),
            stride: stridePhase + cadence * Double(frame),
            shift: SIMD2(sway(frame) + random.normal() * 0.012, rise(frame) + random.normal() * 0.012),
            zoom: 1 + zoom(frame),
            room: 1 + room(frame),
            pan: pan * Double(frame),
            light: light(frame) + random.normal(),
            sharpness: blurred ? blur * sharpness : SIMD2(repeating: sharpness)
        )
    }
}

/// The state of one frame.
struct SamplePose: Sendable {
    /// Turn of the torso about its axis in radians: 0 shows the back, positive turns its left edge (as seen) to the camera.
    var yaw: Double
    /// Rotation in the picture, in radians.
    var lean: Double
    /// Phase of the running cycle, in radians.
    var stride: Double
    /// Of the crop against the player, in metres.
    var shift: SIMD2<Double>
    /// Of the camera; it changes the size of the crop.
    var zoom: Double
    /// How loosely the crop fits, around 1; it changes the size of the player within.
    var room: Double
    /// Of the camera along the background, in metres.
    var pan: Double
    /// Added to every pixel (0 to 255).
    var light: Double
    /// Resolved detail along x and y, from 0 to 1 of the crop's pixels.
    var sharpness: SIMD2<Double>

    /// How well the number can be read, from 0 to 1; the anchor has the most.
    var legibility: Double { max(0, cos(yaw)) * sharpness.min() }
}
