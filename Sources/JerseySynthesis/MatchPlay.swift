import Foundation
import Jersey

/// Where everybody of a match is, and which way they run. No ball is drawn, but play goes by one.
///
/// Places are in metres, x along the pitch and y (the world's z) towards the main stand.
struct MatchPlay: Sendable {
    typealias Place = SIMD2<Double>

    struct Person: Sendable {
        enum Duty: Sendable {
            /// The place in the formation, from the team's middle, for a team that attacks to the
            /// right.
            case field(Place)
            case goal, referee
            /// On a touchline, 1 for the one at the main stand.
            case assistant(Double)
            case beside(Place)
        }

        /// 0 or 1; nil for those of no team.
        let team: Int?
        let duty: Duty
        var place: Place
        fileprivate(set) var velocity = Place.zero
        fileprivate var acceleration = 0.0
        /// Direction of the view, in radians to the right of straight across the pitch.
        fileprivate var facing: Double
        fileprivate var look = 0.0
        fileprivate var stride: Double
        fileprivate var gesture: (arms: (Pose.Gesture?, Pose.Gesture?), start: Double, length: Double)
        /// Metres per second.
        fileprivate let pace: Double
        /// Phases of the way around the place in the formation.
        fileprivate let wander: Place

        fileprivate var ahead: Place { [sin(facing), -cos(facing)] }
    }

    private(set) var people: [Person] = []
    private(set) var ball: Place
    private var holder = 0
    /// Whether the ball is on its way to the holder.
    private var isFlying = false
    private var untilPass = 1.0
    private var time = 0.0
    private var random: RandomStream

    /// Two goalkeepers come first, then the players of each team in turn, the officials, and those
    /// beside the pitch.
    init(besides: Int, using random: inout RandomStream) {
        self.random = RandomStream(random.next())
        ball = [random.uniform(-42...42), random.uniform(-25...25)]
        for team in 0..<2 { add(.goal, team: team, at: [team == 0 ? -46 : 46, 0], using: &random) }
        for team in 0..<2 {
            let formation = Self.formations.randomElement(using: &random) ?? Self.formations[0]
            for home in formation {
                add(.field(home), team: team, at: place(of: home, team: team), using: &random)
            }
        }
        add(.referee, at: ball + [-7, 5], using: &random)
        for side in [-1.0, 1] { add(.assistant(side), at: [side * 12, side * 35], using: &random) }
        for _ in 0..<besides {
            let home = Place(random.uniform(-40...40), random.uniform(-37.6 ... -35.8))
            add(.beside(home), at: home, using: &random)
        }
        holder = nearest(to: ball, of: random.chance(0.5) ? 0 : 1)
        // Starting positions are nobody's places in play.
        for _ in 0..<75 { step(0.04) }
    }

    private static let formations: [[Place]] = [
        [
            [-17, -20], [-18, -7], [-18, 7], [-17, 20], [-4, -19], [-5, -6], [-4, 6], [-3, 19], [9, -6],
            [10, 7],
        ],
        [
            [-17, -20], [-18, -7], [-18, 7], [-17, 20], [-6, -10], [-8, 1], [-5, 11], [8, -20], [11, 0],
            [8, 20],
        ],
        [
            [-18, -13], [-19, 0], [-18, 13], [-5, -23], [-6, -9], [-8, 1], [-5, 10], [-5, 23], [9, -6],
            [10, 6],
        ],
    ]

    private mutating func add(
        _ duty: Person.Duty, team: Int? = nil, at place: Place, using random: inout RandomStream
    ) {
        people.append(
            Person(
                team: team, duty: duty, place: place + [random.normal(), random.normal()],
                facing: random.uniform(-.pi ... .pi), stride: random.uniform(0...(2 * .pi)),
                gesture: ((nil, nil), 0, 1), pace: random.uniform(6...8),
                wander: [random.uniform(0...(2 * .pi)), random.uniform(0...(2 * .pi))]))
    }

