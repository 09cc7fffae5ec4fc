import Foundation
import Jersey
import TestSupport
import Testing

@testable import JerseySynthesis

@Suite struct SyntheticMatchTests {
    private static let (width, height) = (320, 180)

    private static func painter(_ people: [MatchPlay.Person], seed: UInt64) -> MatchPainter {
        var random = RandomStream(seed)
        let cast = MatchCast(people: people, using: &random)
        let stadium = Stadium(density: 8, using: &random)
        return MatchPainter(stadium: stadium, cast: cast, using: &random)
    }

    private static func play(_ seed: UInt64) -> MatchPlay {
        var random = RandomStream(seed)
        return MatchPlay(besides: 3, using: &random)
    }

    private static let camera = BroadcastCamera(
        at: [0, 18, 70], towards: [0, 1, 0], focal: 1500, width: width, height: height)

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `Boxes contain all that is drawn of a person, and little else`(seed: UInt64) throws {
        let play = Self.play(seed)
        let camera = BroadcastCamera(
            at: [0, 18, 70], towards: [play.ball.x, 1, play.ball.y], focal: 1500, width: Self.width,
            height: Self.height)
        let drawing = Self.painter(play.people, seed: seed).draw(
            .init(frame: 0, time: 1, camera: camera, people: play.people))
        #expect(drawing.appearances.count > 4)
        let boxes = Dictionary(uniqueKeysWithValues: drawing.appearances.map { ($0.person, $0) })
        var seen: [Int: (left: Int, right: Int, top: Int, bottom: Int)] = [:]
        for (pixel, person) in drawing.foremost.enumerated() where person != MatchPainter.Drawing.nobody {
            let (x, y) = (pixel % Self.width, pixel / Self.width)
            let old = seen[Int(person)] ?? (x, x, y, y)
            seen[Int(person)] = (min(old.left, x), max(old.right, x), min(old.top, y), max(old.bottom, y))
        }
        for (person, found) in seen {
            let appearance = try #require(boxes[person])
            let box = appearance.box
            let around = [
                Double(found.left) - box.left, box.left + box.width - Double(found.right + 1),
                Double(found.top) - box.top, box.top + box.height - Double(found.bottom + 1),
            ]
            #expect(around.allSatisfy { $0 > -1 }, "\(person): \(around)")
            // The rest of somebody at the edge may reach less far.
            let isInside =
                box.left > 0 && box.top > 0 && box.left + box.width < Double(Self.width)
                && box.top + box.height < Double(Self.height)
            if appearance.visibility == 1 && isInside {
                #expect(around.allSatisfy { $0 < 8 }, "\(person): \(around)")
            }
            #expect(box.left >= 0 && box.left + box.width <= Double(Self.width))
        }
    }

    @Test func `Nearer people hide those behind them`() throws {
        var people = Self.play(4).people
        for index in people.indices { people[index].place = [300, 0] }
        let (one, other) = (5, 15)
        people[one].place = [0, 0]
        people[other].place = [0, 1.5]
        let painter = Self.painter(people, seed: 4)
        func visibilities() throws -> [Double] {
            let drawing = painter.draw(.init(frame: 0, time: 1, camera: Self.camera, people: people))
            #expect(drawing.appearances.map(\.person) == [one, other])
            return drawing.appearances.map(\.visibility)
        }
        let before = try visibilities()
        #expect(before[0] < 0.8 && before[1] == 1)
        people[one].place = [0, 3]
        let after = try visibilities()
        #expect(after[0] == 1 && after[1] < 0.8)
    }

    @Test func `Feet are where the camera sees the place, and farther people are smaller`() throws {
        var people = Self.play(5).people
        for index in people.indices { people[index].place = [300, 0] }
        let painter = Self.painter(people, seed: 5)
        let heights = try [-8.0, 0, 8].map { depth in
            people[7].place = [2, depth]
            let drawing = painter.draw(.init(frame: 0, time: 1, camera: Self.camera, people: people))
            let box = try #require(drawing.appearances.first).box
            let feet = Self.camera.seen([2, 0, depth])
            #expect(abs(box.top + box.height - feet.y) < 0.12 * box.height)
            #expect(abs(box.left + box.width / 2 - feet.x) < 0.4 * box.height)
            return box.height
        }
        #expect(heights[0] < heights[1] && heights[1] < heights[2])
    }

