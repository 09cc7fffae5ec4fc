import Foundation

/// Parses the boxes in JSON and XML, of any shape in which frame, track and box can be recognised:
/// lists of records, of frames with their boxes, of tracks with theirs; COCO, CVAT, Label Studio
/// and SoccerNet's game state.
///
/// All become records of named fields, whose names have the meanings of a table's columns. A record
/// inherits frame, track and class from what it lies in.
struct BoxTree {
    let path: String
    let columns: BoxColumns
    private(set) var found = FoundBoxes()
    private(set) var shape: BoxLayout.Shape?

    private(set) var records: [Record] = []

    struct Record {
        var names: [String]
        var values: [String]
    }

    init(path: String, columns: BoxColumns) {
        self.path = path
        self.columns = columns
        found.leftOut.unit = "box"
    }

    mutating func add(json data: Data) throws {
        let tree: Any
        do {
            tree = try JSONSerialization.jsonObject(with: data, options: [.fragmentsAllowed])
        } catch {
            // One record a line, as loggers write.
            let lines = data.split(separator: UInt8(ascii: "\n")).filter { $0.contains { $0 > 0x20 } }
            let objects = lines.compactMap { try? JSONSerialization.jsonObject(with: $0) }
            guard lines.count > 1, objects.count == lines.count else {
                throw FileError(
                    path, "begins as JSON, but is damaged or cut off", advice: "write it again")
            }
            try add(objects, "JSON")
            return
        }
        try add(tree, "JSON")
    }

    mutating func add(xml data: Data) throws {
        let tree = try XMLTree(data, path)
        // CVAT counts from 0.
        if tree.root == "annotations" { found.firstFrame = 0 }
        try add([tree.root: [tree.value]], "XML")
    }

    private mutating func add(_ tree: Any, _ kind: String) throws {
        try checkVideos(tree)
        walk(Self.withoutImageNumbers(tree), Inherited(), within: "")
        try settleRecords(kind)
    }

    // MARK: Records

    private mutating func settleRecords(_ kind: String) throws {
        var groups: [[String]: [Int]] = [:]
        for (index, record) in records.enumerated() { groups[record.names, default: []].append(index) }
        var layouts: [[String]: BoxLayout] = [:]
        let all = Set(groups.keys.joined())
        for name in columns.names.values.sorted() where !all.contains(name) {
            throw FileError(.unknown(name), path, header: all.sorted())
        }
        for (names, indices) in groups {
            let samples = indices.prefix(20).map { records[$0].values }
            let own = columns.names.filter { names.contains($0.value) }
            do {
                layouts[names] = try BoxLayout(header: names, names: own, samples: samples)
            } catch {
                throw FileError(error, path, header: names)
            }
        }
        let boxed = layouts.values.filter { $0.shape != nil }
        let wanted = "give a tracker's boxes, such as a list of records with frame, track_id and bbox"
        guard !boxed.isEmpty else {
            throw FileError(path, "is \(kind) in which no boxes can be recognised", advice: wanted)
        }
        guard boxed.contains(where: { $0.frame != nil }) else {
            throw FileError(path, "is \(kind) whose boxes have no frame", advice: wanted)
        }
        let tracked = boxed.filter { $0.frame != nil && $0.track != nil }
        guard !tracked.isEmpty else {
            throw FileError(
                path, "is \(kind) whose boxes have no track", advice: "track the players first")
        }
        let forms = tracked.compactMap { $0.shape }.map {
            BoxLayout.Shape(places: [], forms: $0.forms, scale: $0.scale, isVague: $0.isVague)
        }
        guard let shape = forms.first, forms.allSatisfy({ $0 == shape }) else {
            throw FileError(path, "is \(kind) with boxes of several forms", advice: wanted)
        }
        self.shape = shape
        // Detections beside tracks are no boxes of players.
        var number: Int32 = 0
        for record in records {
            guard let layout = layouts[record.names], layout.shape != nil, layout.frame != nil,
                layout.track != nil
            else { continue }
            number += 1
            found.add(layout, line: number, count: record.values.count) { record.values[$0] }
        }
    }

    // MARK: Walking

    /// What a record has from what it lies in.
    struct Inherited {
        var frame: String?
        var track: String?
        var kind: String?
    }

    private static let frameKeys: Set = [
        "frame", "frames", "image", "images", "frameresults", "framedata", "perframe", "byframe",
    ]
    private static let trackKeys: Set = [
        "track", "tracks", "object", "objects", "target", "targets", "player", "players", "trackedplayers",
        "trackedobjects", "tracklets", "result", "persons", "people", "trackdata", "bytrack",
    ]

    private mutating func walk(_ value: Any, _ inherited: Inherited, within key: String) {
        if let object = value as? [String: Any] {
            walk(object: object, inherited, within: BoxColumns.plain(key))
        } else if let list = value as? [Any] {
            let areLists =
                !list.isEmpty
                && list.allSatisfy { ($0 as? [Any])?.allSatisfy { $0 is [String: Any] } ?? false }
            for (index, item) in list.enumerated() {
                var inherited = inherited
                // A list of lists has one for each frame.
                if areLists && inherited.frame == nil && list.count > 1 && !Self.mentions(.frame, list) {
                    inherited.frame = "\(index)"
                    found.firstFrame = 0
                }
                walk(item, inherited, within: key)
            }
        }
    }

