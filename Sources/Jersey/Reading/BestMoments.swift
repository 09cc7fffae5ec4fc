/// Chooses the best view of each slot of time, so that a track is read where its player is near, in
/// the picture and not hidden, and still in all its parts: no box tells when a player's back is
/// turned to the camera.
enum BestMoments {
    /// The length of a slot in frames; neighbouring frames of a video show the same.
    static let slot: Int32 = 5
    /// The least quality of a view, as a share of the track's best.
    static let leastShare: Float = 0.5

    /// - Parameters:
    ///   - views: of one track, in time order.
    ///   - size: the most frames that the model reads at once. A short track has shorter slots, so
    ///     that it still fills that.
    /// - Returns: indices of `views`, in order.
    static func chosen(of views: [BoxView], size: Int) -> [Int] {
        guard let first = views.first, let best = views.map(\.quality).max() else { return [] }
        let slot = min(slot, max(1, Int32(clamping: views.count / size)))
        var chosen: [Int] = []
        var current: Int32 = -1
        for index in views.indices where views[index].quality >= leastShare * best {
            let place = (views[index].frame - first.frame) / slot
            if place != current {
                current = place
                chosen.append(index)
            } else if views[index].quality > views[chosen[chosen.count - 1]].quality {
                chosen[chosen.count - 1] = index
            }
        }
        return chosen
    }
}
