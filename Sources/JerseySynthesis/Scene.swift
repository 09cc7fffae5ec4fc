import Foundation
import Jersey
import JerseyOutput

/// The constant parts of a track: the player, others nearby, and the camera.
struct Scene {
    private let athlete: Athlete
    private let shirt: ShirtTexture
    private let companions: [Companion]
    private let camera: Camera
    private let difficulty: Difficulty
    private let framing: Framing
    /// Whether the chest is shown rather than the back.
    private let showsChest: Bool
    /// Frame pixels per metre.
    private let density: Double
    private let edges: Edges
    /// Least width of a number crop, relative to its height.
    private let leastAspect: Double
    /// Where a crop of a shirt without a number is taken, relative to where a number would be.
    private let offset: SIMD2<Double>

    init(number: String?, renderer: SyntheticRenderer, using random: inout RandomStream) {
        framing = renderer.framing
        var difficulty = renderer.difficulty
        if framing == .number {
            // Detectors find only visible numbers.
            difficulty.turning *= 0.4
            difficulty.others *= 0.6
        }
        self.difficulty = difficulty
        let sport = difficulty.clutter > 0 ? Sport.random(using: &random) : .plain(using: &random)
        let athlete = Athlete(number: number, sport: sport, difficulty: difficulty, using: &random)
        self.athlete = athlete
        let kit = athlete.kit
        let wantsChest = kit.hasChestNumber && random.chance(0.45 * difficulty.clutter)
        let (low, high) = (log(renderer.height.lowerBound), log(renderer.height.upperBound))
        let height = exp(low + (high - low) * pow(random.uniform(), framing == .number ? 0.7 : 0.45))
        // On a small player, the small number on the chest would be nothing to read.
        let part = kit.area(onChest: true).size.y / (framing == .body ? 1.9 : 0.7)
        let showsChest = wantsChest && (framing == .number || height * part > 8)
        self.showsChest = showsChest
        leastAspect = random.uniform(0.4...0.95)
        let numberHeight = kit.area(onChest: showsChest).size.y
        let shown: Double
        switch framing {
        case .body:
            edges = .body(misboxed: difficulty.misboxed, using: &random)
            shown = 1.9 * athlete.size
        case .torso:
            edges = .torso(misboxed: difficulty.misboxed, using: &random)
            shown = athlete.length * (1 + edges.top + edges.bottom)
        case .number:
            let margins = Edges.number(difficulty.margins, using: &random)
            // Nobody can read a number lower than ten pixels.
            let room = (height / 10 - 1) / max(margins.top + margins.bottom, 1e-9)
            edges = margins * (.one * room.clamped(to: 0.1...1))
            shown = numberHeight * (1 + edges.top + edges.bottom)
        }
        density = height / shown
        camera = Camera(difficulty, numberHeight: density * numberHeight, using: &random)
        // Texels are as fine as the finest pixels that show them.
        let sampling = min(1.4, Double(Self.oversampling(height)))
        let fineness = (density * camera.resolution * sampling).clamped(to: 60...500)
        func texture(_ athlete: Athlete) -> ShirtTexture {
            ShirtTexture(
                athlete.kit, girth: athlete.girth, length: athlete.length, skin: athlete.skinColour,
                density: fineness)
        }
        shirt = texture(athlete)
        offset =
            number == nil && framing == .number
            ? SIMD2(random.normal(), random.normal()) * 0.4 * difficulty.clutter : .zero
        companions = [1, 0.45].prefix(while: { random.chance($0 * difficulty.others) }).map { _ in
            let other = JerseyNumber.all.randomElement(using: &random)?.description
            let outfit =
                random.chance(0.5)
                ? kit.worn(with: other, using: &random)
                : Kit(number: other, sport: sport, difficulty: difficulty, using: &random)
            let rival = Athlete(kit: outfit, sport: sport, difficulty: difficulty, using: &random)
            return Companion(athlete: rival, shirt: texture(rival))
        }
    }

    /// Gives a scene at least about a hundred rows of pixels.
    private static func oversampling(_ height: Double) -> Int {
        height > 280 ? 1 : height > 90 ? 2 : height > 35 ? 3 : 4
    }

