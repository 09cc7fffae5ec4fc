import Foundation
import TestSupport
import Testing

@testable import Jersey

@Suite struct AssignmentTests {
    @Test func costsLeastInSum() {
        let costs = [[1.0, 2], [1.1, 5]]
        #expect(Assignment.cheapest(rows: 2, columns: 2, limit: 10) { costs[$0][$1] } == [1, 0])
    }

    @Test func leavesApartWhatCostsTheLimit() {
        #expect(
            Assignment.cheapest(rows: 2, columns: 1, limit: 1) { row, _ in row == 0 ? 1 : 0.5 } == [nil, 0])
        #expect(Assignment.cheapest(rows: 1, columns: 1, limit: 1) { _, _ in .infinity } == [nil])
    }

    @Test(arguments: [(0, 0), (0, 3), (3, 0)]) func ofNothingIsNothing(rows: Int, columns: Int) {
        #expect(
            Assignment.cheapest(rows: rows, columns: columns, limit: 1) { _, _ in 0 }
                == [Int?](repeating: nil, count: rows))
    }

    @Test(arguments: 1...20) func isAsCheapAsTheBestOfAllOrders(seed: Int) {
        var random = RandomStream(UInt64(seed))
        let costs = (0..<5).map { _ in (0..<5).map { _ in random.uniform() } }
        let pairs = Assignment.cheapest(rows: 5, columns: 5, limit: 10) { costs[$0][$1] }
        let found = pairs.enumerated().reduce(0.0) { $0 + costs[$1.offset][$1.element ?? 0] }
        #expect(Set(pairs).count == 5)
        func best(_ row: Int, _ free: Set<Int>) -> Double {
            row == 5 ? 0 : free.map { costs[row][$0] + best(row + 1, free.subtracting([$0])) }.min() ?? 0
        }
        #expect(abs(found - best(0, Set(0..<5))) < 1e-9)
    }
}

@Suite struct CameraMotionTests {
    /// Random spots, seen by a camera.
    private func picture(_ motion: CameraMotion, seed: UInt64 = 1) -> GreyPicture {
        var random = RandomStream(seed)
        var values = [UInt8](repeating: 90, count: 240 * 135)
        for _ in 0..<900 {
            let (x, y) = (random.uniform(-80...320), random.uniform(-60...200))
            let level = UInt8(random.uniform(0...255))
            let place = motion.moved(x, y)
            let (left, top) = (Int(place.x.rounded()), Int(place.y.rounded()))
            for row in top..<top + 6 where (0..<135).contains(row) {
                for column in left..<left + 6 where (0..<240).contains(column) {
                    values[row * 240 + column] = level
                }
            }
        }
        return GreyPicture(width: 240, height: 135, values: values)
    }

    @Test(arguments: [
        CameraMotion.none, CameraMotion(right: 12, down: -5), CameraMotion(right: -31, down: 3),
        CameraMotion(scale: 1.04, roll: 0, right: -8, down: 2),
    ]) func isFoundInPictures(motion: CameraMotion) {
        var estimator = CameraMotionEstimator(width: 1920)
        _ = estimator.change(to: picture(.none))
        let change = estimator.change(to: picture(motion))
        #expect(!change.isCut)
        // In pixels of the video, 8 times larger. The corners must be right within two of them.
        for (x, y) in [(300.0, 200.0), (1600, 200), (300, 900), (1600, 900)] {
            let found = change.motion.moved(x, y)
            let small = motion.moved(x / 8, y / 8)
            #expect(abs(found.x - small.x * 8) < 10 && abs(found.y - small.y * 8) < 10)
        }
    }

    @Test func ofAnotherShotIsACut() {
        var estimator = CameraMotionEstimator(width: 1920)
        _ = estimator.change(to: picture(.none))
        let dark = GreyPicture(
            width: 240, height: 135, values: picture(.none, seed: 9).values.map { $0 / 4 })
        #expect(estimator.change(to: dark).isCut)
    }

    @Test func ofBlackPicturesIsNone() {
        var estimator = CameraMotionEstimator(width: 1920)
        let black = GreyPicture(width: 240, height: 135, values: [UInt8](repeating: 0, count: 240 * 135))
        for _ in 0..<3 {
            let change = estimator.change(to: black)
            #expect(!change.isCut && change.motion == .none)
        }
    }

    @Test(arguments: [(1, 1), (3, 4000), (4000, 3), (240, 1)])
    func takesPicturesOfAnyShape(width: Int, height: Int) {
        let image = RGBImage(
            width: width, height: height, pixels: [UInt8](repeating: 7, count: width * height * 3))
        var estimator = CameraMotionEstimator(width: width)
        for _ in 0..<2 { #expect(!estimator.change(to: GreyPicture(image, width: 240)).isCut) }
    }
}

@Suite struct MultiObjectTrackerTests {
    private let red = ShirtColour(red: 200, green: 30, blue: 40)
    private let blue = ShirtColour(red: 30, green: 60, blue: 200)

