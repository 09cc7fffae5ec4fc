import Foundation
import Jersey

/// Draws the frames of a match. Frames do not depend on each other.
struct MatchPainter: Sendable {
    /// What is to be drawn.
    struct Moment: Sendable {
        /// From 0.
        var frame: Int
        /// Seconds.
        var time: Double
        var camera: BroadcastCamera
        var people: [MatchPlay.Person]
    }

    /// Somebody in the picture.
    struct Appearance: Sendable, Equatable {
        /// Index of the person.
        var person: Int
        /// Around the whole body, as far as it is inside the picture.
        var box: SyntheticSequence.Box
        /// Share of what is inside the picture that nobody hides.
        var visibility: Double
    }

    struct Drawing: Sendable {
        var image: RGBImage
        /// In the order of the people.
        var appearances: [Appearance]
        /// For each pixel, the index of the person who is foremost there, or `nobody`.
        var foremost: [UInt8]

        static let nobody = UInt8.max
    }

    let stadium: Stadium
    let cast: MatchCast
    let seed: UInt64
    /// What lens, sensor and transmission do to the picture; blur in pixels of a picture 720 high,
    /// noise in levels of 255.
    private let blur, noise, contrast, saturation, exposure: Double

    init(stadium: Stadium, cast: MatchCast, using random: inout RandomStream) {
        (self.stadium, self.cast) = (stadium, cast)
        seed = random.next()
        blur = random.uniform(0.35...0.6)
        noise = random.uniform(0.8...2.5)
        contrast = random.uniform(0.95...1.15)
        saturation = random.uniform(0.85...1.25)
        exposure = random.uniform(0.92...1.1)
    }

    /// A body as a camera sees it.
    private struct Body {
        let index: Int
        let tubes: [Tube]
        /// Where the feet are in the picture, and how far away, in metres.
        let feet: SIMD3<Double>
        /// Its `left` and `top` are not set.
        var view: Raster.View
        /// Level unit vectors of the picture: to the right, and to the camera.
        let right, toCamera: SIMD2<Double>
        let person: MatchPlay.Person
        /// Left, top, right and bottom in the picture, in pixels, not cut off.
        let (low, high): (SIMD2<Double>, SIMD2<Double>)

        /// The same direction in the body's own system.
        func local(_ way: SIMD3<Double>) -> SIMD3<Double> {
            let level = SIMD2(way.x, way.z)
            return [(level * right).sum(), way.y, (level * toCamera).sum()]
        }
    }

    func draw(_ moment: Moment) -> Drawing {
        let camera = moment.camera
        var picture = stadium.picture(from: camera)
        let bodies = moment.people.indices.compactMap { body($0, moment) }
            .sorted { $0.feet.z > $1.feet.z }
        for body in bodies { drawShadows(of: body, on: &picture) }
        // Who is foremost in each pixel, and how many pixels each one would fill alone.
        var foremost = [UInt8](repeating: Drawing.nobody, count: picture.pixels.count)
        var whole = [Int](repeating: 0, count: moment.people.count)
        for body in bodies { draw(body, on: &picture, &foremost, &whole[body.index]) }
        var seen = [Int](repeating: 0, count: 256)
        for person in foremost { seen[Int(person)] += 1 }

        let limit = SIMD2(Double(camera.width), Double(camera.height))
        let appearances = bodies.filter { whole[$0.index] > 0 }.compactMap { body -> Appearance? in
            let low = body.low.clamped(lowerBound: .zero, upperBound: limit)
            let high = body.high.clamped(lowerBound: .zero, upperBound: limit)
            // Less than a pixel at the edge of the picture is nobody.
            guard (high - low).min() >= 1 else { return nil }
            return Appearance(
                person: body.index,
                box: .init(left: low.x, top: low.y, width: high.x - low.x, height: high.y - low.y),
                visibility: Double(seen[body.index]) / Double(whole[body.index]))
        }
        var random = RandomStream(seed, UInt64(moment.frame))
        expose(&picture)
        picture.blur(deviation: blur * Double(camera.height) / 720)
        picture.addNoise(deviation: noise, chroma: 0.5, using: &random)
        return Drawing(
            image: picture.image, appearances: appearances.sorted { $0.person < $1.person },
            foremost: foremost)
    }

    /// Nil for somebody who is out of the picture.
    private func body(_ index: Int, _ moment: Moment) -> Body? {
        let (camera, person) = (moment.camera, moment.people[index])
        let place = SIMD3(person.place.x, 0, person.place.y)
        let feet = camera.seen(place)
        let hips = camera.seen(place + [0, 0.9, 0])
        let density = camera.focal / hips.z
        let margin = 3 * density
        guard feet.z > 3, -margin...(Double(camera.width) + margin) ~= feet.x,
            -margin...(Double(camera.height) + 2 * margin) ~= feet.y
        else { return nil }
        let way = SIMD2(camera.place.x - place.x, camera.place.z - place.z)
        let toCamera = way / way.length
        let elevation = atan2(camera.place.y - 0.9, way.length)
        let view = Raster.View(
            left: 0, top: 0, density: density, sine: sin(elevation), cosine: cos(elevation))
        let tubes = cast.members[index].athlete.tubes(person.pose(at: moment.time, toCamera: toCamera))
        var low = SIMD2<Float>(repeating: .infinity)
        var high = -low
        for tube in tubes {
            for vertex in tube.vertices {
                let seen = view.seen(vertex.place)
                low = pointwiseMin(low, SIMD2(seen.x, -seen.y))
                high = pointwiseMax(high, SIMD2(seen.x, -seen.y))
            }
        }
        let origin = SIMD2(feet.x, feet.y)
        return Body(
            index: index, tubes: tubes, feet: feet, view: view, right: [toCamera.y, -toCamera.x],
            toCamera: toCamera, person: person, low: origin + SIMD2<Double>(low) * density,
            high: origin + SIMD2<Double>(high) * density)
    }