    private mutating func walk(object: [String: Any], _ inherited: Inherited, within key: String) {
        if let role = keyedRole(of: object, inherited, within: key) {
            for (name, item) in object.sorted(by: { naturallyPrecedes($0.key, $1.key) }) {
                var inherited = inherited
                let number =
                    Double(name) == nil
                    ? FoundBoxes.number(inName: name).map { "\(Int(clamping: $0))" } ?? name : name
                if role == .frame { inherited.frame = number } else { inherited.track = name }
                if role == .frame, let frame = Double(number) { found.note(frame: frame) }
                if let numbers = Self.numbers(item) {
                    add(["bbox"], [numbers], inherited)
                } else {
                    walk(item, inherited, within: "")
                }
            }
            return
        }
        let (names, values) = Self.fields(of: object, within: key)
        var inherited = inherited
        func own(_ role: BoxColumns.Role) -> String? {
            if let name = columns.names[role], let place = names.firstIndex(of: name) { return values[place] }
            for tier in role.tiers {
                if let place = names.firstIndex(where: { tier.contains(BoxColumns.plain($0)) }) {
                    return values[place]
                }
            }
            return nil
        }
        if let frame = own(.frame) {
            inherited.frame = frame
            if let number = Double(frame) ?? FoundBoxes.number(inName: frame) { found.note(frame: number) }
        }
        if let track = own(.track) { inherited.track = track }
        if let kind = own(.kind) ?? object["label"] as? String { inherited.kind = kind }
        if let sequence = object["sequence"] as? [[String: Any]], sequence.contains(where: { $0["x"] != nil })
        {
            addKeyframes(sequence, inherited)
            return
        }
        if !addParallel(object, inherited) { add(names, values, inherited) }
        for (name, item) in object.sorted(by: { $0.key < $1.key })
        where item is [Any] || item is [String: Any] {
            // These are fields of the object.
            guard Self.numbers(item) == nil, !Self.carriers.contains(name), !Self.isBox(name, item) else {
                continue
            }
            walk(item, inherited, within: name)
        }
    }

    /// Objects that only group fields of the object above.
    private static let carriers: Set = ["attributes", "attribute", "attr"]

    /// Whether the keys of an object are numbers of frames or tracks.
    private func keyedRole(of object: [String: Any], _ inherited: Inherited, within key: String)
        -> BoxColumns.Role?
    {
        guard !object.isEmpty,
            object.allSatisfy({ name, item in
                (Double(name) != nil || FoundBoxes.number(inName: name) != nil)
                    && (item is [Any] || item is [String: Any])
            }),
            object.keys.allSatisfy({ Double($0) != nil })
                || Set(object.keys.map { $0.prefix { !$0.isNumber } }).count == 1,
            !object.keys.contains(where: { ["x1", "x2", "bbox2d"].contains($0) })
        else { return nil }
        if Self.frameKeys.contains(key) && inherited.frame == nil { return .frame }
        if Self.trackKeys.contains(key) && inherited.track == nil { return .track }
        let below = Array(object.values.prefix(50))
        if Self.mentions(.frame, below) && inherited.track == nil { return .track }
        if inherited.frame == nil { return .frame }
        return inherited.track == nil ? .track : nil
    }

    /// Whether something below has a key of that role.
    private static func mentions(_ role: BoxColumns.Role, _ value: Any, depth: Int = 0) -> Bool {
        guard depth < 4 else { return false }
        if let list = value as? [Any] {
            return list.prefix(50).contains { mentions(role, $0, depth: depth + 1) }
        }
        guard let object = value as? [String: Any] else { return false }
        return object.contains { name, item in
            role.knows(BoxColumns.plain(name)) && !(item is [String: Any])
                || mentions(role, item, depth: depth + 1)
        }
    }

    /// Adds a record if it may have a box.
    mutating func add(_ names: [String], _ values: [String], _ inherited: Inherited) {
        var (names, values) = (names, values)
        let plain = names.map(BoxColumns.plain)
        guard
            names.count >= 4
                || plain.contains(where: {
                    $0.contains("box") || $0.contains("x1") || $0.contains("wh") || $0.contains("xy")
                        || $0 == "rect" || $0 == "l"
                }) || values.contains(where: { $0.hasPrefix("[") })
        else { return }
        func complete(_ role: BoxColumns.Role, _ value: String?) {
            guard let value, columns.names[role].map({ !names.contains($0) }) ?? true,
                !plain.contains(where: role.knows)
            else { return }
            names.append(role.rawValue)
            values.append(value)
        }
        complete(.frame, inherited.frame)
        complete(.track, inherited.track)
        complete(.kind, inherited.kind)
        records.append(Record(names: names, values: values))
    }

