import Foundation
import TestSupport
import Testing

@testable import Jersey

@Suite struct TrackBoxesTests {
    private func boxes(_ text: String, _ columns: String = "", firstFrame: Int? = nil, strict: Bool = false)
        throws -> TrackBoxes
    {
        try withFolder { folder in
            try folder.add("boxes.txt", Data(text.utf8))
            return try TrackBoxes(
                contentsOf: folder.appendingPathComponent("boxes.txt").path, columns: try BoxColumns(columns),
                firstFrame: firstFrame,
                strict: strict)
        }
    }

    @Test(arguments: [
        ("1,3,10,20,30.5,40,0.9,-1,-1,-1\n2,3,11,21,30,40,1,-1,-1,-1\n", ""),
        ("1 3 10 20 30.5 40 0.9\r\n\r\n2  3 11 21 30 40 1", ""),
        ("\u{feff}frame,id,x,y,w,h,score\n1,3,10,20,30.5,40,0.9\n2,3,11,21,30,40,\n", ""),
        ("x1;y1;x2;y2;frame;track_id;conf\n10;20;40.5;60;1;3;0.9\n11;21;41;61;2;3;1\n", ""),
        (
            "\"f\"\t\"note\"\t\"who\"\tl\tt\tw\th\tconf\n1\t\"a\tb\"\t3\t10\t20\t30.5\t40\t.9\n2\t\t3.0\t11\t21\t30\t40\t1\n",
            "frame=f,track=who,left=l,y=t"
        ),
    ])
    func `Boxes come from MOT text and from tables with a header`(text: String, columns: String) throws {
        let found = try boxes(text, columns)
        #expect(found.tracks == ["3"] && found.firstFrame == 1 && found.leftOut.total == 0)
        let (a, b) = (found.boxes[0], found.boxes[1])
        #expect((a.frame, a.left, a.top, a.width, a.height, a.confidence) == (0, 10, 20, 30.5, 40, 0.9))
        #expect((b.frame, b.left, b.top, b.width, b.height, b.confidence) == (1, 11, 21, 30, 40, 1))
    }

    @Test(arguments: [
        ("1,3,0,0,5,5,1,2,1\n2,3,0,0,5,5,1,1,1\n3,3,0,0,5,5,1,1,1\n1,4,0,0,5,5,1,2,1\n", ["1", "2"]),
        ("frame,id,x,y,w,h,team\n1,3,0,0,5,5,red\n1,4,0,0,5,5,white\n", ["red", "white"]),
        ("1,3,0,0,5,5,1,-1,-1,-1\n1,4,0,0,5,5\n", [nil, nil]),
    ])
    func `A track has the class of most of its boxes, where there are classes`(
        text: String, classes: [String?]
    ) throws {
        let found = try boxes(text)
        let kinds = found.tracks.indices.map { track in
            found.kind(
                of: found.boxes.indices.filter { Int(found.boxes[$0].track) == track }.map { Int32($0) },
                in: nil)
        }
        #expect(kinds == classes)
    }

    @Test func `More classes than a match has are measurements, and none`() throws {
        let found = try boxes((1...100).map { "\($0),3,0,0,5,5,1,\($0).5,0,0\n" }.joined())
        #expect(found.kinds.isEmpty && found.kind(of: [0, 1], in: nil) == nil)
    }

    @Test func `Frames in any order are sorted, and tracks are in natural order`() throws {
        let found = try boxes("3,10,0,0,5,5\n1,9,0,0,5,5\n2,10,0,0,5,5\n1,10,0,0,5,5\n")
        #expect(found.tracks == ["9", "10"])
        #expect(found.boxes.map(\.frame) == [0, 0, 1, 2] && found.boxes.map(\.track) == [0, 1, 1, 1])
    }

