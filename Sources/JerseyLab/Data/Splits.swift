import Foundation
import Jersey

/// The tracks of training, validation and test. Stored as `splits.json` in the study's format, with
/// the settings that made it.
package struct Splits: Codable, Sendable, Equatable {
    package enum Part: String, CaseIterable, Codable, Sendable {
        case train, val, test
    }

    package var train: Set<String> = []
    package var val: Set<String> = []
    package var test: Set<String> = []
    /// Tracks in `test` whose number is held out of training.
    package var heldOut: Set<String> = []
    /// The settings that made the split; nil in the study's own files.
    package var origin: Origin?

    package struct Origin: Codable, Sendable, Equatable {
        package let seed: UInt64
        package let ratios: [Double]
        package let groupPattern: String?
        /// Nil if nothing is held out.
        package let heldOutShare: Double?
        /// True if tracks were drawn as in the study; otherwise nil.
        package let published: Bool?

        package init(_ config: DataConfig, published: Bool) {
            self.published = published ? true : nil
            seed = config.splitSeed
            ratios = config.ratios
            groupPattern = config.groupPattern
            heldOutShare = config.heldOutShare > 0 ? config.heldOutShare : nil
        }
    }

    package subscript(part: Part) -> Set<String> {
        get {
            switch part {
            case .train: train
            case .val: val
            case .test: test
            }
        }
        set {
            switch part {
            case .train: train = newValue
            case .val: val = newValue
            case .test: test = newValue
            }
        }
    }

    private enum CodingKeys: String, CodingKey {
        case train = "train_tracks"
        case val = "val_tracks"
        case test = "test_tracks"
        case heldOut = "held_out_tracks"
        case origin
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(train.sorted(), forKey: .train)
        try container.encode(val.sorted(), forKey: .val)
        try container.encode(test.sorted(), forKey: .test)
        if !heldOut.isEmpty { try container.encode(heldOut.sorted(), forKey: .heldOut) }
        try container.encodeIfPresent(origin, forKey: .origin)
    }

    /// The sequences of one part, in data set order.
    package func sequences(_ part: Part, of dataset: Dataset) -> [FrameSequence] {
        dataset.sequences.filter { self[part].contains($0.track) }
    }

    /// Numbers in the training part.
    package func seenNumbers(in dataset: Dataset) -> Set<JerseyNumber> {
        Set(sequences(.train, of: dataset).compactMap(\.number))
    }
}

// MARK: - Making

extension Splits {
    /// Sizes of train, validation and test for `count` tracks of one number. With the study's
    /// rounding a single track goes to test, and three to five tracks leave test empty or small.
    ///
    /// - Parameter published: lets training take all tracks, as in the study.
    package static func sizes(_ count: Int, ratios: [Double], published: Bool = false) -> (
        train: Int, val: Int, test: Int
    ) {
        guard count >= 2 else { return (0, 0, count) }
        guard count >= 3 else { return (1, 1, 0) }
        var train = max(1, Int(clamping: Double(count) * ratios[0]))
        var val = max(1, Int(clamping: Double(count) * ratios[1]))
        // Ratios near 1 could take more than `count`.
        train = min(train, published ? count : count - 1)
        val = min(val, count - train)
        return (train, val, count - train - val)
    }

    /// Splits by track, stratified by number; with a group pattern, splits by group. Then moves
    /// held-out numbers to test.
    ///
    /// - Parameter published: reproduces the study's split. A group pattern overrides it.
    /// - Throws: `UsageError` if the group pattern is invalid or no number can be held out.
    package init(_ dataset: Dataset, _ config: DataConfig, published: Bool = false) throws {
        origin = Origin(config, published: published && config.groupPattern == nil)
        if let pattern = config.groupPattern {
            assignGroups(dataset, try GroupPattern(pattern), config)
        } else if published {
            assignAsPublished(dataset, config)
        } else {
            assignTracks(dataset, config)
        }
        if config.heldOutShare > 0 { try holdOutNumbers(dataset, config) }
    }