    func rendered(frames: Int, isHidden: Bool, isSafe: Bool, using random: inout RandomStream) throws
        -> SyntheticSequence
    {
        let seconds = Double(frames - 1) * camera.interval
        let view: Motion.View = isHidden && random.chance(0.65) ? .front : (showsChest ? .chest : .back)
        let motion = Motion(
            seconds: seconds, view: view, sport: athlete.sport, difficulty: isSafe ? .easy : difficulty,
            using: &random)
        let walks = companions.map { _ in
            Companion.Walk(seconds: seconds, sport: athlete.sport, difficulty: difficulty, using: &random)
        }
        let scenery = Scenery(athlete.sport, difficulty: difficulty, using: &random)
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

            var bodies = [Body(tubes: athlete.tubes(pose), shirt: shirt, grain: athlete.grain)]
            if !isSafe {
                bodies += zip(companions, walks).map { companion, walk in
                    Body(
                        tubes: companion.athlete.tubes(walk.pose(at: time)), shirt: companion.shirt,
                        grain: companion.athlete.grain)
                }
            }
            var crop = crop(around: bodies[0].tubes, sizing: sizing)
            crop.shift(by: (drift * 0.02 + tremble * 0.01) * crop.size)
            result.append(
                try frame(
                    bodies, crop: crop, density: density * zoom, pose: pose, pan: pan, scenery: scenery,
                    moment: moment, using: &random))
        }
        return SyntheticSequence(frames: result)
    }

    private struct Body {
        let tubes: [Tube]
        let shirt: ShirtTexture
        let grain: SIMD2<Float>
    }

    // MARK: What is shown

    private func crop(around tubes: [Tube], sizing: Double) -> Crop {
        let view = camera.view()
        func points(_ tubes: some Sequence<Tube>) -> [SIMD3<Float>] {
            tubes.flatMap { $0.vertices.map { view.seen($0.place) } }
        }
        switch framing {
        case .body:
            var crop = Crop(around: points(tubes))
            crop.grow(by: edges * (crop.size * sizing))
            return crop
        case .torso:
            var crop = Crop(around: points(tubes.prefix(1)))
            crop.grow(by: edges * (crop.size * sizing))
            return crop
        case .number:
            let height = athlete.kit.area(onChest: showsChest).size.y
            var crop = Crop(around: numberPoints(of: tubes[0]))
            crop.grow(by: edges * SIMD2(height * sizing, height * sizing))
            // Single digits, and numbers seen from the side, are thin; detectors keep a least
            // width.
            let narrow = max(0, leastAspect * crop.size.y - crop.size.x) / 2
            crop.grow(by: Edges(left: narrow, right: narrow, top: 0, bottom: 0))
            crop.shift(by: offset * height)
            return crop
        }
    }

    /// Picture points of the number, or of where it would be, on the back or the chest.
    private func numberPoints(of shirt: Tube) -> [SIMD3<Float>] {
        let view = camera.view()
        func points(onChest: Bool) -> [SIMD3<Float>] {
            let area = athlete.kit.area(onChest: onChest)
            let middle = onChest ? 0 : 0.5
            return (0..<9).flatMap { across in
                (0..<5).compactMap { down in
                    let x = area.origin.x + area.size.x * Double(across) / 8
                    let u = middle + x / athlete.girth
                    let v = (area.origin.y + area.size.y * Double(down) / 4) / athlete.length
                    let vertex = shirt.vertex(u: u - u.rounded(.down), v: v)
                    return view.seen(vertex.normal).z > 0.1 ? view.seen(vertex.place) : nil
                }
            }
        }
        let wanted = points(onChest: showsChest)
        if wanted.count > 12 { return wanted }
        let other = points(onChest: !showsChest)
        // A slim body seen from the side shows neither.
        if wanted.isEmpty && other.isEmpty { return shirt.vertices.map { view.seen($0.place) } }
        return wanted.count >= other.count ? wanted : other
    }

    // MARK: A frame

    private func frame(
        _ bodies: [Body], crop: Crop, density: Double, pose: Pose, pan: Double, scenery: Scenery,
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
        let view = camera.view(left: crop.left, top: crop.top, density: fine)

        var raster = Raster(
            background(
                scenery, crop: crop, columns: columns, rows: rows, factor: factor, pose: pose, pan: pan))
        if scenery.roughness.strength > 0 {
            let scale = scenery.roughness.scale
            let place = SIMD2(crop.left + pan, -crop.top) / scale
            raster.roughen(
                strength: scenery.roughness.strength, scale: SIMD2<Float>(scale * fine),
                offset: SIMD2<Float>(place))
        }
        for (index, body) in bodies.enumerated() {
            raster.draw(
                body.tubes, body.shirt, body: UInt8(index + 1), grain: body.grain, in: view, camera.light)
        }

        if let net = scenery.net { raster.cover(with: net, in: view) }

        let scale = Double(width) / Double(columns * factor)
        let (player, _) = raster.bodies.box(in: raster.width, scale: scale) { $0 == 1 }
        // From straight ahead, a curved body shows about 90% of the number's area.
        let most = 0.9 * fine * fine * cos(camera.pitch)
        let back = raster.number.box(in: raster.width, scale: scale) { $0 > 0.5 }
        let chest = raster.number.box(in: raster.width, scale: scale) { $0 < -0.5 }
        let backShare = shirt.backArea > 0 ? Double(back.count) / (most * shirt.backArea) : 0
        let chestShare = shirt.chestArea > 0 ? Double(chest.count) / (most * shirt.chestArea) : 0
        let visibility = min(1, max(backShare, chestShare))
        let jpeg = try camera.frame(
            raster, oversampling: factor, width: width, height: height, moment: moment, using: &random)
        return .init(
            jpeg: jpeg, visibility: visibility, numberBox: backShare >= chestShare ? back.0 : chest.0,
            playerBox: player, legibility: visibility * moment.sharpness)
    }

    /// The ground and what stands on it. What is out of focus is drawn coarsely.
    private func background(
        _ scenery: Scenery, crop: Crop, columns: Int, rows: Int, factor: Int, pose: Pose, pan: Double
    ) -> Canvas {
        let whole = SIMD2(Double(columns * factor), Double(rows * factor))
        let coarseness = rows < 60 ? 1 : scenery.coarseness
        let canvas = Canvas(width: max(4, columns / coarseness), height: max(4, rows / coarseness))
        canvas.scale(SIMD2(Double(canvas.width), Double(canvas.height)) / crop.size)
        canvas.translate([-crop.left, crop.top])
        canvas.rotate(-camera.roll, around: .zero)
        // A rotated picture shows corners from farther away.
        let rim = camera.roll == 0 ? 0 : 0.4 * max(crop.size.x, crop.size.y) + 0.3
        scenery.paint(
            on: canvas, shift: pan, left: crop.left - rim, top: -crop.top - rim, size: crop.size + 2 * rim)
        scenery.paintShadow(on: canvas, at: pose.place.x)
        let large = Canvas(width: columns * factor, height: rows * factor)
        large.draw(canvas, at: .zero, size: whole)
        return large
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
