import Foundation

/// What is known about a rendered frame: a line of the `truth.jsonl` beside the frames.
package struct FrameTruth: Codable, Equatable, Sendable {
    /// The name of the frame's file.
    package let frame: String
    /// Nil if the player shows no number in the whole sequence.
    package let number: JerseyNumber?
    /// From 0 (the number is hidden) to 1 (it is seen from straight ahead, unobstructed).
    package let visibility: Double
    /// Around the visible part of the number, and of the player: left, top, width and height in
    /// pixels. Nil if there is none.
    package let numberBox, playerBox: [Double]?

    package init(
        frame: String, number: JerseyNumber?, visibility: Double, numberBox: [Double]?, playerBox: [Double]?
    ) {
        self.frame = frame
        self.number = number
        self.visibility = visibility
        self.numberBox = numberBox
        self.playerBox = playerBox
    }

    private enum CodingKeys: String, CodingKey {
        case frame, number, visibility
        case numberBox = "number_box"
        case playerBox = "player_box"
    }

    package func encode(to encoder: any Encoder) throws {
        var row = encoder.container(keyedBy: CodingKeys.self)
        try row.encode(frame, forKey: .frame)
        try row.encode(number, forKey: .number)  // write null, do not omit the key
        try row.encode(visibility, forKey: .visibility)
        try row.encode(numberBox, forKey: .numberBox)
        try row.encode(playerBox, forKey: .playerBox)
    }
}

extension FrameTruth {
    /// The name of the file.
    package static let fileName = "truth.jsonl"
    /// With less of the number to see, nobody could find or read it.
    package static let leastVisibility = 0.15

    /// The box of the number; nil if too little of it is seen.
    package var box: NumberBox? {
        guard visibility >= Self.leastVisibility, let box = numberBox, box.count == 4,
            box.allSatisfy(\.isFinite), box[2] > 0, box[3] > 0
        else { return nil }
        return NumberBox(left: box[0], top: box[1], width: box[2], height: box[3])
    }

    /// The truth of all frames in a folder, by the frames' names; nil where there is no such file.
    ///
    /// - Throws: `FileError` if the file is broken.
    package static func all(in folder: URL) throws -> [String: FrameTruth]? {
        let file = folder.appendingPathComponent(fileName)
        guard let data = try? Data(contentsOf: file) else { return nil }
        do {
            let lines = try data.split(separator: UInt8(ascii: "\n")).map {
                try JSON.decoded(from: Data($0)) as FrameTruth
            }
            return Dictionary(lines.map { ($0.frame, $0) }, uniquingKeysWith: { $1 })
        } catch let error as DecodingError {
            throw FileError(
                file.path, "is not the truth of rendered frames (\(error.summary))",
                advice: "render the data again")
        }
    }
}