    /// Moves all tracks of some two-digit numbers to test. Numbers without which training would
    /// lack a digit stay.
    ///
    /// Other tracks of the same group stay where they are: a group shares players, but each player
    /// wears one number.
    private mutating func holdOutNumbers(_ dataset: Dataset, _ config: DataConfig) throws {
        let tracks = Dictionary(grouping: dataset.sequences, by: \.number).mapValues { Set($0.map(\.track)) }
        let numbers = dataset.numbers.filter { $0.tens != JerseyNumber.blank }
        var kept = seenNumbers(in: dataset)
        func digits(_ numbers: Set<JerseyNumber>) -> (tens: Set<Int>, ones: Set<Int>) {
            (Set(numbers.map(\.tens)), Set(numbers.map(\.ones)))
        }
        let wanted = max(1, Int(clamping: (Double(numbers.count) * config.heldOutShare).rounded()))
        let all = digits(kept)
        var count = 0
        var random = RandomStream(config.splitSeed, fnv1a("held out"))
        for number in numbers.shuffled(using: &random) where count < wanted && kept.contains(number) {
            guard digits(kept.subtracting([number])) == all else { continue }
            kept.remove(number)
            heldOut.formUnion(tracks[number, default: []])
            count += 1
        }
        guard count > 0 else {
            throw UsageError(
                "data.heldOutShare is \(config.heldOutShare), but no two-digit number can be held out: each has a digit "
                    + "that no other training number has; use more numbers, or data.heldOutShare=0")
        }
        train.subtract(heldOut)
        val.subtract(heldOut)
        test.formUnion(heldOut)
    }

    private mutating func assignTracks(_ dataset: Dataset, _ config: DataConfig) {
        // Sequences without a number, if included, are split as one more number.
        let tracksOf = Dictionary(grouping: dataset.sequences, by: \.number).mapValues {
            Set($0.map(\.track))
        }
        for number in dataset.numbers.map(Optional.some) + [nil] {
            var tracks = tracksOf[number, default: []].sorted()
            var random = RandomStream(config.splitSeed, UInt64(number?.tens ?? 11), UInt64(number?.ones ?? 0))
            tracks.shuffle(using: &random)
            assign(tracks, Self.sizes(tracks.count, ratios: config.ratios))
        }
    }

    /// Draws as the study does: numbers in text order, one generator for all.
    private mutating func assignAsPublished(_ dataset: Dataset, _ config: DataConfig) {
        let tracksOf = Dictionary(grouping: dataset.sequences) { $0.number?.description ?? "" }.mapValues {
            Set($0.map(\.track))
        }
        var random = PythonRandom(seed: config.splitSeed)
        for (_, tracks) in tracksOf.sorted(by: { textPrecedes($0.key, $1.key) }) {
            var tracks = tracks.sorted(by: textPrecedes)
            random.shuffle(&tracks)
            assign(tracks, Self.sizes(tracks.count, ratios: config.ratios, published: true))
        }
    }

    private mutating func assign(_ tracks: [String], _ sizes: (train: Int, val: Int, test: Int)) {
        train.formUnion(tracks.prefix(sizes.train))
        val.formUnion(tracks.dropFirst(sizes.train).prefix(sizes.val))
        test.formUnion(tracks.suffix(sizes.test))
    }

    /// Assigns groups greedily, largest first. Each goes to the part that brings the track counts,
    /// in total and per number, closest to the ratios.
    private mutating func assignGroups(_ dataset: Dataset, _ pattern: GroupPattern, _ config: DataConfig) {
        let numberOf = Dictionary(
            dataset.sequences.map { ($0.track, $0.number) }, uniquingKeysWith: { first, _ in first })
        let groups = Dictionary(grouping: dataset.tracks, by: pattern.group)
        var random = RandomStream(config.splitSeed)
        let order = groups.keys.sorted().shuffled(using: &random).sorted {
            groups[$0]!.count > groups[$1]!.count
        }
        /// Track counts per number; the nil key holds the total.
        func counts(_ tracks: [String]) -> [JerseyNumber?: Double] {
            var counts: [JerseyNumber?: Double] = [nil: Double(tracks.count)]
            for case let number? in tracks.map({ numberOf[$0]! }) { counts[number, default: 0] += 1 }
            return counts
        }
        let totals = counts(dataset.tracks)
        var assigned = Dictionary(uniqueKeysWithValues: Part.allCases.map { ($0, [JerseyNumber?: Double]()) })
        for group in order {
            let added = counts(groups[group]!)
            // Dictionary order varies between runs, and rounding depends on the order of summation.
            let ordered = added.sorted { ($0.key?.description ?? "") < ($1.key?.description ?? "") }
            func cost(_ part: Part, _ ratio: Double) -> Double {
                guard ratio > 0 else { return .infinity }
                // Growth of the squared distance from the target. Dividing by the target weighs
                // small parts as much as large ones.
                return ordered.reduce(0) { sum, item in
                    let target = max(totals[item.key]! * ratio, 0.5)
                    let now = assigned[part]![item.key] ?? 0
                    func distance(_ value: Double) -> Double { (value - target) * (value - target) / target }
                    // Clips share players, so single numbers can be far from balanced. Part sizes
                    // take precedence.
                    let weight = item.key == nil ? Double(totals.count) : 1
                    return sum + weight * (distance(now + item.value) - distance(now))
                }
            }
            let part = zip(Part.allCases, config.ratios).min { cost($0.0, $0.1) < cost($1.0, $1.1) }!.0
            self[part].formUnion(groups[group]!)
            assigned[part]!.merge(added, uniquingKeysWith: +)
        }
    }
}

