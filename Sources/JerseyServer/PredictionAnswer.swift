import Foundation
import Jersey

/// A prediction as in `jersey predict --format json`, with small images of the frames if requested.
struct PredictionAnswer: Encodable {
    let prediction: Prediction
    /// Data URLs by frame path.
    var pictures: [String: String]?

    private enum CodingKeys: CodingKey { case pictures }

    func encode(to encoder: any Encoder) throws {
        try prediction.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encodeIfPresent(pictures, forKey: .pictures)
    }

    private static let height = 160
    /// The most images in one answer.
    static let mostPictures = 64

    /// Small images of the frames that were read, by path. Runs on a decoding thread.
    static func pictures(of prediction: Prediction, _ sequence: FrameSequence, atMost count: Int) -> [String:
        String]
    {
        let places = Dictionary(
            sequence.frames.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        var pictures: [String: String] = [:]
        for frame in prediction.frames.prefix(count) {
            guard let index = places[frame.path], let image = try? sequence.images?[index].get(),
                let picture = try? picture(image)
            else { continue }
            pictures[frame.path] = "data:image/jpeg;base64,\(picture.base64EncodedString())"
        }
        return pictures
    }

    private static func picture(_ image: RGBImage) throws -> Data {
        guard image.height > height else { return try image.jpegData() }
        return try image.resized(width: max(1, image.width * height / image.height), height: height)
            .jpegData()
    }
}
