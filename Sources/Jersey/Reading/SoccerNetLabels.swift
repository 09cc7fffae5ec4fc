import Foundation

/// SoccerNet's format of players and numbers, for ground truth and submissions: a JSON object from
/// the player's name to a whole number, 0...99, or -1 if none can be read.
package struct SoccerNetLabels: Sendable, Equatable {
    /// The name of the file in errors.
    package let path: String
    package let numbers: [String: Int]

    /// - Throws: `FileError` if the file is missing or is not a JSON object, or if a number is a
    ///   string, a fraction or out of range. SoccerNet's scorer would stop there, or count wrongly.
    package init(contentsOf path: String) throws {
        self.path = path
        let data = try TextInput(path, wanted: Self.advice).bytes
        let object: Any
        do {
            object = try JSONSerialization.jsonObject(with: data)
        } catch {
            throw FileError(path, "is not JSON", advice: Self.advice)
        }
        guard let members = object as? [String: Any] else {
            throw FileError(path, "is not a JSON object from player to number", advice: Self.advice)
        }
        guard !members.isEmpty else { throw FileError(path, "names no player", advice: Self.advice) }
        var numbers: [String: Int] = [:]
        for (player, value) in members.sorted(by: { naturallyPrecedes($0.key, $1.key) }) {
            guard let number = Self.wholeNumber(value), -1...99 ~= number else {
                throw FileError(
                    path,
                    "gives player \(player) \(Self.describe(value)) instead of a whole number from -1 to 99",
                    advice: Self.advice)
            }
            numbers[player] = number
        }
        self.numbers = numbers
    }

    /// The labels of predictions, by the name of each sequence's folder. SoccerNet does not
    /// distinguish "07" from "7".
    ///
    /// - Parameter unread: folders of players without frames.
    /// - Throws: `UsageError` if two folders have the same name.
    package init(_ predictions: [Prediction], unread: [String] = []) throws {
        path = "the submission"
        var folders: [String: String] = [:]
        var numbers: [String: Int] = [:]
        for (folder, number) in predictions.map({ ($0.sequence, $0.number) }) + unread.map({ ($0, nil) }) {
            let player = folder.lastName
            if let other = folders.updateValue(folder, forKey: player) {
                throw UsageError(
                    "\(other) and \(folder) would both be player \(player) in SoccerNet's format; read one split at a time"
                )
            }
            numbers[player] =
                number.map { ($0.tens == JerseyNumber.blank ? 0 : $0.tens * 10) + $0.ones } ?? -1
        }
        self.numbers = numbers
    }

    /// The number of a player; nil if it cannot be read, and for unknown players.
    package func number(of player: String) -> JerseyNumber? {
        numbers[player].flatMap { JerseyNumber(String($0)) }
    }

    /// The players of this ground truth whose number `submission` has right, by SoccerNet's
    /// scoring.
    ///
    /// - Throws: `FileError` if the two do not name the same players.
    package func right(in submission: SoccerNetLabels) throws -> Set<String> {
        let (wanted, given) = (Set(numbers.keys), Set(submission.numbers.keys))
        for (players, what) in [
            (wanted.subtracting(given), "lacks"),
            (given.subtracting(wanted), "has, beyond the ground truth,"),
        ] {
            guard let player = players.min(by: naturallyPrecedes) else { continue }
            throw FileError(
                submission.path,
                "\(what) \(players.count == 1 ? "player" : "\(players.count) players, the first") \(player)",
                advice: "it needs the \(wanted.count) players of \(path), with -1 if no number can be read")
        }
        return wanted.filter { numbers[$0] == submission.numbers[$0] }
    }

    /// The content of SoccerNet's file, players in natural order.
    package var json: String {
        let rows = numbers.sorted { naturallyPrecedes($0.key, $1.key) }.map { player, number in
            "  \(JSON.text((try? JSON.line(player)) ?? Data("\"\(player)\"".utf8))): \(number)"
        }
        return "{\n\(rows.joined(separator: ",\n"))\n}\n"
    }

    private static let advice = #"SoccerNet's files look like {"0": 10, "1": -1}"#

    /// Nil for fractions in the file, "7.0" included, and for true and false.
    private static func wholeNumber(_ value: Any) -> Int? {
        guard let number = value as? NSNumber,
            ["q", "i", "l", "s"].contains(String(cString: number.objCType))
        else { return nil }
        return number.intValue
    }

    private static func describe(_ value: Any) -> String {
        switch value {
        case let text as String: "the text \"\(text)\""
        case is NSNull: "null"
        case is [Any]: "a list"
        case is [String: Any]: "an object"
        case let number as NSNumber where String(cString: number.objCType) == "c":
            number.boolValue ? "true" : "false"
        case let number as NSNumber where wholeNumber(number) == nil: "the fraction \(number)"
        default: "\(value)"
        }
    }
}
