/// Which boxes of a track are read. Neighbouring boxes show the same, and not all show it well.
public enum BoxSelection: Sendable, Equatable {
    /// The best view of each slot of time, as far as boxes tell: of a player who is near, in the
    /// picture, and not behind another.
    case bestMoments
    /// Every n-th box of a long track; at least 1. A short track is thinned less, so that it still
    /// fills what a model reads at once.
    case every(Int)

    /// Chooses boxes of one track.
    ///
    /// - Parameters:
    ///   - views: its boxes in the picture, in time order.
    ///   - size: the most frames that the model reads at once.
    /// - Returns: indices of `views`, in order.
    func chosen(of views: [BoxView], size: Int) -> [Int] {
        switch self {
        case .bestMoments: BestMoments.chosen(of: views, size: size)
        case .every(let stride): TrackWindows(frames: views.count, size: size, stride: stride).frames
        }
    }
}
