import Foundation
import Jersey
import JerseyOutput

/// What a frame shows.
package enum Framing: String, Sendable, CaseIterable {
    /// The player from head to foot, as trackers crop them.
    case body
    /// The number with a margin, as number detectors crop it.
    case number
    /// A fixed-size crop of a whole player around a roughly located number, as `NumberFinder`
    /// makes.
    case glance
}

/// A rendered player over a few frames, in temporal order.
package struct SyntheticSequence: Sendable {
    package struct Frame: Sendable {
        package let jpeg: Data
        /// From 0 (the number is not visible at all) to 1 (seen from straight behind,
        /// unobstructed).
        package let visibility: Double
        /// Around the visible part of the number; nil if nothing is visible.
        package let numberBox: Box?
        /// Around the visible part of the player.
        package let playerBox: Box?
        /// How legible the number is, from 0 to 1, from visibility and sharpness.
        let legibility: Double
    }

    /// In frame pixels.
    package struct Box: Sendable, Equatable {
        package var left, top, width, height: Double
    }

    package let frames: [Frame]
    /// Index of the frame that shows the number best.
    package var anchor: Int { frames.indices.max { frames[$0].legibility < frames[$1].legibility } ?? 0 }
}

/// Renders players in shirts with numbers: images free of any licence.
///
/// A sequence depends only on the seed and its indices, so it can be rendered on any thread in any
/// order.
package struct SyntheticRenderer: Sendable {
    package var seed: UInt64
    package var framing: Framing
    package var difficulty: Difficulty
    /// Heights in pixels, of frames or of the players that frames are cut from. Each track draws
    /// its own.
    package var height: ClosedRange<Double>

    /// - Parameter height: nil uses the difficulty's.
    package init(
        seed: UInt64, framing: Framing = .body, difficulty: Difficulty = .real,
        height: ClosedRange<Double>? = nil
    ) {
        self.seed = seed
        self.framing = framing
        self.difficulty = difficulty
        self.height = height ?? (framing == .number ? difficulty.numberHeight : difficulty.bodyHeight)
    }

    /// Sequences of one `track` share the player, the kit and the camera; `sequence` varies the
    /// motion.
    ///
    /// - Parameters:
    ///   - number: "0"..."9" or "00"..."99"; nil for a player whose number is never visible.
    ///   - frames: the number of frames, at least 1.
    package func sequence(number: String?, track: Int, sequence: Int, frames: Int) throws -> SyntheticSequence
    {
        var random = RandomStream(seed, UInt64(track))
        let scene = Scene(number: number, renderer: self, using: &random)
        var rendered = SyntheticSequence(frames: [])
        // If the number stays hidden throughout, try another motion, and finally an easy one.
        for attempt in 0..<4 as Range<UInt64> {
            var random = RandomStream(seed, UInt64(track), UInt64(sequence), attempt)
            rendered = try scene.rendered(
                frames: frames, isHidden: number == nil, isSafe: attempt == 3, using: &random)
            if number == nil || rendered.frames.contains(where: { $0.visibility > 0.4 }) { break }
        }
        return rendered
    }
}

/// The constant parts of a track: the player, others nearby, and the camera.
private struct Scene {
    let athlete: Athlete
    let shirt: ShirtTexture
    let rival: (athlete: Athlete, shirt: ShirtTexture)?
    let camera: Camera
    let difficulty: Difficulty
    let framing: Framing
    /// Frame pixels per metre.
    let density: Double
    /// Margins beside, and above and below the number, relative to its height.
    let margin: SIMD2<Double>
    /// Least width of a number crop, relative to its height.
    let leastAspect: Double