    // MARK: Parts of the picture

    /// Whole pixels of the picture.
    private struct Area {
        let left, top, width, height: Int

        /// Around corners; nil outside the picture.
        init?(_ low: SIMD2<Double>, _ high: SIMD2<Double>, margin: Int = 0, in picture: Picture) {
            left = max(0, Int(low.x.rounded(.down)) - margin)
            top = max(0, Int(low.y.rounded(.down)) - margin)
            width = min(picture.width, Int(high.x.rounded(.up)) + margin) - left
            height = min(picture.height, Int(high.y.rounded(.up)) + margin) - top
            guard width > 0, height > 0 else { return nil }
        }

        /// How a body is seen when the area is `finer` times as large.
        func view(_ body: Body, finer: Int) -> Raster.View {
            var view = body.view
            view.left = (Double(left) - body.feet.x) / view.density
            view.top = (body.feet.y - Double(top)) / view.density
            view.density *= Double(finer)
            return view
        }
    }

    private func draw(
        _ body: Body, on picture: inout Picture, _ foremost: inout [UInt8], _ whole: inout Int
    ) {
        guard let area = Area(body.low, body.high, in: picture) else { return }
        let finer = body.view.density > 55 ? 2 : 3
        let member = cast.members[body.index]
        var light = stadium.light
        light.way = SIMD3<Float>(body.local(SIMD3<Double>(light.way)))
        var raster = Raster(width: area.width * finer, height: area.height * finer)
        let view = area.view(body, finer: finer)
        raster.draw(
            body.tubes, member.shirt(view.density), body: 1, grain: member.athlete.grain, in: view, light)
        let brightness = stadium.brightness(Float(body.person.place.x), Float(body.person.place.y))
        let share = 1 / Float(finer * finer)
        for y in 0..<area.height {
            for x in 0..<area.width {
                var (sum, count) = (SIMD4<Float>.zero, Float(0))
                for row in y * finer..<(y + 1) * finer {
                    for pixel in row * raster.width + x * finer..<row * raster.width + (x + 1) * finer
                    where raster.bodies[pixel] > 0 {
                        sum += raster.colours[pixel]
                        count += 1
                    }
                }
                guard count > 0 else { continue }
                let pixel = (area.top + y) * picture.width + area.left + x
                let cover = count * share
                picture.pixels[pixel] = picture.pixels[pixel] * (1 - cover) + sum * (share * brightness)
                if cover >= 0.5 {
                    foremost[pixel] = UInt8(body.index)
                    whole += 1
                }
            }
        }
    }

    /// The body's shape on the ground, away from each lamp.
    private func drawShadows(of body: Body, on picture: inout Picture) {
        let density = body.view.density
        let radius = max(1, Int(stadium.softness * density))
        let sunlight = stadium.brightness(Float(body.person.place.x), Float(body.person.place.y))
        for lamp in stadium.lamps {
            let way = SIMD3<Float>(body.local(lamp.way))
            var (low, high) = (SIMD2<Float>(repeating: .infinity), SIMD2<Float>(repeating: -.infinity))
            let flat = body.tubes.filter { !$0.isPatch }.map { tube in
                var flat = Tube(columns: tube.columns)
                flat.vertices = tube.vertices.map { vertex in
                    let place = vertex.place - way * (vertex.place.y / way.y)
                    let seen = body.view.seen(place)
                    low = pointwiseMin(low, SIMD2(seen.x, -seen.y))
                    high = pointwiseMax(high, SIMD2(seen.x, -seen.y))
                    return Vertex(place: place, colour: .zero)
                }
                return flat
            }
            let origin = SIMD2(body.feet.x, body.feet.y)
            guard
                let area = Area(
                    origin + SIMD2<Double>(low) * density, origin + SIMD2<Double>(high) * density,
                    margin: 2 * radius, in: picture)
            else { continue }
            var raster = Raster(width: area.width, height: area.height)
            raster.draw(
                flat, cast.members[body.index].shirt(density), body: 1, in: area.view(body, finer: 1),
                stadium.light)
            var mask = Picture(
                width: area.width, height: area.height,
                pixels: raster.bodies.map { SIMD4(repeating: Float($0)) })
            mask.blur(deviation: 0.7 * Double(radius))
            // Where no sun is, there is no shadow of it.
            let strength = Float(lamp.strength) * (sunlight < 0.9 ? 0.25 : 1)
            for y in 0..<area.height {
                for x in 0..<area.width {
                    let dark = mask.pixels[y * area.width + x].x
                    guard dark > 0 else { continue }
                    picture.pixels[(area.top + y) * picture.width + area.left + x] *= 1 - strength * dark
                }
            }
        }
    }

    private func expose(_ picture: inout Picture) {
        let (contrast, saturation) = (Float(contrast), Float(saturation))
        let exposure = Float(exposure)
        for index in picture.pixels.indices {
            let pixel = picture.pixels[index] * exposure
            let grey = pixel.x * 0.299 + pixel.y * 0.587 + pixel.z * 0.114
            picture.pixels[index] =
                ((pixel - grey) * saturation + grey - 110) * contrast + 110
        }
    }
}