    @Test func `Rows that make no box are left out, counted and located`() throws {
        let found = try boxes(
            """
            1,1,0,0,5,5
            1,2,nan,0,5,5
            2,1,0,0,inf,5
            2,1,0,0,0,5
            2,1,0,0,5,-3
            3,-1,0,0,5,5
            4,1,0,0
            5,1,a,0,5,5
            1.5,1,0,0,5,5
            6,1,0,0,5,5
            6,1,9,9,5,5
            -4,1,9,9,5,5
            1e30,1,0,0,5,5
            """)
        #expect(found.boxes.count == 2 && found.boxes[1].left == 0)
        #expect(
            found.leftOut.sentences == [
                "4 boxes that cannot be understood (first: line 7: column 5 (width) is missing)",
                "2 boxes with NaN or infinity (first: line 2)",
                "2 boxes without width or height (first: line 4)", "1 box without a track (-1) (line 6)",
                "1 box before the first frame (line 12)",
                "1 box in addition to another of the same track in the same frame (line 11)",
            ])
        let error = #expect(throws: FileError.self) {
            try boxes("1,1,0,0,5,5\n1,2,nan,0,5,5\n", strict: true)
        }
        #expect(error?.description.contains("1 box with NaN or infinity (line 2)") == true)
    }

    @Test(arguments: [
        ("1,1,0,0,5,5\n5,1,a,0,5,5", "left is 'a', not a number"),
        ("1,1,0,0,5,5\n1.5,1,0,0,5,5", "1.5 is not a frame number"),
        ("frame;id;x;y;w;h\n1;1;0;0;5;5\n2;1;91,5;0;5;5", "left is '91,5', not a number"),
    ])
    func `The first row that cannot be understood says what is wrong with it`(text: String, words: String)
        throws
    {
        let sentences = try boxes(text).leftOut.sentences
        #expect(sentences.count == 1 && sentences[0].contains(words), "\(sentences)")
    }

    @Test func `A box that float32 cannot hold is left out like one with infinity`() throws {
        let found = try boxes("1,1,0,0,5,5\n1,2,-1e300,0,1e300,5\n")
        #expect(found.boxes.count == 1 && found.leftOut.counts[.notFinite] == 1)
    }

    @Test func `Frames count from 1, or from 0 where there is a frame 0, or as one says`() throws {
        #expect(try boxes("1,1,0,0,5,5\n").boxes[0].frame == 0)
        let zero = try boxes("0,1,0,0,5,5\n7,1,0,0,5,5\n")
        #expect(zero.firstFrame == 0 && zero.boxes.map(\.frame) == [0, 7])
        #expect(try boxes("1,1,0,0,5,5\n", firstFrame: 0).boxes[0].frame == 1)
        #expect(try boxes("5,1,0,0,5,5\n4,1,0,0,5,5\n", firstFrame: 5).leftOut.counts[.early] == 1)
        #expect(
            try boxes("15,1,0,0,5,5\n-2147483646,1,0,0,5,5\n", firstFrame: 10).leftOut.counts[.early] == 1)
    }

    @Test(arguments: [
        ("", "", "holds no boxes"), ("\n \n", "", "holds no boxes"),
        ("frame,id,x,y,w,h\n", "", "holds no boxes"),
        ("1,-1,0,0,5,5\n", "", "1 box without a track"),
        ("a,b,c\n1,2,3\n", "", "no column for frame, track, left, top, width, height"),
        ("frame,id,x,y,w\n", "", "no column for height; its columns are frame, id, x, y, w"),
        ("frame,id,x,y,w,h\n", "frame=f", "has no column 'f'; its columns are frame"),
        ("1,1,0,0,5,5\n", "frame=f", "leave out the column names"),
        ("\0\0\0 ftyp\n", "", "not a text file"),
    ])
    func `A file without boxes is refused in words that help`(text: String, columns: String, words: String)
        throws
    {
        let error = #expect(throws: FileError.self) { try boxes(text, columns) }
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
    }

    @Test func `Wrong names of columns are refused`() {
        #expect(
            #expect(throws: UsageError.self) { try BoxColumns("frame") }?.description.contains(
                "as in frame=f") == true)
        #expect(
            #expect(throws: UsageError.self) { try BoxColumns("widht=w") }?.description.contains("width")
                == true)
    }

    @Test func `What of a box lies in the picture, in whole pixels`() {
        func area(_ left: Float, _ top: Float, _ width: Float, _ height: Float) -> PixelArea? {
            TrackBoxes.Box(
                frame: 0, track: 0, left: left, top: top, width: width, height: height, confidence: 1, line: 1
            )
            .area(width: 100, height: 50)
        }
        #expect(area(10.4, 5.6, 20, 10) == PixelArea(left: 10, top: 6, width: 20, height: 10))
        #expect(area(-10, -10, 30, 20) == PixelArea(left: 0, top: 0, width: 20, height: 10))
        #expect(area(90, 45, 1e30, 1e30) == PixelArea(left: 90, top: 45, width: 10, height: 5))
        for (left, top) in [(-30, 5), (100, 5), (5, 50), (5, -20), (1e30, 5)] as [(Float, Float)] {
            #expect(area(left, top, 20, 10) == nil)
        }
    }
}
