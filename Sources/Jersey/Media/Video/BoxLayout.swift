/// Where the fields of a record have the frame, the track and the box.
///
/// A table may have several columns that could be meant: a number of the row beside the track's, a
/// place on the field beside that in the picture. Columns that a person names come first. Then all
/// four of a box are of one family: corners before sizes, columns that say "box" before others.
/// Where columns of the same rank differ in the first rows, nobody can know, and there is a
/// `Problem`.
struct BoxLayout: Equatable {
    /// What the four numbers of a box are.
    enum Form: String, Sendable {
        case corners = "left, top, right and bottom"
        case sized = "left, top, width and height"
        case centred = "centre, width and height"
    }

    enum Scale: Sendable { case pixels, shares, percent }

    struct Shape: Equatable {
        /// Four columns, or one with four numbers.
        var places: [Int]
        /// What the numbers may be.
        var forms: [Form]
        /// Nil if the numbers will tell.
        var scale: Scale?
        /// Whether the names also fit a centre, which is usual for shares of the picture.
        var isVague = false
    }

    enum Problem: Error, Equatable {
        case unknown(String)
        case ambiguous(String, [String])
    }

    var frame: Int?
    var track: Int?
    var shape: Shape?
    var confidence: Int?
    var kind: Int?
    var absent: Int?

    /// MOTChallenge text.
    static let mot = BoxLayout(
        frame: 0, track: 1, shape: Shape(places: [2, 3, 4, 5], forms: [.sized], isVague: true), confidence: 6,
        kind: 7)

    /// VATIC's text: track, corners, frame, lost, occluded, generated, label.
    static let vatic = BoxLayout(
        frame: 5, track: 0, shape: Shape(places: [1, 2, 3, 4], forms: [.corners]), kind: 9, absent: 6)

    /// MOT text whose columns begin at a place, as behind a number of the row.
    func moved(by count: Int) -> BoxLayout {
        BoxLayout(
            frame: frame.map { $0 + count }, track: track.map { $0 + count },
            shape: shape.map {
                Shape(
                    places: $0.places.map { $0 + count }, forms: $0.forms, scale: $0.scale,
                    isVague: $0.isVague)
            }, confidence: confidence.map { $0 + count }, kind: kind.map { $0 + count })
    }
}

extension BoxLayout {
    /// - Parameters:
    ///   - header: the names of the fields.
    ///   - names: those that a person gave.
    ///   - samples: the first rows.
    /// - Throws: `Problem`. A role without a column is none.
    init(header: [String], names: [BoxColumns.Role: String], samples: [[String]]) throws(Problem) {
        var named: [BoxColumns.Role: Int] = [:]
        for (role, name) in names.sorted(by: { $0.value < $1.value }) {
            guard let place = header.firstIndex(of: name) else { throw .unknown(name) }
            named[role] = place
        }
        let choice = Choice(header: header, named: named, samples: samples)
        frame = try choice.column(.frame)
        track = try choice.column(.track)
        shape = try choice.shape()
        confidence = choice.first(.confidence)
        kind = choice.first(.kind)
        absent = choice.first(.absent)
    }

    private struct Choice {
        let header: [String]
        let named: [BoxColumns.Role: Int]
        let samples: [[String]]
        private let stems: [Stem]

        init(header: [String], named: [BoxColumns.Role: Int], samples: [[String]]) {
            self.header = header
            self.named = named
            self.samples = samples
            stems = header.map { Stem(BoxColumns.plain($0)) }
        }

        private func places(of names: [String]) -> [Int] {
            let taken = Set(named.values)
            return stems.indices.filter { !taken.contains($0) && names.contains(stems[$0].plain) }
        }

        /// The column of a role whose columns all mean the same.
        func first(_ role: BoxColumns.Role) -> Int? {
            named[role] ?? role.tiers.lazy.compactMap { places(of: $0).first }.first
        }

        /// The column of a role whose columns may differ.
        func column(_ role: BoxColumns.Role) throws(Problem) -> Int? {
            if let place = named[role] { return place }
            for tier in role.tiers {
                let found = places(of: tier)
                guard let first = found.first else { continue }
                guard found.count == 1 || samples.allSatisfy({ row in Self.agree(found, in: row) }) else {
                    throw .ambiguous(role.rawValue, found.map { header[$0] })
                }
                return first
            }
            return nil
        }