    private func box(_ x: Double, _ y: Double = 100, score: Double = 0.9) -> Detection {
        Detection(left: x, top: y, width: 40, height: 100, score: score)
    }

    /// The tracks of looks at every fourth frame.
    private func tracks(
        _ looks: [[(Detection, ShirtColour?)]], camera: CameraMotion = .none
    ) -> [MultiObjectTracker.Track] {
        var tracker = MultiObjectTracker(MultiObjectTracker.Options(), rate: 25)
        for (index, look) in looks.enumerated() {
            tracker.look(
                at: look.map(\.0), shirts: look.map(\.1), frame: index * 4, elapsed: index == 0 ? 0 : 4,
                camera: camera)
        }
        tracker.endAll()
        return tracker.ended.sorted { $0.id < $1.id }
    }

    @Test func followsARunnerWhoMovesFurtherThanHisWidth() {
        let found = tracks((0..<10).map { [(box(50 + 45 * Double($0)), red)] })
        #expect(found.map(\.seen.count) == [10])
    }

    @Test func followsWithAPanningCamera() {
        let looks = (0..<8).map { [(box(900 - 100 * Double($0)), red as ShirtColour?)] }
        #expect(tracks(looks, camera: CameraMotion(right: -100)).map(\.seen.count) == [8])
    }

    @Test func bridgesAMissAndKeepsUnsureBoxes() {
        let looks: [[(Detection, ShirtColour?)]] = (0..<9).map { index in
            index == 4 ? [] : [(box(100 + 5 * Double(index), score: index == 6 ? 0.2 : 0.9), red)]
        }
        let found = tracks(looks)
        // The look that missed him is filled in.
        #expect(found.map { $0.seen.map(\.frame) } == [[0, 4, 8, 12, 16, 20, 24, 28, 32]])
        #expect(found.map { $0.looks } == [8] && found[0].seen[4].box.score == 0)
        #expect(abs(found[0].seen[4].box.left - 120) < 3)
    }

    @Test func doesNotGoOnWithAnotherShirt() {
        let looks = (0..<8).map { [(box(100), ($0 < 4 ? red : blue) as ShirtColour?)] }
        #expect(tracks(looks).map(\.seen.count) == [4, 4])
    }

    @Test func crossingPlayersOfTwoTeamsKeepTheirTracks() {
        let looks: [[(Detection, ShirtColour?)]] = (0..<13).map { index in
            let way = 20 * Double(index)
            // The far one is hidden in the middle.
            let near: [(Detection, ShirtColour?)] = [(box(100 + way, 110), red)]
            return (5...7).contains(index) ? near : near + [(box(340 - way, 100), blue)]
        }
        let found = tracks(looks)
        #expect(found.count == 2)
        for track in found {
            let ways = zip(track.seen, track.seen.dropFirst()).map { $1.box.left - $0.box.left }
            #expect(ways.allSatisfy { $0 > 0 } || ways.allSatisfy { $0 < 0 })
        }
    }

    @Test func tracksEndWherePlayersOfOneTeamMayHaveSwapped() {
        let looks: [[(Detection, ShirtColour?)]] = (0..<16).map { index in
            // Both stand close together, and one hides the other for more than a second.
            (4..<12).contains(index) ? [(box(300), red)] : [(box(290), red), (box(310), red)]
        }
        #expect(tracks(looks).count >= 3)
    }

    @Test func somebodyWhoIsSeenOnceIsNobody() {
        #expect(tracks([[(box(100), red)], [], [], []]).isEmpty)
    }

    @Test func brokenBoxesHarmNothing() {
        let broken = [
            Detection(left: 0, top: 0, width: 0, height: 0, score: 0.9),
            Detection(left: -1e9, top: 1e9, width: 1e9, height: 1, score: 0.9),
        ]
        _ = tracks((0..<4).map { _ in broken.map { ($0, nil) } })
    }
}

@Suite struct TeamsTests {
    private func shirts(_ colours: [(Double, Double, Double)]) -> [ShirtColour] {
        colours.map { ShirtColour(red: $0.0, green: $0.1, blue: $0.2) }
    }

    @Test func areTheTwoColoursThatAreSeenMost() {
        let known = shirts([
            (200, 30, 40), (210, 40, 50), (240, 240, 240), (230, 230, 225), (30, 200, 60), (20, 20, 20),
            (190, 25, 45),
        ])
        let teams = Teams(known + [nil], weights: [9, 9, 8, 8, 3, 2, 9, 5])
        #expect(teams.sides == [.a, .a, .b, .b, .other, .other, .a, nil])
    }

    @Test func ofOneColourAreOneTeam() {
        let teams = Teams(shirts([(200, 30, 40), (205, 30, 40), (198, 35, 42)]), weights: [1, 1, 1])
        #expect(teams.sides == [.a, .a, .a] && teams.colours.count == 1)
    }