    private func place(of home: Place, team: Int) -> Place {
        let way = team == 0 ? 1.0 : -1
        // All follow the attack of those who have the ball.
        let attack = people[holder].team == 0 ? 6.0 : -6
        let middle = Place((0.85 * ball.x + attack - 2 * way).clamped(to: -37...37), 0.38 * ball.y)
        let place = middle + Place(home.x * way, home.y) * 0.85
        return [place.x.clamped(to: -50...50), place.y.clamped(to: -32...32)]
    }

    private func nearest(to point: Place, of team: Int) -> Int {
        people.indices.filter { people[$0].isFielder && people[$0].team == team }
            .min { (people[$0].place - point).length < (people[$1].place - point).length } ?? 0
    }
}

extension MatchPlay.Person {
    fileprivate var isFielder: Bool { if case .field = duty { true } else { false } }

    /// For a camera; the feet are at the origin.
    ///
    /// - Parameter toCamera: level unit vector from the person to the camera.
    func pose(at time: Double, toCamera: SIMD2<Double>) -> Pose {
        let speed = velocity.length
        var pose = Pose()
        let right = SIMD2(toCamera.y, -toCamera.x)
        pose.yaw = atan2(-(ahead * right).sum(), -(ahead * toCamera).sum())
        pose.stride = stride
        pose.effort = speed < 0.2 ? 0.03 : min(1, 0.37 * speed.squareRoot())
        pose.twist = (0.04 + 0.12 * pose.effort) * sin(stride)
        pose.lean = (0.02 + 0.022 * speed + 0.045 * acceleration).clamped(to: -0.08...0.5)
        pose.roll = 0.03 * sin(stride)
        pose.crouch = speed < 0.2 ? 0.04 : 0
        pose.look = look
        pose.time = time
        pose.gestures = gesture.arms
        pose.gesturing = (1.6 - abs(2 * (time - gesture.start) / gesture.length - 1) * 2).clamped(to: 0...1)
        return pose
    }
}

// MARK: - Movement

extension MatchPlay {
    mutating func step(_ seconds: Double) {
        time += seconds
        moveBall(seconds)
        let chasers = (0..<2).map { nearest(to: ball, of: $0) }
        let wanted = people.indices.map { velocity(of: $0, chasers: chasers) }
        for index in people.indices { move(index, wanted[index], seconds) }
    }

    private mutating func moveBall(_ seconds: Double) {
        let owner = people[holder]
        if isFlying {
            let way = owner.place - ball
            ball += way / max(way.length, 1e-6) * min(way.length, 15 * seconds)
            if way.length < 1 { (isFlying, untilPass) = (false, random.uniform(0.6...3.5)) }
            return
        }
        ball += (owner.place + owner.ahead * 0.7 - ball) * min(1, 6 * seconds)
        untilPass -= seconds
        guard untilPass < 0 else { return }
        isFlying = true
        let own = owner.team ?? 0
        let forward = own == 0 ? 1.0 : -1
        if owner.isFielder && ball.x * forward > 33 && random.chance(0.6) {
            // A shot, which the other goalkeeper holds.
            holder = 1 - own
            return
        }
        let team = random.chance(0.08) ? 1 - own : own
        let reach = owner.isFielder ? 5...34.0 : 12...65
        let others = people.indices.filter { index in
            people[index].team == team && index != holder && people[index].isFielder
                && reach ~= (people[index].place - ball).length
        }.shuffled(using: &random)
        // Most passes go forward, if two ways are open.
        let receiver = others.prefix(random.chance(0.7) ? 2 : 1).max {
            people[$0].place.x * forward < people[$1].place.x * forward
        }
        holder = receiver ?? nearest(to: ball, of: 1 - own)
    }

