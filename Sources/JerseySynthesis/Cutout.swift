import Foundation
import Jersey
import JerseyOutput

/// A rendered athlete without a background, to be pasted into scenes that a detector learns from.
package struct Cutout: Sendable {
    /// Colours times opacity, as over black.
    package let picture: RGBImage
    /// How much of each pixel the athlete and what he holds cover, as grey levels; the size is the picture's.
    package let opacity: RGBImage
    /// Around the athlete's body, without what he holds, in pixels.
    package let box: SyntheticSequence.Box

    /// Who is in a match.
    package enum Role: String, CaseIterable, Sendable {
        case home, away, keeper, official, bystander

        package var poses: Int {
            switch self {
            case .home, .away: 9
            case .keeper, .official: 2
            case .bystander: 4
            }
        }
    }

    /// All athletes of one match, who share the sport, the light, the camera's tilt and their teams' kits.
    ///
    /// - Parameter height: of an upright athlete, in pixels.
    package static func match(seed: UInt64, index: Int, height: Int) -> [(role: Role, cutout: Cutout)] {
        var random = RandomStream(seed, UInt64(index))
        let difficulty = Difficulty.real
        let sport = Sport.random(using: &random)
        let pitch = random.uniform(0.03...0.6)
        let light = Camera(difficulty, using: &random).light
        return Role.allCases.flatMap { role in
            let kit = Kit(
                number: role.number(using: &random), sport: sport, difficulty: difficulty, using: &random)
            return (0..<role.poses).map { _ in
                let outfit =
                    role == .bystander
                    ? Kit(number: nil, sport: sport, difficulty: difficulty, using: &random)
                    : kit.worn(with: role.number(using: &random), using: &random)
                let athlete = Athlete(kit: outfit, sport: sport, difficulty: difficulty, using: &random)
                let cutout = Cutout(
                    athlete, difficulty: difficulty, pitch: pitch, light: light, height: height,
                    using: &random)
                return (role, cutout)
            }
        }
    }

    private init(
        _ athlete: Athlete, difficulty: Difficulty, pitch: Double, light: Raster.Light, height: Int,
        using random: inout RandomStream
    ) {
        let motion = Motion(
            seconds: 1, view: .back, sport: athlete.sport, difficulty: difficulty, using: &random)
        var pose = motion.pose(at: random.uniform())
        pose.yaw = random.uniform(0...(2 * .pi))
        let tubes = athlete.tubes(pose)
        let density = Double(height) / (1.9 * athlete.size)
        func view(left: Double, top: Double, density: Double) -> Raster.View {
            Raster.View(left: left, top: top, density: density, sine: sin(pitch), cosine: cos(pitch))
        }
        let unplaced = view(left: 0, top: 0, density: 1)
        var crop = Crop(around: tubes.flatMap { $0.vertices.map { unplaced.seen($0.place) } })
        crop.grow(by: Edges(left: 0.03, right: 0.03, top: 0.03, bottom: 0.03))
        let size = (crop.size * density).rounded(.up)
        let oversampling = 2
        let canvas = Canvas(width: Int(size.x) * oversampling, height: Int(size.y) * oversampling)
        canvas.fill(.black)
        var raster = Raster(canvas)
        let shirt = ShirtTexture(
            athlete.kit, girth: athlete.girth, length: athlete.length, skin: athlete.skinColour,
            density: density)
        let placed = view(left: crop.left, top: crop.top, density: density * Double(oversampling))
        for (body, part) in [(1, tubes.filter { !$0.isProp }), (2, tubes.filter(\.isProp))] {
            raster.draw(part, shirt, body: UInt8(body), grain: athlete.grain, in: placed, light)
        }
        let (width, rows) = (raster.width, raster.height)
        let cover = raster.bodies.map { $0 == 0 ? SIMD4<Float>.zero : SIMD4<Float>(repeating: 255) }
        picture = Picture(width: width, height: rows, pixels: raster.colours).reduced(by: oversampling).image
        opacity = Picture(width: width, height: rows, pixels: cover).reduced(by: oversampling).image
        let (box, _) = raster.bodies.box(in: width, scale: 1 / Double(oversampling)) { $0 == 1 }
        self.box = box ?? .init(left: 0, top: 0, width: size.x, height: size.y)
    }
}

extension Cutout.Role {
    fileprivate func number(using random: inout RandomStream) -> String? {
        switch self {
        case .home, .away, .keeper: JerseyNumber.all.randomElement(using: &random)?.description
        case .official, .bystander: nil
        }
    }
}