    /// The simple fields of an object, in order of their names: numbers, words, and boxes as four
    /// numbers.
    private static func fields(of object: [String: Any], within key: String) -> ([String], [String]) {
        var found: [(String, String)] = []
        for (name, item) in object {
            if let text = text(item) {
                found.append((name, text))
            } else if let numbers = numbers(item) {
                found.append((name, numbers))
            } else if isBox(name, item), let box = item as? [String: Any] {
                found += box.compactMap { inner, item in text(item).map { ("\(name).\(inner)", $0) } }
            } else if carriers.contains(name) {
                found += carried(item).filter { object[$0.0] == nil }
            }
        }
        let plain = found.map { BoxColumns.plain($0.0) }
        func has(_ role: BoxColumns.Role, _ tiers: Range<Int>) -> Bool {
            role.tiers[tiers].joined().contains(where: plain.contains)
        }
        // What "id" numbers depends on what it is in.
        if trackKeys.contains(key) {
            if !has(.track, 0..<1), let place = plain.firstIndex(of: "id") { found[place].0 = "track_id" }
        } else if frameKeys.contains(key) {
            let numbering = ["id", "num", "number", "index", "idx", "n"]
            if !has(.frame, 0..<1), let place = plain.firstIndex(where: numbering.contains) {
                found[place].0 = "frame"
            } else {
                found.removeAll { BoxColumns.plain($0.0) == "id" }
            }
        } else if plain.contains("imageid") || key == "annotations" {
            // COCO numbers annotations; its boxes are left, top, width and height.
            found.removeAll { BoxColumns.plain($0.0) == "id" }
            if let place = found.firstIndex(where: { $0.0 == "bbox" }) { found[place].0 = "ltwh" }
        }
        found.sort { $0.0 < $1.0 }
        return (found.map(\.0), found.map(\.1))
    }

    private static func carried(_ item: Any) -> [(String, String)] {
        if let object = item as? [String: Any] {
            return object.compactMap { name, item in text(item).map { (name, $0) } }
        }
        // CVAT's XML: <attribute name="track_id">3</attribute>
        return (item as? [[String: Any]] ?? []).compactMap { attribute in
            guard let name = attribute["name"] as? String, let value = attribute[XMLTree.content] as? String
            else { return nil }
            return (name, value)
        }
    }

    private static func isBox(_ name: String, _ item: Any) -> Bool {
        let plain = BoxColumns.plain(name)
        return item is [String: Any]
            && (["bbox", "box", "boundingbox", "rect", "bboximage", "bndbox"].contains(plain))
    }

    /// A number or a word; nil for what has parts.
    static func text(_ item: Any) -> String? {
        if let text = item as? String { return text }
        if item is NSNull { return "null" }
        guard let number = item as? NSNumber else { return nil }
        let value = number.doubleValue
        return value == value.rounded() && abs(value) < 1e15 ? "\(Int(clamping: value))" : "\(value)"
    }

    /// Four numbers, or two points, as a text.
    private static func numbers(_ item: Any) -> String? {
        guard let list = item as? [Any] else { return nil }
        let flat = list.count == 2 ? list.flatMap { $0 as? [Any] ?? [] } : list
        guard flat.count == 4 else { return nil }
        let texts = flat.compactMap {
            $0 is NSNumber ? text($0) : ($0 as? String).flatMap { Double($0) == nil ? nil : $0 }
        }
        return texts.count == 4 ? "[\(texts.joined(separator: ", "))]" : nil
    }

    // MARK: Shapes of their own

    /// Adds the boxes of an object with a list of boxes, and lists of as many tracks or frames.
    private mutating func addParallel(_ object: [String: Any], _ inherited: Inherited) -> Bool {
        for (name, item) in object.sorted(by: { $0.key < $1.key }) {
            let plain = BoxColumns.plain(name)
            guard
                ["bboxes", "boxes", "xyxy", "ltwh", "tlwh", "bbox", "xyxyn", "cxcywh", "tlbr", "ltrb"]
                    .contains(plain),
                let boxes = item as? [Any], !boxes.isEmpty,
                boxes.allSatisfy({ $0 is NSNull || Self.numbers($0) != nil })
            else { continue }
            func column(_ role: BoxColumns.Role) -> [String]? {
                object.lazy.sorted { $0.key < $1.key }.compactMap { name, item -> [String]? in
                    let plain = BoxColumns.plain(name)
                    guard role.knows(plain) || (plain.hasSuffix("s") && role.knows(String(plain.dropLast()))),
                        let list = item as? [Any], list.count == boxes.count
                    else { return nil }
                    let texts = list.compactMap(Self.text)
                    return texts.count == boxes.count ? texts : nil
                }.first
            }
            let (frames, tracks) = (column(.frame), column(.track))
            guard frames != nil || tracks != nil || inherited.track != nil else { continue }
            if frames == nil && inherited.frame == nil { found.firstFrame = 0 }
            for (index, box) in boxes.enumerated() {
                guard let numbers = Self.numbers(box) else { continue }
                var inherited = inherited
                inherited.frame = frames?[index] ?? inherited.frame ?? "\(index)"
                inherited.track = tracks?[index] ?? inherited.track
                add([plain == "bboxes" || plain == "boxes" ? "bbox" : plain], [numbers], inherited)
            }
            return true
        }
        return false
    }
}