    /// The velocity that somebody would like to have.
    private func velocity(of index: Int, chasers: [Int]) -> Place {
        let person = people[index]
        let wave = Place(sin(0.5 * time + person.wander.x), sin(0.37 * time + person.wander.y))
        var (target, pace) = (person.place, 0.75 * person.pace)
        switch person.duty {
        case .field(let home):
            let team = person.team ?? 0
            if index == holder {
                let way = team == 0 ? 1.0 : -1
                target = isFlying ? ball : person.place + [way * 8, 4 * wave.y - 0.15 * person.place.y]
                pace = isFlying ? person.pace : 0.65 * person.pace
                if abs(target.x) > 46 { target.x = 46 * way }
            } else if team != people[holder].team && index == chasers[team] {
                target = ball + (ball - people[holder].place) * 0.5
                pace = person.pace
            } else {
                target = place(of: home, team: team) + wave * 3.5
            }
        case .goal:
            target = [person.team == 0 ? -47 : 47, 0.12 * ball.y]
            target += (ball - target) * 0.08 + wave * 0.6
        case .referee: target = ball + [ball.x > 0 ? -9 : 9, 7 + 3 * wave.y]
        case .assistant(let side):
            target = [(side > 0 ? max(0, ball.x) : min(0, ball.x)) * 0.9 + wave.x, side * 35.2]
        case .beside(let home):
            target = home + [wave.x * (person.pace > 7.2 ? 9 : 1.5), 0.2 * wave.y]
            pace = person.pace > 7.2 ? 2.6 : 1.2
        }
        let way = target - person.place
        let distance = way.length
        // Nobody runs after every step of the others.
        var velocity =
            distance < 0.6 ? .zero : way / distance * min(pace, 0.8 * (distance - 0.5))
        for (other, neighbour) in people.enumerated() where other != index {
            let apart = person.place - neighbour.place
            let gap = apart.length
            if gap < 1.3 { velocity += apart / max(gap, 0.05) * (1.3 - gap) * 4 }
        }
        return velocity
    }

    private mutating func move(_ index: Int, _ wanted: Place, _ seconds: Double) {
        var person = people[index]
        let change = wanted - person.velocity
        let isBraking = (change * person.velocity).sum() < 0
        // Metres per second squared.
        let most = (isBraking ? 5.0 : 3.5) * seconds
        let step = change * min(1, most / max(change.length, 1e-9))
        person.velocity += step
        person.place += person.velocity * seconds
        let speed = person.velocity.length
        let forward = (step * person.ahead).sum() / seconds
        person.acceleration += (forward - person.acceleration) * min(1, 5 * seconds)

        // Who runs looks ahead, who stands looks at the ball.
        let toBall = ball - person.place
        let heading = speed > 1.5 ? person.velocity : toBall
        let turn = Self.turn(from: person.facing, to: heading)
        person.facing += turn.clamped(to: -4.5 * seconds...4.5 * seconds) * min(1, 0.3 + abs(turn))
        let look = Self.turn(from: person.facing, to: toBall).clamped(to: -0.9...0.9)
        person.look += (-look - person.look) * min(1, 3 * seconds)
        // Strides per second: faster runners also make longer strides.
        let cadence = speed < 0.2 ? 0 : speed / (0.75 + 0.48 * speed)
        person.stride += 2 * .pi * cadence * seconds
        if time > person.gesture.start + person.gesture.length && random.chance(0.06 * seconds) {
            let arm = Pose.Gesture.allCases.randomElement(using: &random)
            let both = random.chance(0.3)
            let isLeft = random.chance(0.5)
            person.gesture = (
                (isLeft || both ? arm : nil, isLeft && !both ? nil : arm), time, random.uniform(0.8...3)
            )
        }
        people[index] = person
    }

    /// From a direction of the view to another, at most half a turn.
    private static func turn(from facing: Double, to way: Place) -> Double {
        guard way.length > 0.05 else { return 0 }
        let turn = atan2(way.x, -way.y) - facing
        return turn - 2 * .pi * (turn / (2 * .pi)).rounded()
    }
}