    @Test func ofNobodyAreNone() { #expect(Teams([], weights: []).sides.isEmpty) }

    @Test(arguments: ShirtColour.named.map(\.name)) func namedColoursAreFoundAgain(name: String) throws {
        #expect(try ShirtColour(named: name).name == name)
        #expect(try ShirtColour(named: ShirtColour(named: name).hex).name == name)
    }

    @Test func unknownColoursAreRefused() {
        #expect(throws: UsageError.self) { try ShirtColour(named: "rred") }
        #expect(throws: UsageError.self) { try ShirtColour(named: "#12345") }
    }
}

@Suite struct PlayerTrackerTests {
    private static let (width, height) = (320, 180)
    private static let (red, blue): ([UInt8], [UInt8]) = ([200, 30, 40], [30, 60, 200])

    /// A film of a red and a blue player who run past each other, with a cut in the middle.
    private func film(frames: Int, cutAt cut: Int?) throws -> (TestFolder, String) {
        let folder = try TestFolder()
        let path = folder.path("match.mp4")
        let writer = try VideoWriter(path, width: Self.width, height: Self.height, rate: 25)
        var random = RandomStream(5)
        let ground = (0..<2).map { shot in
            (0..<Self.width * Self.height).flatMap { _ in
                let level = UInt8(random.uniform(0...40))
                return shot == 0 ? [40 + level, 130, 50] : [200, 200 - level, 190]
            }
        }
        for frame in 0..<frames {
            var pixels: [UInt8] = ground[frame < (cut ?? frames) ? 0 : 1]
            for (colour, place) in [(Self.red, Self.places(frame).red), (Self.blue, Self.places(frame).blue)]
            {
                for y in place.top..<place.top + 50 {
                    for x in place.left..<place.left + 20 {
                        pixels.replaceSubrange(
                            (y * Self.width + x) * 3..<(y * Self.width + x) * 3 + 3, with: colour)
                    }
                }
            }
            try writer.add(
                RGBImage(width: Self.width, height: Self.height, pixels: pixels), time: Double(frame) / 25)
        }
        try writer.finish()
        return (folder, path)
    }

    private static func places(_ frame: Int) -> (red: (left: Int, top: Int), blue: (left: Int, top: Int)) {
        ((20 + 5 * frame, 40), (280 - 5 * frame, 100))
    }

    /// Finds what is red or blue.
    private static func people(in picture: RGBImage) -> [Detection] {
        [0, 2].compactMap { channel in
            let places = (0..<picture.width * picture.height).filter { place in
                let pixel = picture.pixels[place * 3..<place * 3 + 3]
                let other = pixel[pixel.startIndex + 2 - channel]
                return pixel[pixel.startIndex + channel] > 140 && other < 110
                    && pixel[pixel.startIndex + 1] < 110
            }
            let (x, y) = (places.map { $0 % picture.width }, places.map { $0 / picture.width })
            guard let left = x.min(), let right = x.max(), let top = y.min(), let bottom = y.max() else {
                return nil
            }
            return Detection(
                left: Double(left), top: Double(top), width: Double(right + 1 - left),
                height: Double(bottom + 1 - top), score: 0.9)
        }
    }

    private func tracked(_ path: String, every interval: Int?) throws -> TrackedVideo {
        var options = PlayerTracker.Options()
        options.detectEvery = interval
        options.who = .everybody
        return try PlayerTracker(options, detect: Self.people).track(VideoReader(path))
    }

    @Test(arguments: [1, 3, nil]) func everyFrameHasABoxForEachPlayer(interval: Int?) throws {
        let (folder, path) = try film(frames: 41, cutAt: nil)
        let video = try withExtendedLifetime(folder) { try tracked(path, every: interval) }
        #expect(video.boxes.tracks == ["1", "2"])
        #expect(video.cuts.isEmpty)
        #expect(video.times.count == 41)
        try #require(video.shirts.count == 2)
        for track in 0..<2 as Range<Int32> {
            let boxes = video.boxes.boxes.filter { $0.track == track }
            #expect(boxes.map(\.frame) == Array(0...(boxes.last?.frame ?? 0)) && boxes.count >= 37)
            let isRed = (video.shirts[Int(track)]?.blueYellow ?? 0) > 0
            for box in boxes {
                let place = Self.places(Int(box.frame))
                #expect(abs(Double(box.left) - Double((isRed ? place.red : place.blue).left)) < 4)
            }
        }
    }

    @Test func aCutEndsAllTracks() throws {
        let (folder, path) = try film(frames: 40, cutAt: 20)
        let video = try withExtendedLifetime(folder) { try tracked(path, every: 2) }
        #expect(video.cuts == [20] && video.boxes.tracks.count == 4)
        #expect(
            video.boxes.spans.allSatisfy { $0.map { $0.upperBound < 20 || $0.lowerBound >= 20 } ?? false })
    }

    @Test func aFilmOfNobodyHasNoTracks() throws {
        let (folder, path) = try film(frames: 8, cutAt: nil)
        let tracker = PlayerTracker(PlayerTracker.Options()) { _ in [] }
        let video = try withExtendedLifetime(folder) { try tracker.track(VideoReader(path)) }
        #expect(video.boxes.tracks.isEmpty && video.boxes.boxes.isEmpty && video.times.count == 8)
    }
}