    init(number: String?, renderer: SyntheticRenderer, using random: inout RandomStream) {
        framing = renderer.framing
        var difficulty = renderer.difficulty
        if framing == .number {
            // Detectors find only visible numbers.
            difficulty.turning *= 0.4
            difficulty.crossing *= 0.5
        }
        self.difficulty = difficulty
        let sport = Sport.random(using: &random)
        athlete = Athlete(number: number, sport: sport, difficulty: difficulty, using: &random)
        camera = Camera(difficulty, using: &random)
        let (low, high) = (log(renderer.height.lowerBound), log(renderer.height.upperBound))
        let height = exp(random.uniform(low...high))
        margin = SIMD2(random.uniform(0.04...0.3), random.uniform(0.03...0.25))
        leastAspect = random.uniform(0.45...0.95)
        let shown = framing == .number ? athlete.kit.numberSize.y * (1 + 2 * margin.y) : 1.9 * athlete.size
        density = height / shown
        // Texels are as fine as the finest pixels that show them.
        let fineness = (density * camera.resolution * Double(Self.oversampling(height))).clamped(to: 60...700)
        func texture(_ athlete: Athlete) -> ShirtTexture {
            ShirtTexture(athlete.kit, girth: athlete.girth, length: athlete.length, density: fineness)
        }
        shirt = texture(athlete)
        if random.chance(difficulty.crossing) {
            // If no number may be visible, the other player has none either.
            let other = number == nil ? nil : JerseyNumber.all.randomElement(using: &random)!.description
            let rival = Athlete(number: other, sport: sport, difficulty: difficulty, using: &random)
            self.rival = (rival, texture(rival))
        } else {
            rival = nil
        }
    }

    /// Gives a scene at least about a hundred rows of pixels.
    private static func oversampling(_ height: Double) -> Int { height > 90 ? 2 : height > 35 ? 3 : 4 }

    func rendered(frames: Int, isHidden: Bool, isSafe: Bool, using random: inout RandomStream) throws
        -> SyntheticSequence
    {
        let seconds = Double(frames - 1) * camera.interval
        let view: Motion.View = isHidden && random.chance(0.65) ? .front : .back
        let motion = Motion(
            seconds: seconds, view: view, sport: athlete.sport, difficulty: isSafe ? .easy : difficulty,
            using: &random)
        let crossing = Crossing(
            seconds: seconds, sport: athlete.sport, difficulty: difficulty, using: &random)
        let scenery = Scenery(athlete.sport.ground, using: &random)
        let looseness = random.uniform(0.02...0.12)
        var (drift, pan, zoom) = (SIMD2(random.normal(), random.normal()) * 0.5, 0.0, 1.0)
        let zooming = random.normal() * 0.06 / Double(max(1, frames))
        var result: [SyntheticSequence.Frame] = []
        for index in 0..<frames {
            let time = Double(index) * camera.interval
            let pose = motion.pose(at: time)
            let moment = camera.moment(using: &random)
            // Tracker boxes drift slowly and jitter.
            drift = drift * 0.85 + SIMD2(random.normal(), random.normal()) * 0.5
            let tremble = SIMD2(random.normal(), random.normal())
            let sizing = 1 + 0.03 * random.normal()
            pan += motion.velocity(at: time) * camera.interval
            zoom += zooming

            let tubes = athlete.tubes(pose)
            var all = [(tubes, shirt)]
            if let rival, !isSafe { all.append((rival.athlete.tubes(crossing.pose(at: time)), rival.shirt)) }
            var crop = crop(around: tubes, looseness: looseness, sizing: sizing)
            crop.shift(by: (drift * 0.02 + tremble * 0.01) * crop.size)
            if framing == .glance {
                let error = SIMD2(random.normal(), random.normal()) * 0.04 * crop.size.y
                crop = crop.cut(
                    around: Crop(around: numberPoints(of: tubes[0])).middle + error,
                    side: 0.25 * crop.size.y)
            }
            result.append(
                try frame(
                    all, crop: crop, density: density * zoom, pose: pose, pan: pan, scenery: scenery,
                    moment: moment,
                    using: &random))
        }
        return SyntheticSequence(frames: result)
    }

    /// In metres of the picture, y up.
    private struct Crop {
        var left, top: Double
        var size: SIMD2<Double>

        mutating func shift(by way: SIMD2<Double>) {
            left += way.x
            top += way.y
        }