        private static func agree(_ places: [Int], in row: [String]) -> Bool {
            let cells = places.map { $0 < row.count ? row[$0] : "" }
            return cells.allSatisfy { $0 == cells[0] || Double($0).map { $0 == Double(cells[0]) } ?? false }
        }

        // MARK: Boxes

        private struct Candidate {
            /// Smaller is better.
            let rank: Int
            let shape: Shape
        }

        func shape() throws(Problem) -> Shape? {
            if let shape = namedShape() { return shape }
            var candidates = lists()
            for form in [Form.corners, .sized, .centred] {
                for picture in [true, false] { candidates += families(form, saysBox: picture) }
            }
            guard let best = candidates.map(\.rank).min() else { return nil }
            let equal = candidates.filter { $0.rank == best }
            let first = equal[0]
            let differs = equal.dropFirst().first { other in
                !samples.allSatisfy { Self.isSame(first.shape, other.shape, in: $0) }
            }
            if let differs {
                throw .ambiguous(
                    "box",
                    [first, differs].map { $0.shape.places.map { header[$0] }.joined(separator: " ") })
            }
            return first.shape
        }

        /// The four columns that a person named, or some of them and guesses for the rest.
        private func namedShape() -> Shape? {
            let lists: [(BoxColumns.Role, Form)] = [(.ltwh, .sized), (.xyxy, .corners), (.cxcywh, .centred)]
            for (role, form) in lists {
                if let place = named[role] {
                    return Shape(places: [place], forms: [form], scale: stems[place].scale)
                }
            }
            for form in [Form.corners, .sized, .centred] {
                let roles = form.roles
                let given = Set(named.keys).intersection(BoxColumns.Role.ofBoxes)
                guard !given.isEmpty, given.isSubset(of: roles) else { continue }
                let guesses = roles.map { role in
                    named[role]
                        ?? stems.indices.first { place in
                            !named.values.contains(place) && role.knows(stems[place].core)
                        }
                }
                let places = guesses.compactMap(\.self)
                if places.count == 4 {
                    return Shape(places: places, forms: [form], scale: stems[places[0]].scale)
                }
            }
            return nil
        }

        /// Columns with four numbers.
        private func lists() -> [Candidate] {
            stems.indices.filter { !named.values.contains($0) }.compactMap { place in
                let stem = stems[place]
                let forms: [Form]
                switch stem.core {
                case let core where BoxColumns.Role.ltwh.knows(core): forms = [.sized]
                case let core where BoxColumns.Role.xyxy.knows(core): forms = [.corners]
                case let core where BoxColumns.Role.cxcywh.knows(core): forms = [.centred]
                // ultralytics means the centre, others the corner.
                case "xywh": forms = stem.scale == .shares ? [.centred] : [.sized, .centred]
                default:
                    guard Stem.boxes.contains(stem.plain) else { return nil }
                    forms = [.corners, .sized]
                }
                // A list of known form is as good as columns of a box, one of unknown form is not.
                let isKnown = forms.count == 1
                return Candidate(
                    rank: isKnown ? 1 : 4, shape: Shape(places: [place], forms: forms, scale: stem.scale))
            }
        }

        /// Complete families of columns, all of one spelling.
        ///
        /// - Parameter saysBox: whether the names say that they are a box's, as `bbox_x` does.
        private func families(_ form: Form, saysBox: Bool) -> [Candidate] {
            var found: [Candidate] = []
            for names in form.spellings {
                let columns = names.map { name in
                    stems.indices.filter {
                        stems[$0].core == name && stems[$0].saysBox == saysBox
                            && !named.values.contains($0)
                    }
                }
                guard columns.allSatisfy({ !$0.isEmpty }) else { continue }
                let isPlain = names[0] == "x"
                let rank =
                    switch form {
                    case .corners: saysBox ? 0 : isPlain ? 5 : 2
                    case .sized: saysBox ? 1 : isPlain ? 5 : 3
                    case .centred: saysBox ? 1 : 5
                    }
                // A column that is there twice makes two families, which have to agree.
                for occurrence in 0..<(columns.map(\.count).max() ?? 1) {
                    let places = columns.map { $0[min(occurrence, $0.count - 1)] }
                    let shape = Shape(
                        places: places, forms: [form], scale: stems[places[0]].scale, isVague: isPlain)
                    found.append(Candidate(rank: rank, shape: shape))
                }
            }
            return found
        }

