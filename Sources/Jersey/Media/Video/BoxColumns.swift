import Foundation

/// Which columns of a tracker's table, or keys of its JSON, hold what.
///
/// A box is left, top, width and height; or left, top, right and bottom; or centre, width and
/// height; in columns of their own or in one. The usual names of trackers are known, such as
/// `track_id`, `x1`, `bb_left` or `x_center`.
public struct BoxColumns: Sendable, Equatable {
    package enum Role: String, CaseIterable, Sendable {
        case frame, track, left, top, width, height, right, bottom
        case centerX = "x_center"
        case centerY = "y_center"
        // Four numbers in one column.
        case ltwh, xyxy, cxcywh
        case confidence
        case kind = "class"
        case absent = "outside"

        /// The names that trackers use, spelled as by `plain`, the plainest first. A column of a
        /// later tier is taken only if there is none of an earlier one.
        var tiers: [[String]] {
            switch self {
            case .frame:
                [
                    [
                        "frame", "frameid", "frameidx", "frameindex", "framenumber", "frameno", "framenum",
                        "framenr", "framecount", "f", "fn",
                    ],
                    ["imageid", "imgid", "imageindex", "imageidx"],
                    [
                        "filename", "imagename", "imagepath", "framename", "framefile", "image", "img",
                        "file",
                    ],
                ]
            case .track:
                [
                    ["track", "trackid", "trackerid", "trackingid", "trackletid", "tracknumber", "trackno"],
                    ["objid", "objectid", "playerid", "player", "personid", "targetid", "instanceid", "tid"],
                    ["id", "ids"],
                ]
            case .left: [["left", "x", "x1", "xmin", "xtl", "minx", "tlx", "x0", "l", "xleft", "startx"]]
            case .top: [["top", "y", "y1", "ymin", "ytl", "miny", "tly", "y0", "t", "ytop", "starty"]]
            case .width: [["width", "w"]]
            case .height: [["height", "h"]]
            case .right: [["right", "x2", "xmax", "xbr", "maxx", "brx", "r", "xright", "endx"]]
            case .bottom: [["bottom", "y2", "ymax", "ybr", "maxy", "bry", "b", "ybottom", "endy"]]
            case .centerX: [["xcenter", "xcentre", "centerx", "centrex", "cx", "xc", "xmid"]]
            case .centerY: [["ycenter", "ycentre", "centery", "centrey", "cy", "yc", "ymid"]]
            case .ltwh: [["ltwh", "tlwh"]]
            case .xyxy: [["xyxy", "ltrb", "tlbr", "x1y1x2y2"]]
            case .cxcywh: [["cxcywh", "xcycwh"]]
            case .confidence: [["confidence", "conf", "score", "detconf", "prob", "probability"]]
            case .kind:
                [
                    ["team"], ["teamid"], ["class", "classname"],
                    ["classid", "cls", "categoryid", "category"],
                ]
            case .absent: [["outside", "lost"]]
            }
        }

        func knows(_ plainName: String) -> Bool { tiers.contains { $0.contains(plainName) } }
    }

    /// The names that a person gave.
    package var names: [Role: String] = [:]

    /// Columns with the usual names.
    public init() {}

    /// Columns with names of their own.
    ///
    /// - Parameter text: kind and name of each column whose name is not a usual one, such as
    ///   "frame=f,track=id,left=x,top=y,width=w,height=h". A kind may also have a usual name, such
    ///   as x2 for right. In a table without names, the name is the column's number, from 1.
    /// - Throws: `UsageError` for a text of another form, and for an unknown kind of column.
    public init(_ text: String) throws {
        for pair in text.split(separator: ",") {
            let parts = pair.split(separator: "=", maxSplits: 1).map {
                $0.trimmingCharacters(in: .whitespaces)
            }
            guard parts.count == 2, !parts[1].isEmpty else {
                throw UsageError(
                    "'\(Shown.text(String(pair), limit: 100))' names no column; write columns as in \(Self.example)"
                )
            }
            let plain = Self.plain(parts[0])
            let withoutPrefix = ["bbox", "bb"].first(where: plain.hasPrefix).map { plain.dropFirst($0.count) }
            let spellings = [plain, withoutPrefix.map(String.init) ?? plain]
            guard
                let role = Role.allCases.first(where: { role in
                    Self.plain(role.rawValue) == plain || spellings.contains(where: role.knows)
                })
            else {
                throw UsageError.unknown("kind of column", parts[0], among: Role.allCases.map(\.rawValue))
            }
            names[role] = parts[1]
        }
    }

    static let example = "frame=f,track=id,left=x,top=y,width=w,height=h"

    /// A name without what its spelling adds: "Track_ID", "track id" and "trackId" are "trackid".
    static func plain(_ name: String) -> String {
        String(
            String.UnicodeScalarView(
                name.lowercased().unicodeScalars.filter { $0.properties.isAlphabetic || "0"..."9" ~= $0 }))
    }

    /// Whether a cell is empty, or a word that means so.
    static func isNothing(_ text: String) -> Bool {
        text.isEmpty
            || (text.utf8.count <= 9
                && ["none", "null", "nan", "n/a", "na", "<na>", "nil", "-", "undefined"].contains(
                    text.lowercased()))
    }
}
