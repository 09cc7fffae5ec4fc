import Foundation
import TestSupport
import Testing

@testable import Jersey

/// What people's tools write as boxes. Each file has the same three boxes: of track 7 in frames 1
/// and 2, and of track 8 in frame 2.
@Suite struct BoxFormatsTests {
    private func boxes(_ data: Data, _ columns: String = "", stride: Int = 1, frames: Int? = nil) throws
        -> TrackBoxes
    {
        try withFolder { folder in
            try folder.add("boxes", data)
            return try TrackBoxes(
                contentsOf: folder.appendingPathComponent("boxes").path, columns: try BoxColumns(columns),
                stride: stride
            ) { VideoFacts(width: 640, height: 320, frames: frames) }
        }
    }

    /// The boxes as "frame track: left top width height", with frames from 0.
    private func shown(_ boxes: TrackBoxes) -> [String] {
        boxes.boxes.map { box in
            let sides = [box.left, box.top, box.width, box.height].map { "\(Int($0.rounded()))" }
            return "\(box.frame) \(boxes.tracks[Int(box.track)]): \(sides.joined(separator: " "))"
        }
    }

    private static let expected = ["0 7: 40 60 64 80", "1 7: 320 100 32 64", "1 8: 480 160 64 80"]

    private func expectAll(_ text: String, _ columns: String = "", _ place: SourceLocation = #_sourceLocation)
        throws
    {
        let found = try boxes(Data(text.utf8), columns)
        #expect(shown(found) == Self.expected, sourceLocation: place)
    }

    @Test(arguments: [
        // supervision's CSVSink
        "x_min,y_min,x_max,y_max,class_id,confidence,tracker_id,frame_index\n40,60,104,140,0,0.9,7,1\n320,100,352,164,0,.9,7,2\n480,160,544,240,0,.9,8,2\n",
        // Centres
        "Frame,Track_ID,X_Center,Y_Center,Width,Height\n1,7,72,100,64,80\n2,7,336,132,32,64\n2,8,512,200,64,80\n",
        "frame;cx;cy;w;h;objId\n1;72;100;64;80;7\n2;336;132;32;64;7\n2;512;200;64;80;8\n",
        // A number of the row beside the track's
        "id,frame,track_id,x,y,w,h\n90,1,7,40,60,64,80\n91,2,7,320,100,32,64\n92,2,8,480,160,64,80\n",
        // A place on the field beside that in the picture
        "frame,track_id,x,y,x1,y1,x2,y2\n1,7,5,7.5,40,60,104,140\n2,7,1,2,320,100,352,164\n2,8,3,1,480,160,544,240\n",
        "frame,track_id,x,y,bb_left,bb_top,bb_width,bb_height\n1,7,5,7,40,60,64,80\n2,7,1,2,320,100,32,64\n2,8,3,1,480,160,64,80\n",
        "frame,track_id,x,y,left,top,width,height\n1,7,5,7,40,60,64,80\n2,7,1,2,320,100,32,64\n2,8,3,1,480,160,64,80\n",
        // The size of the picture beside corners (Pascal VOC's CSV), and names of pictures
        "filename,width,height,class,xmin,ymin,xmax,ymax,track_id\nf000001.jpg,640,320,p,40,60,104,140,7\nf000002.jpg,640,320,p,320,100,352,164,7\nf000002.jpg,640,320,p,480,160,544,240,8\n",
        // pandas, with and without its index, and R
        "0,1,2,3,4,5,6\n1,7,40,60,64,80,1\n2,7,320,100,32,64,1\n2,8,480,160,64,80,1\n",
        ",0,1,2,3,4,5\n0,1,7,40,60,64,80\n1,2,7,320,100,32,64\n2,2,8,480,160,64,80\n",
        "\"V1\",\"V2\",\"V3\",\"V4\",\"V5\",\"V6\"\n1,7,40,60,64,80\n2,7,320,100,32,64\n2,8,480,160,64,80\n",
        // Line ends of old spreadsheets, Excel's first line, comments
        "1,7,40,60,64,80\r2,7,320,100,32,64\r2,8,480,160,64,80\r",
        "frame,id,x,y,w,h\r1,7,40,60,64,80\r2,7,320,100,32,64\r2,8,480,160,64,80\r",
        "sep=;\nframe;id;x;y;w;h\n1;7;40;60;64;80\n2;7;320;100;32;64\n2;8;480;160;64;80\n",
        "# made by a tracker\n# frame, id, x, y, w, h\n1,7,40,60,64,80\n2,7,320,100,32,64\n2,8,480,160,64,80\n",
        // A column with the whole box
        "frame,track_id,bbox\n1,7,\"[40, 60, 64, 80]\"\n2,7,\"[320, 100, 32, 64]\"\n2,8,\"[480 160 64 80]\"\n",
        "frame,track_id,bbox\n1,7,\"[40, 60, 104, 140]\"\n2,7,\"[320, 100, 352, 164]\"\n2,8,\"[480 160 544 240]\"\n",
        "frame,track_id,bbox_ltwh\n1,7,\"[np.float64(40.0), np.float64(60.0), np.float64(64.0), np.float64(80.0)]\"\n2,7,\"array([320., 100.,  32.,  64.])\"\n2,8,\"tensor([480., 160., 64., 80.])\"\n",
        "image_id,track_id,bbox_ltwh\n1,7,\"40,60,64,80\"\n2,7,\"320,100,32,64\"\n2,8,\"480,160,64,80\"\n",
        "frame,track_id,bbox_xyxy\n1,7,\"40,60,104,140\"\n2,7,\"320,100,352,164\"\n2,8,\"480,160,544,240\"\n",
        // Shares of the picture, named as such or not
        "frame,id,x_center_norm,y_center_norm,w_norm,h_norm\n1,7,0.1125,0.3125,0.1,0.25\n2,7,0.525,0.4125,0.05,0.2\n2,8,0.8,0.625,0.1,0.25\n",
        "frame,id,xmin,ymin,xmax,ymax\n1,7,0.0625,0.1875,0.1625,0.4375\n2,7,0.5,0.3125,0.55,0.5125\n2,8,0.75,0.5,0.85,0.75\n",
        // CVAT's tracks, and VATIC's
        "track_id,label,frame,outside,occluded,xtl,ytl,xbr,ybr\n7,p,1,0,0,40,60,104,140\n7,p,2,0,0,320,100,352,164\n8,p,2,0,0,480,160,544,240\n8,p,3,1,0,1,1,30,30\n",
        "7 40 60 104 140 1 0 0 0 \"p\"\n7 320 100 352 164 2 0 0 0 \"p\"\n8 480 160 544 240 2 0 0 0 \"p\"\n8 1 1 9 9 3 1 0 0 \"p\"\n",
    ])
    func `Tables of common tools are read`(text: String) throws {
        try expectAll(text)
    }

    @Test(arguments: [
        (
            "1 7 0.1125 0.3125 0.1 0.25\n2 7 0.525 0.4125 .05 .2\n2 8 .8 .625 .1 .25\n",
            "x_center=3,y_center=4"
        ),
        (
            "7,40,60,104,140,1\n7,320,100,352,164,2\n8,480,160,544,240,2\n",
            "track=1,x1=2,y1=3,x2=4,y2=5,frame=6"
        ),
        (
            "frame,who,pid,a,b,c,d,width,height\n1,7,0,40,60,104,140,640,320\n2,7,0,320,100,352,164,640,320\n2,8,0,480,160,544,240,640,320\n",
            "track=who,left=a,top=b,right=c,bottom=d"
        ),
        ("frame,id,xywh\n1,7,40 60 64 80\n2,7,320 100 32 64\n2,8,480 160 64 80\n", "ltwh=xywh"),
    ])
    func `Named columns come before guessed ones, and numbers name those of a table without names`(
        text: String, columns: String
    ) throws {
        try expectAll(text, columns)
    }

    @Test(arguments: [
        #"[{"frame_id":1,"detections":[{"track_id":7,"bbox":[40,60,104,140]}]},{"frame_id":2,"detections":[{"track_id":7,"bbox":[320,100,352,164]},{"track_id":8,"bbox":[480,160,544,240]}]}]"#,
        #"[{"frame":1,"tracks":[{"frame":1,"track_id":"7","bbox":[40,60,104,140],"global_id":3}]},{"frame":2,"tracks":[{"frame":2,"track_id":"7","bbox":[320,100,352,164]},{"frame":2,"track_id":"8","bbox":[480,160,544,240]}]}]"#,
        #"[{"frame":1,"id":7,"centroid":[1,2],"bbox":[40,60,64,80]},{"frame":2,"id":7,"bbox":[320,100,32,64]},{"frame":2,"id":8,"bbox":[480,160,64,80]}]"#,
        // Detections beside tracks are no players.
        #"{"frame_results":[{"frame_number":1,"detections":[{"bbox":[1,1,9,9]}],"tracked_players":[{"track_id":7,"bbox":[40,60,104,140]}]},{"frame_number":2,"tracked_players":[{"track_id":7,"bbox":[320,100,352,164]},{"track_id":8,"bbox":[480,160,544,240]}]}],"track_data":{"7":[[1,2,3,4]]}}"#,
        // By frame, by track, and both
        #"{"1":[{"id":7,"x1":40,"y1":60,"x2":104,"y2":140}],"2":[{"id":7,"x1":320,"y1":100,"x2":352,"y2":164},{"id":8,"x1":480,"y1":160,"x2":544,"y2":240}]}"#,
        #"{"tracks":{"7":[{"frame":1,"bbox":[40,60,104,140]},{"frame":2,"bbox":[320,100,352,164]}],"8":[{"frame":2,"bbox":[480,160,544,240]}]}}"#,
        #"{"frames":{"1":{"7":[40,60,104,140]},"2":{"7":[320,100,352,164],"8":[480,160,544,240]}}}"#,
        #"{"tracks":[{"id":7,"frames":[1,2],"bboxes":[[40,60,104,140],[320,100,352,164]]},{"id":8,"frames":[2],"bboxes":[[480,160,544,240]]}]}"#,
        #"[{"frame":1,"track_ids":[7],"xyxy":[[40,60,104,140]]},{"frame":2,"track_ids":[7,8],"xyxy":[[320,100,352,164],[480,160,544,240]]}]"#,
        // ultralytics: a list for each frame
        #"[[{"track_id":7,"box":{"x1":40,"y1":60,"x2":104,"y2":140}}],[{"track_id":7,"box":{"x1":320,"y1":100,"x2":352,"y2":164}},{"track_id":8,"box":{"x1":480,"y1":160,"x2":544,"y2":240}}]]"#,
        // COCO, whose annotations have numbers of their own
        #"{"images":[{"id":50,"file_name":"000001.jpg"},{"id":51,"file_name":"000002.jpg"}],"annotations":[{"id":1,"image_id":50,"track_id":7,"bbox":[40,60,64,80]},{"id":2,"image_id":51,"track_id":7,"bbox":[320,100,32,64]},{"id":3,"image_id":51,"attributes":{"track_id":8},"bbox":[480,160,64,80]}]}"#,
        // SoccerNet's game state, with a place on the field
        #"{"images":[{"image_id":"1001","file_name":"000001.jpg"},{"image_id":"1002","file_name":"000002.jpg"}],"annotations":[{"id":"1","image_id":"1001","track_id":7,"bbox_image":{"x":40,"y":60,"w":64,"h":80,"x_center":72,"y_center":100},"bbox_pitch":{"x":1,"y":2}},{"id":"2","image_id":"1002","track_id":7,"bbox_image":{"x":320,"y":100,"w":32,"h":64},"bbox_pitch":null},{"id":"3","image_id":"1002","track_id":8,"bbox_image":{"x":480,"y":160,"w":64,"h":80}}]}"#,
        // Label Studio: percent at key frames, with the frames between
        #"[{"annotations":[{"result":[{"id":"7","type":"videorectangle","value":{"framesCount":2,"sequence":[{"frame":1,"x":6.25,"y":18.75,"width":10,"height":25,"enabled":true},{"frame":2,"x":50,"y":31.25,"width":5,"height":20,"enabled":false}]}},{"id":"8","value":{"sequence":[{"frame":2,"x":75,"y":50,"width":10,"height":25,"enabled":false}]}}]}]}]"#,
        // A record a line
        "{\"frame\":1,\"track\":7,\"ltwh\":[40,60,64,80]}\n{\"frame\":2,\"track\":7,\"ltwh\":[320,100,32,64]}\n{\"frame\":2,\"track\":8,\"ltwh\":[480,160,64,80]}\n",
        // CVAT, which counts from 0
        #"<?xml version="1.0"?><annotations><meta><task><id>3</id></task></meta><track id="7" label="p"><box frame="0" outside="0" xtl="40" ytl="60" xbr="104" ybr="140"/><box frame="1" outside="0" xtl="320" ytl="100" xbr="352" ybr="164"/><box frame="2" outside="1" xtl="320" ytl="100" xbr="352" ybr="164"/></track><track id="8"><box frame="1" xtl="480" ytl="160" xbr="544" ybr="240"><attribute name="n">4</attribute></box></track></annotations>"#,
        // UA-DETRAC, CAVIAR
        #"<sequence name="a"><frame num="1"><target_list><target id="7"><box left="40" top="60" width="64" height="80"/></target></target_list></frame><frame num="2"><target_list><target id="7"><box left="320" top="100" width="32" height="64"/></target><target id="8"><box left="480" top="160" width="64" height="80"/></target></target_list></frame></sequence>"#,
        #"<dataset><frame number="1"><objectlist><object id="7"><box h="80" w="64" xc="72" yc="100"/></object></objectlist></frame><frame number="2"><objectlist><object id="7"><box h="64" w="32" xc="336" yc="132"/></object><object id="8"><box h="80" w="64" xc="512" yc="200"/></object></objectlist></frame></dataset>"#,
    ])
    func `JSON and XML in which frame, track and box can be recognised are read`(text: String) throws {
        try expectAll(text)
    }

    @Test(arguments: ["None", "nan", "", "-1", "null", "NULL", "N/A", "<NA>", "NaN"])
    func `A word for nothing is no track`(word: String) throws {
        let found = try boxes(Data("frame,track_id,x,y,w,h\n1,\(word),0,0,9,9\n1,3,0,0,9,9\n".utf8))
        #expect(found.tracks == ["3"] && found.leftOut.counts[.trackless] == 1)
    }

    @Test func `UTF-16 is read, and a frame of the tracker may be several of the video`() throws {
        let text = "frame,id,x,y,w,h\n1,7,0,0,9,9\n3,7,0,0,9,9\n"
        let data = try #require(text.data(using: .utf16))
        #expect(try boxes(data, stride: 3).boxes.map(\.frame) == [0, 6])
    }

    @Test func `A frame without players tells from where frames count, a row of zeros does not`() throws {
        #expect(
            try boxes(
                Data(#"[{"frame":0,"tracks":[]},{"frame":1,"tracks":[{"id":1,"ltrb":[0,0,9,9]}]}]"#.utf8)
            ).firstFrame == 0)
        #expect(try boxes(Data("0,0,0,0,0,0\n1,1,0,0,9,9\n".utf8)).firstFrame == 1)
    }

    @Test func `A single box that decides from where frames count is remarked`() throws {
        let rows = (1...20).map { "\($0),1,0,0,9,9\n" }.joined()
        #expect(try boxes(Data(("0,9,5,5,9,9\n" + rows).utf8)).remarks.count == 1)
        #expect(try boxes(Data(("0,1,5,5,9,9\n" + rows).utf8)).remarks.isEmpty)
        // The video has as many frames as the file, so that a frame 0 cannot be.
        let found = try boxes(Data(("0,9,5,5,9,9\n" + rows).utf8), frames: 20)
        #expect(found.firstFrame == 1 && found.remarks.count == 1 && found.leftOut.counts[.early] == 1)
    }

    @Test(arguments: [
        ("frame,player_id,person_id,x,y,w,h\n1,2,3,0,0,9,9\n", "several columns that may be the track"),
        (
            "frame,id,x1,y1,x2,y2,xmin,ymin,xmax,ymax\n1,2,0,0,9,9,5,5,9,9\n",
            "several columns that may be the box"
        ),
        ("frame,id,x,y,w,h,x,y,w,h\n1,2,0,0,9,9,5,5,9,9\n", "several columns that may be the box"),
        ("frame,id,xywh\n1,2,\"50 50 9 9\"\n", "may be left, top, width and height, or centre"),
        ("frame,id,bbox\n1,2,\"5 5 9 9\"\n", "may be left, top, right and bottom, or left"),
        ("1 1 0.4 0.4 0.1 0.1\n", "in shares of the picture that may be"),
        ("0 0.4 0.4 0.1 0.1\n0 0.5 0.5 0.1 0.1\n", "YOLO's labels"),
        ("team,number,name\nReds,7,Ann\n", "looks like a roster"),
        (#"{"a": 1}"#, "is JSON in which no boxes"), ("{\"a\": ", "damaged or cut off"),
        (#"[{"frame":1,"bbox":[1,2,30,40]}]"#, "boxes have no track"),
        (#"{"annotations":[{"id":1,"image_id":4,"bbox":[1,2,3,4]}]}"#, "boxes have no track"),
        (#"{"videos":[{"id":1},{"id":2}],"images":[],"annotations":[]}"#, "boxes of 2 videos"),
        ("<html><body>Not found</body></html>", "is a web page"), ("<a><b", "damaged or cut off"),
        ("PK\u{3}\u{4}", "is a zip file"), ("%PDF-1.4", "is a PDF"),
    ])
    func `What may mean two things, or is no file of boxes, is refused in a line that says so`(
        text: String, words: String
    ) throws {
        let error = #expect(throws: FileError.self) { try boxes(Data(text.utf8)) }
        let message = error?.description ?? ""
        #expect(message.contains(words) && message.count < 800, "\(message)")
    }

    @Test(arguments: [
        "a,b,\(String(repeating: "c", count: 100_000))\n1,2,3\n",
        "[\"\(String(repeating: "x", count: 100_000))\"]",
    ])
    func `No message quotes more than a line of a file`(text: String) throws {
        let error = #expect(throws: FileError.self) { try boxes(Data(text.utf8)) }
        #expect((error?.description.count ?? 0) < 600)
    }

    @Test func `A row with more cells than the header has columns is no box`() throws {
        let found = try boxes(Data("frame,id,x,y,w,h\n1,7,0,0,9,9\n2,7,91,5,0,9,9\n3,7,1,1,9,9,\n".utf8))
        #expect(found.boxes.count == 2 && found.leftOut.sentences[0].contains("7 cells for 6 columns"))
    }

    @Test func `A pipe is read`() throws {
        try withFolder { folder in
            let path = folder.appendingPathComponent("pipe").path
            #expect(mkfifo(path, 0o600) == 0)
            let writer = Thread {
                guard let file = fopen(path, "w") else { return }
                fputs("1,7,0,0,9,9\n", file)
                fclose(file)
            }
            writer.start()
            let tracks = try TrackBoxes(contentsOf: path).tracks
            #expect(tracks == ["7"])
        }
    }
}