// MARK: - Files and checks

extension Splits {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        train = try container.decode(Set<String>.self, forKey: .train)
        val = try container.decode(Set<String>.self, forKey: .val)
        test = try container.decode(Set<String>.self, forKey: .test)
        heldOut = try container.decodeIfPresent(Set<String>.self, forKey: .heldOut) ?? []
        origin = try container.decodeIfPresent(Origin.self, forKey: .origin)
    }

    /// The split of a run: read from `url` if the file exists, otherwise made and written.
    ///
    /// - Parameter published: whether to draw a new split as the study does.
    /// - Throws: `FileError` if the file does not match the data or the configuration, or a group
    ///   is in two parts.
    package static func forRun(_ dataset: Dataset, _ config: DataConfig, published: Bool = false, at url: URL)
        throws -> Splits
    {
        if FileNames.exists(url.path) {
            let splits = try Splits(contentsOf: url)
            try splits.check(against: dataset, config, path: url.path)
            return splits
        }
        let splits = try Splits(dataset, config, published: published)
        try splits.checkLeaks(config, path: url.path)
        try splits.write(to: url)
        return splits
    }

    package init(contentsOf url: URL) throws {
        do {
            self = try JSONDecoder().decode(Splits.self, from: Data(wholeFile: url.path))
        } catch let error as DecodingError {
            throw FileError(
                url.path,
                "is not a splits file with train_tracks, val_tracks and test_tracks (\(error.summary))")
        } catch {
            throw FileError(url.path, doing: "read the splits", error: error)
        }
    }

    package func write(to url: URL) throws {
        try AtomicFile.write(JSON.readable(self), to: url)
    }

    package func check(against dataset: Dataset, _ config: DataConfig, path: String) throws {
        let advice = "delete it to make a new split, or name another file with --splits"
        let known = train.union(val).union(test)
        let present = Set(dataset.tracks)
        if let track = present.subtracting(known).min() {
            throw FileError(
                path,
                "lacks track \(track) and \(present.subtracting(known).count - 1) others of the data set",
                advice: advice)
        }
        let wanted = config.classes.map(Set.init)
        let missing = known.subtracting(present).filter { track in
            let folder = String(track.prefix { $0 != "/" })
            // The split may cover more than this run requests.
            return folder == FolderLayout.unreadable ? config.unreadable : wanted?.contains(folder) ?? true
        }
        if let track = missing.min() {
            throw FileError(
                path, "names track \(track) and \(missing.count - 1) others that the data set lacks",
                advice: advice)
        }
        if let origin, !wasMade(with: config) {
            throw FileError(
                path,
                "was made with seed \(origin.seed), ratios \(origin.ratios), group pattern \(origin.groupPattern ?? "none"), "
                    + "held-out share \(origin.heldOutShare ?? 0)",
                advice: "use the same settings, or " + advice)
        }
        try checkLeaks(config, path: path)
    }

    /// Whether the split was made with these settings, drawn our way or the study's.
    package func wasMade(with config: DataConfig) -> Bool {
        origin == Origin(config, published: origin?.published ?? false)
    }

    /// Throws if a track or a group of tracks is in two parts. Tracks of held-out numbers are
    /// exempt from the group check.
    package func checkLeaks(_ config: DataConfig, path: String) throws {
        let pattern = try config.groupPattern.map(GroupPattern.init)
        var owner: [String: (part: Part, track: String)] = [:]
        for part in Part.allCases {
            for track in self[part].sorted() {
                let group = heldOut.contains(track) ? track : pattern?.group(of: track) ?? track
                if let other = owner[group], other.part != part {
                    throw FileError(
                        path,
                        "leaks: \(other.track) is in \(other.part.rawValue) and \(track) in \(part.rawValue)"
                            + (pattern == nil ? "" : ", both in group '\(group)'"),
                        advice: "delete it to make a new split")
                }
                owner[group] = (part, track)
            }
        }
    }
}
