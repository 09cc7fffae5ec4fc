import Foundation
import Jersey

/// A prediction as `jersey predict --format json` has it, and where it was asked for, small pictures of the frames.
struct PredictionAnswer: Encodable {
    let prediction: Prediction
    /// Data URLs by the frames' paths.
    var pictures: [String: String]?

    private enum CodingKeys: CodingKey { case pictures }

    func encode(to encoder: any Encoder) throws {
        try prediction.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encodeIfPresent(pictures, forKey: .pictures)
    }

    private static let height = 160
    private static let mostPictures = 64

    /// Adds pictures of the frames read, of all predictions together so many and no more. Runs on a decoding thread.
    static func illustrated(_ predictions: [Prediction], _ sequences: [FrameSequence]) -> [PredictionAnswer] {
        var left = mostPictures
        return zip(predictions, sequences).map { prediction, sequence in
            let places = Dictionary(sequence.frames.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
            var pictures: [String: String] = [:]
            for frame in prediction.frames.prefix(left) {
                guard let index = places[frame.path], let picture = try? picture(sequence, index) else { continue }
                pictures[frame.path] = "data:image/jpeg;base64,\(picture.base64EncodedString())"
            }
            left -= pictures.count
            return PredictionAnswer(prediction: prediction, pictures: pictures)
        }
    }

    private static func picture(_ sequence: FrameSequence, _ index: Int) throws -> Data {
        let image = try sequence.images?[index].get() ?? RGBImage(contentsOf: URL(fileURLWithPath: sequence.file(index)))
        guard image.height > height else { return try image.jpegData() }
        return try image.resized(width: max(1, image.width * height / image.height), height: height).jpegData()
    }
}