        init(around points: [SIMD3<Float>]) {
            let xs = points.map { Double($0.x) }
            let ys = points.map { Double($0.y) }
            left = xs.min()!
            top = ys.max()!
            size = SIMD2(xs.max()! - left, top - ys.min()!)
        }

        mutating func grow(by margin: SIMD2<Double>) {
            shift(by: SIMD2(-margin.x, margin.y))
            size += 2 * margin
        }

        var middle: SIMD2<Double> { SIMD2(left + size.x / 2, top - size.y / 2) }

        /// A square around a place, clipped to this crop. A place outside is moved inside first.
        func cut(around place: SIMD2<Double>, side: Double) -> Crop {
            let x = place.x.clamped(to: left...left + size.x)
            let y = place.y.clamped(to: top - size.y...top)
            var cut = self
            cut.left = max(left, x - side / 2)
            cut.top = min(top, y + side / 2)
            cut.size = SIMD2(
                min(left + size.x, x + side / 2) - cut.left, cut.top - max(top - size.y, y - side / 2))
            return cut
        }
    }

    private func crop(around tubes: [Tube], looseness: Double, sizing: Double) -> Crop {
        var crop: Crop
        switch framing {
        case .body, .glance:
            crop = Crop(around: tubes.flatMap { $0.vertices.map { seen($0.place) } })
            crop.grow(by: crop.size * SIMD2(looseness * 1.5, looseness) * sizing)
        case .number:
            crop = Crop(around: numberPoints(of: tubes[0]))
            crop.grow(by: margin * athlete.kit.numberSize.y * sizing)
            // Single digits, and numbers seen from the side, are thin; detectors keep a least
            // width.
            let narrow = leastAspect * crop.size.y - crop.size.x
            if narrow > 0 { crop.grow(by: SIMD2(narrow / 2, 0)) }
        }
        return crop
    }

    private func seen(_ point: SIMD3<Float>) -> SIMD3<Float> {
        Raster.View(left: 0, top: 0, density: 1, sine: sin(camera.pitch), cosine: cos(camera.pitch)).seen(
            point)
    }

    /// Picture points of the visible number, on the back or the chest.
    private func numberPoints(of shirt: Tube) -> [SIMD3<Float>] {
        let size = athlete.kit.numberSize
        let halfWidth = athlete.kit.number.joined().reduce(0.25) { max($0, abs($1.x)) } * size.x
        func points(from middle: Double) -> [SIMD3<Float>] {
            (0..<9).flatMap { across in
                (0..<5).compactMap { down in
                    let u = middle + halfWidth * (Double(across) / 4 - 1) / athlete.girth
                    let v = (athlete.kit.numberTop + size.y * Double(down) / 4) / athlete.length
                    let vertex = shirt.vertex(u: u - u.rounded(.down), v: v)
                    return seen(vertex.normal).z > 0.1 ? seen(vertex.place) : nil
                }
            }
        }
        let (back, chest) = (points(from: 0.5), points(from: 0))
        // A slim body seen from the side shows neither.
        if back.isEmpty && chest.isEmpty { return shirt.vertices.map { seen($0.place) } }
        return back.count * 2 >= chest.count ? back : chest
    }

