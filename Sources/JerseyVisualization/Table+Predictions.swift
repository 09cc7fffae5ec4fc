import Foundation
import Jersey
import JerseyOutput

extension Table {
    /// One row per prediction.
    package init(_ predictions: [Prediction]) {
        // Extra columns for a roster, and for the windows of long tracks.
        let hasPlayers = predictions.contains { $0.players != nil || $0.conflict != nil }
        let hasWindows = predictions.contains { $0.windows != nil }
        // For tracks in which the player changes, and for players who come again.
        let hasPieces = predictions.contains { $0.pieceOf != nil && $0.span != nil }
        let hasReturns = predictions.contains { $0.isReturn }
        let rows = predictions.map { prediction in
            let others = prediction.top.dropFirst(prediction.number == nil ? 0 : 1)
                .map { "\($0.number) \(Format.percent($0.probability, places: 1))" }.joined(separator: ", ")
            let left = prediction.leftOut.isEmpty ? "" : ", \(prediction.leftOut.count) skipped"
            return [prediction.sequence, prediction.answer, Format.percent(prediction.confidence, places: 1)]
                + (hasPlayers ? [Self.player(prediction)] : []) + [
                    others, "\(prediction.frames.count)\(left)",
                ]
                + (hasWindows ? [Self.decisive(prediction)] : [])
                + (hasPieces ? [prediction.span.map { "\($0.lowerBound)-\($0.upperBound)" } ?? ""] : [])
                + (hasReturns ? [prediction.isReturn ? prediction.playerID ?? "" : ""] : [])
        }
        let header =
            ["sequence", "number", "confidence"] + (hasPlayers ? ["player"] : []) + [
                "alternatives", "frames",
            ]
            + (hasWindows ? ["decided by"] : []) + (hasPieces ? ["in frames"] : [])
            + (hasReturns ? ["same player as"] : [])
        self.init(header, rows: rows)
    }

    /// "Ann Lee (Reds) or Bo Ek (Blues)", or the number that contradicts the roster.
    private static func player(_ prediction: Prediction) -> String {
        if let seen = prediction.conflict {
            return "looks like \(seen.number) (\(Format.percent(seen.probability, places: 1))), not listed"
        }
        return (prediction.players ?? []).map { $0.team.isEmpty ? $0.name : "\($0.name) (\($0.team))" }
            .joined(separator: " or ")
    }

    /// The frame with the greatest weight: its number in a video, or else its name.
    private static func decisive(_ prediction: Prediction) -> String {
        guard prediction.number != nil,
            let frame = prediction.frames.max(by: { ($0.weight ?? 0) < ($1.weight ?? 0) }),
            let weight = frame.weight
        else { return "" }
        let name = frame.videoFrame.map { "frame \($0)" } ?? frame.path.lastName
        return "\(name) (\(Format.percent(weight, places: 0)))"
    }
}

extension Prediction {
    /// Whether an earlier row may show the same player.
    fileprivate var isReturn: Bool { playerID != nil && playerID != track }
}