        /// Whether two families give the same box in a row, within a pixel.
        private static func isSame(_ a: Shape, _ b: Shape, in row: [String]) -> Bool {
            guard let x = box(a, row), let y = box(b, row) else { return a.places == b.places }
            return zip(x, y).allSatisfy { abs($0 - $1) <= 1 }
        }

        private static func box(_ shape: Shape, _ row: [String]) -> [Double]? {
            let numbers =
                shape.places.count == 1
                ? (shape.places[0] < row.count ? BoxNumbers.list(row[shape.places[0]]) : nil)
                : shape.places.compactMap { $0 < row.count ? Double(row[$0]) : nil }
            guard let numbers, numbers.count == 4, let form = shape.forms.first else { return nil }
            return form.leftTopWidthHeight(numbers)
        }
    }

    /// A name without what says that it is a box's, and in which unit.
    private struct Stem {
        let plain: String
        private(set) var core: String
        private(set) var saysBox = false
        private(set) var scale: Scale?

        static let boxes = [
            "bbox", "box", "boundingbox", "rect", "bb", "bboximage", "bboxes", "boxes", "roi",
        ]
        private static let units: [(String, Scale)] = [
            ("normalized", .shares), ("normalised", .shares), ("norm", .shares), ("relative", .shares),
            ("rel", .shares), ("percent", .percent), ("pct", .percent), ("pixels", .pixels),
            ("pixel", .pixels), ("px", .pixels),
        ]

        init(_ plain: String) {
            self.plain = plain
            core = plain
            for (unit, scale) in Self.units where core != unit {
                if core.hasSuffix(unit) {
                    core.removeLast(unit.count)
                } else if core.hasPrefix(unit) {
                    core.removeFirst(unit.count)
                } else {
                    continue
                }
                self.scale = scale
                // "x_px" is of the picture, where "x" may be a place on the field.
                saysBox = scale == .pixels
                break
            }
            // The longer ones come first.
            for prefix in Self.boxes.sorted(by: { $0.count > $1.count })
            where core.hasPrefix(prefix) && core != prefix {
                core.removeFirst(prefix.count)
                saysBox = true
                break
            }
            // ultralytics: xyxyn, xywhn.
            if ["xyxyn", "xywhn"].contains(core) {
                core.removeLast()
                scale = .shares
            }
        }
    }
}

extension BoxLayout.Form {
    var roles: [BoxColumns.Role] {
        switch self {
        case .corners: [.left, .top, .right, .bottom]
        case .sized: [.left, .top, .width, .height]
        case .centred: [.centerX, .centerY, .width, .height]
        }
    }

    /// The names of four columns that go together.
    fileprivate var spellings: [[String]] {
        func pairs(_ x: BoxColumns.Role, _ y: BoxColumns.Role) -> [[String]] {
            zip(x.tiers[0], y.tiers[0]).map { [$0, $1] }
        }
        switch self {
        case .corners:
            return [
                "left top right bottom", "x1 y1 x2 y2", "xmin ymin xmax ymax", "xtl ytl xbr ybr",
                "minx miny maxx maxy", "tlx tly brx bry", "x0 y0 x1 y1", "l t r b",
                "xleft ytop xright ybottom", "startx starty endx endy", "x y x2 y2",
            ].map { $0.split(separator: " ").map(String.init) }
        case .sized, .centred:
            let sizes = pairs(.width, .height)
            return pairs(roles[0], roles[1]).flatMap { start in sizes.map { start + $0 } }
        }
    }

    func leftTopWidthHeight(_ box: [Double]) -> [Double] {
        switch self {
        case .corners: [box[0], box[1], box[2] - box[0], box[3] - box[1]]
        case .sized: box
        case .centred: [box[0] - box[2] / 2, box[1] - box[3] / 2, box[2], box[3]]
        }
    }
}

extension BoxColumns.Role {
    fileprivate static let ofBoxes: Set<BoxColumns.Role> = [
        .left, .top, .width, .height, .right, .bottom, .centerX, .centerY,
    ]
}