    private func frame(
        _ bodies: [([Tube], ShirtTexture)], crop: Crop, density: Double, pose: Pose, pan: Double,
        scenery: Scenery,
        moment: Camera.Moment, using random: inout RandomStream
    ) throws -> SyntheticSequence.Frame {
        let sensor = (crop.size * density * camera.resolution).rounded(.toNearestOrAwayFromZero)
        let (columns, rows) = (max(6, Int(sensor.x)), max(6, Int(sensor.y)))
        let (width, height) = (
            Int((Double(columns) / camera.resolution).rounded()),
            Int((Double(rows) / camera.resolution).rounded())
        )
        let factor = Self.oversampling(Double(height))
        let fine = density * camera.resolution * Double(factor)
        let view = Raster.View(
            left: crop.left, top: crop.top, density: fine, sine: sin(camera.pitch), cosine: cos(camera.pitch))

        let canvas = Canvas(width: columns * factor, height: rows * factor)
        canvas.scale([fine, fine])
        canvas.translate([-crop.left, crop.top])
        scenery.paint(
            on: canvas, shift: pan, left: crop.left, top: -crop.top,
            size: SIMD2(Double(columns * factor), Double(rows * factor)) / fine)
        scenery.paintShadow(on: canvas, at: pose.place.x)
        var raster = Raster(canvas)
        for (index, body) in bodies.enumerated() {
            raster.draw(body.0, body.1, body: UInt8(index + 1), in: view, camera.light)
        }

        let scale = Double(width) / Double(columns * factor)
        let (number, area) = raster.number.box(in: raster.width, scale: scale) { $0 > 0.5 }
        let (player, _) = raster.bodies.box(in: raster.width, scale: scale) { $0 == 1 }
        // From straight behind, a curved back shows about 90% of the number's area.
        let most = 0.9 * shirt.numberArea * fine * fine * cos(camera.pitch)
        let visibility = most > 0 ? min(1, Double(area) / most) : 0
        let jpeg = try camera.frame(
            raster, oversampling: factor, width: width, height: height, moment: moment, using: &random)
        return .init(
            jpeg: jpeg, visibility: visibility, numberBox: number, playerBox: player,
            legibility: visibility * moment.sharpness)
    }
}

/// Another player who walks past, in front or behind.
private struct Crossing {
    private let motion: Motion
    private let start, speed, depth, moment: Double

    init(seconds: Double, sport: Sport, difficulty: Difficulty, using random: inout RandomStream) {
        motion = Motion(
            seconds: seconds, view: random.chance(0.5) ? .back : .front, sport: sport, difficulty: difficulty,
            using: &random)
        moment = random.uniform(0...seconds)
        start = random.uniform(-0.7...0.7)
        speed = random.uniform(0.2...1.6) * (random.chance(0.5) ? 1 : -1)
        depth = random.uniform(0.5...1.1) * (random.chance(0.5) ? 1 : -1)
    }

    func pose(at time: Double) -> Pose {
        var pose = motion.pose(at: time)
        pose.place = SIMD2(start + speed * (time - moment), depth)
        return pose
    }
}

extension Tube {
    /// Interpolates between corners; only place and normal are valid.
    fileprivate func vertex(u: Double, v: Double) -> Vertex {
        let x = u.clamped(to: 0...1) * Double(columns - 1)
        let y = v.clamped(to: 0...1) * Double(rows - 1)
        let (left, top) = (min(Int(x), columns - 2), min(Int(y), rows - 2))
        let (s, t) = (Float(x) - Float(left), Float(y) - Float(top))
        func mixed(_ value: (Vertex) -> SIMD3<Float>) -> SIMD3<Float> {
            let corner = top * columns + left
            let upper = value(vertices[corner]) * (1 - s) + value(vertices[corner + 1]) * s
            let lower =
                value(vertices[corner + columns]) * (1 - s) + value(vertices[corner + columns + 1]) * s
            return upper * (1 - t) + lower * t
        }
        return Vertex(place: mixed(\.place), normal: mixed(\.normal), colour: .zero)
    }
}

extension Array {
    /// The bounding box of matching pixels, times `scale`, and their count.
    fileprivate func box(in width: Int, scale: Double, where counts: (Element) -> Bool) -> (
        SyntheticSequence.Box?, count: Int
    ) {
        var (left, right, top, bottom, count) = (Int.max, -1, Int.max, -1, 0)
        for index in indices where counts(self[index]) {
            let (x, y) = (index % width, index / width)
            left = Swift.min(left, x)
            right = Swift.max(right, x)
            top = Swift.min(top, y)
            bottom = Swift.max(bottom, y)
            count += 1
        }
        guard count > 0 else { return (nil, 0) }
        let box = SyntheticSequence.Box(
            left: Double(left) * scale, top: Double(top) * scale, width: Double(right + 1 - left) * scale,
            height: Double(bottom + 1 - top) * scale)
        return (box, count)
    }
}
