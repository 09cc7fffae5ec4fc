import Testing

@testable import Jersey

@Suite("Order and choice of frames")
struct FrameOrderTests {
    // MARK: natural order

    @Test(
        arguments: [
            ("9.jpg", "10.jpg"), ("a2b", "a10b"), ("12_9", "12_10"), ("a", "b"), ("a", "a1"), ("", "0"),
            ("x99999999999999999999998", "x99999999999999999999999"),
            ("1", "01"), ("a01b1", "a1b2"), ("7", "a"), ("a07", "a8"),
        ])
    func `Runs of digits compare as numbers`(_ first: String, _ second: String) {
        let reversed = first == "1" && second == "01"  // equal but for zeros: text order
        #expect(naturallyPrecedes(first, second) == !reversed && naturallyPrecedes(second, first) == reversed)
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `Natural order is a strict total order`(_ seed: UInt64) {
        var random = RandomStream(seed)
        let letters = Array("0019a_.é")
        let names = (0..<60).map { _ in
            String(
                (0..<Int.random(in: 0...6, using: &random)).map { _ in letters.randomElement(using: &random)!
                })
        }
        for a in names {
            #expect(!naturallyPrecedes(a, a))
            for b in names {
                if a != b { #expect(naturallyPrecedes(a, b) != naturallyPrecedes(b, a)) }
                guard naturallyPrecedes(a, b) else { continue }
                for c in names where naturallyPrecedes(b, c) && !naturallyPrecedes(a, c) {
                    Issue.record("\(a) < \(b) < \(c)")
                }
            }
        }
    }

    // MARK: files of a sequence

    @Test func `Frames are images by name, in any case; hidden and other files are not`() {
        let (frames, anchor) = FrameOrder.frames(among: [
            "2.JPG", ".3.jpg", "1.jpeg", "notes.txt", "10.Png", "jpg", "x.svg", ".png",
        ])
        #expect(frames == ["1.jpeg", "2.JPG", "10.Png"] && anchor == nil)
        #expect(FrameOrder.frames(among: []).frames == [])
    }

    @Test func `In time order the anchor keeps its place, and of several the first is marked`() {
        let (frames, anchor) = FrameOrder.frames(among: ["10_Anchor.jpg", "9.jpg", "11.jpg", "12_anchor.jpg"])
        #expect(frames == ["9.jpg", "10_Anchor.jpg", "11.jpg", "12_anchor.jpg"] && anchor == 1)
        #expect(FrameOrder.time.arranged(frames, anchor: anchor) == ([0, 1, 2, 3], 1))
    }

    /// The frames read from a folder, in order, and the anchor.
    private func read(_ listing: [String], _ order: FrameOrder) -> (frames: [String], anchor: String?) {
        let (frames, marked) = FrameOrder.frames(among: listing)
        let (indices, anchor) = order.arranged(frames.map { "a/b/" + $0 }, anchor: marked)
        return (indices.map { frames[$0] }, anchor.map { frames[$0] })
    }

    @Test func `Published order is text order with the anchor first, and of several anchors one remains`() {
        let listing = ["10_anchor.jpg", "9.jpg", "11.jpg", "12_anchor.jpg"]
        let first = read(listing, .published(anchorFirst: true))
        #expect(first == (["12_anchor.jpg", "11.jpg", "9.jpg"], "12_anchor.jpg"))
        let inPlace = read(listing, .published(anchorFirst: false))
        #expect(inPlace == (["11.jpg", "12_anchor.jpg", "9.jpg"], "12_anchor.jpg"))
        #expect(read(["9.jpg", "10.jpg"], .published(anchorFirst: true)) == (["10.jpg", "9.jpg"], nil))
    }

    @Test func `Pictures that are no files keep the order in which they came, but for an anchor`() {
        let order = FrameOrder.published(anchorFirst: true)
        #expect(order.arranged(["9", "10", "11"], anchor: nil) == ([0, 1, 2], nil))
        #expect(order.arranged(["a.mp4#frame=9", "a.mp4#frame=10"], anchor: nil) == ([0, 1], nil))
        #expect(order.arranged(["9", "anchor", "1"], anchor: 1) == ([1, 0, 2], 1))
        #expect(
            order.arranged(["b.png", "b.png", "a.png"], anchor: nil) == ([2, 0, 1], nil),
            "the first of two stays the first")
    }

    @Test
    func `In a window the frame that is called the anchor comes first, and does not stand for the window`() {
        #expect(
            FrameOrder.published(anchorFirst: true).arranged(["1.png", "2_anchor.png"], anchor: nil) == (
                [1, 0], nil
            ))
    }

    @Test func `Neither order depends on the file system's`() {
        var random = RandomStream(1)
        let names = (0..<20).map { "\($0).jpg" } + ["5_anchor.png", "7_anchor.png"]
        for order in [FrameOrder.time, .published(anchorFirst: true)] {
            #expect(read(names.shuffled(using: &random), order) == read(names, order))
        }
    }

    // MARK: sampling

    private static let samplings = [
        FrameSampling.even, .jittered, .published(anchorFirst: true), .published(anchorFirst: false),
    ]

    @Test(arguments: samplings)
    func `Indices are ascending, each once, within range, and all where they fit`(_ sampling: FrameSampling) {
        var random = RandomStream(4)
        for limit in [1, 2, 3, 7, 16] {
            for count in 1...60 {
                let indices = sampling.indices(count: count, limit: limit, random: &random)
                #expect(indices.count == min(count, limit), "\(count) to \(limit)")
                #expect(
                    indices.allSatisfy { 0..<count ~= $0 }
                        && zip(indices, indices.dropFirst()).allSatisfy { $0 < $1 },
                    "\(indices)")
            }
        }
    }

    @Test func `Even sampling includes both ends and keeps its steps within one of each other`() {
        var random = RandomStream()
        for limit in 2...16 {
            for count in limit + 1...70 {
                let indices = FrameSampling.even.indices(count: count, limit: limit, random: &random)
                let steps = zip(indices.dropFirst(), indices).map(-)
                #expect(indices.first == 0 && indices.last == count - 1 && steps.max()! - steps.min()! <= 1)
            }
        }
        #expect(FrameSampling.even.indices(count: 9, limit: 1, random: &random) == [4])
    }

    @Test func `Published sampling pins frame 0 and never reaches the last frame, as the study does`() {
        var random = RandomStream()
        #expect(
            FrameSampling.published(anchorFirst: true).indices(count: 9, limit: 4, random: &random) == [
                0, 1, 3, 6,
            ])
        #expect(
            FrameSampling.published(anchorFirst: false).indices(count: 10, limit: 4, random: &random) == [
                0, 2, 5, 7,
            ])
    }

    @Test func `Jittered sampling draws from every stretch, and reaches all frames in time`() {
        var random = RandomStream(9)
        var seen: Set<Int> = []
        for _ in 0..<200 {
            let indices = FrameSampling.jittered.indices(count: 12, limit: 4, random: &random)
            #expect(indices.map { $0 / 3 } == [0, 1, 2, 3])
            seen.formUnion(indices)
        }
        #expect(seen == Set(0..<12))
    }
}