    @Test(arguments: [1, 2] as [UInt64])
    func `People move as people do, on and around the pitch`(seed: UInt64) {
        var play = Self.play(seed)
        for _ in 0..<250 {
            let before = play.people
            play.step(0.04)
            for (old, new) in zip(before, play.people) {
                #expect(new.velocity.length < 9)
                #expect((new.velocity - old.velocity).length <= 5.01 * 0.04)
                #expect((new.place - old.place).length < 9 * 0.04)
                #expect(abs(new.place.x) < Stadium.ends && -Stadium.far...Stadium.near ~= new.place.y)
            }
        }
    }

    @Test func `The camera moves little from frame to frame, except where the film is cut`() {
        var random = RandomStream(6)
        var director = MatchDirector(
            frames: 90, cuts: 3, heights: 40...80, width: Self.width, height: Self.height, rate: 25,
            using: &random)
        var play = Self.play(6)
        #expect(director.cuts.count == 3 && director.cuts == director.cuts.sorted())
        let cameras = (0..<90).map { _ in
            play.step(0.04)
            return director.next(ball: play.ball)
        }
        for (frame, (before, after)) in zip(cameras, cameras.dropFirst()).enumerated() {
            let isCut = director.cuts.contains(frame + 1)
            #expect((before.place != after.place) == isCut)
            if !isCut { #expect((before.ahead * after.ahead).sum() > 0.999) }
        }
    }

    @Test func `A match has two teams with different numbers, and the same on any number of threads`() throws
    {
        var match = SyntheticMatch(frames: 4, seed: 7)
        (match.width, match.height, match.cuts) = (160, 96, 1)
        func films(threads: Int) throws -> (truth: MatchTruth, images: [RGBImage], rows: [String]) {
            var (images, rows): ([RGBImage], [String]) = ([], [])
            let truth = try match.render(threads: threads) { _, image, own in
                images.append(image)
                rows.append(own)
            }
            return (truth, images, rows)
        }
        let (one, two) = (try films(threads: 1), try films(threads: 3))
        #expect(one.images == two.images && one.rows == two.rows && one.truth == two.truth)
        for team in ["A", "B"] {
            let numbers = one.truth.players.filter { $0.team == team }.compactMap(\.number)
            #expect(numbers.count == 11 && Set(numbers).count == 11)
        }
        #expect(one.truth.players.filter { $0.team == nil }.allSatisfy { $0.number == nil })
        #expect(one.truth.players.filter { $0.role == .referee }.count == 3)
        let kinds = Dictionary(uniqueKeysWithValues: one.truth.players.map { ("\($0.track)", "\($0.kind)") })
        for row in one.rows.joined().split(separator: "\n").map({ $0.split(separator: ",") }) {
            #expect(row.count == 9 && kinds[String(row[1])] == String(row[7]))
        }
    }

    @Test func `A folder gets the layout of MOTChallenge, unless it has something else in it`() throws {
        let folder = try TestFolder()
        var match = SyntheticMatch(frames: 2, seed: 8)
        (match.width, match.height) = (160, 96)
        let out = folder.url.appendingPathComponent("match")
        try match.write(toFolder: out)
        #expect(try RGBImage(contentsOf: out.appendingPathComponent("img1/000002.jpg")).width == 160)
        let info = try String(contentsOf: out.appendingPathComponent("seqinfo.ini"), encoding: .utf8)
        #expect(info.contains("seqLength=2") && info.contains("frameRate=25"))
        let rows = try String(contentsOf: out.appendingPathComponent("gt/gt.txt"), encoding: .utf8)
        #expect(rows.hasPrefix("1,") && rows.contains("\n2,"))
        #expect(throws: FileError.self) { try match.write(toFolder: out) }
        try match.write(toFolder: out, overwrite: true)
    }
}
