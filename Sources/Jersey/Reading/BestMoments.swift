/// Chooses the best view of each slot of time, so that a track is read where its player is near, in
/// the picture and not hidden, and still in all its parts: no box tells when a player's back is
/// turned to the camera.
enum BestMoments {
    /// The length of a slot in frames; neighbouring frames of a video show the same.
    static let slot: Int32 = 5
    /// The least quality of a view of a long track, as a share of the track's best. Boxes know little
    /// of who hides whom, so what a model reads at once anyway is read, however bad.
    static let leastShare: Float = 0.5

    /// - Parameters:
    ///   - views: of one track, in time order.
    ///   - size: the most frames that the model reads at once. A short track has shorter slots, so
    ///     that it still fills that.
    /// - Returns: indices of `views`, in order.
    static func chosen(of views: [BoxView], size: Int) -> [Int] {
        let slot = min(slot, max(1, Int32(clamping: views.count / size)))
        var moments: [Int] = []
        for index in views.indices {
            if let last = moments.last, isOneSlot(views[last], views[index]) {
                if views[index].quality > views[last].quality { moments[moments.count - 1] = index }
            } else {
                moments.append(index)
            }
        }
        func isOneSlot(_ one: BoxView, _ other: BoxView) -> Bool {
            (one.frame - views[0].frame) / slot == (other.frame - views[0].frame) / slot
        }
        let ranked = moments.sorted { (views[$0].quality, $1) > (views[$1].quality, $0) }
        let best = ranked.first.map { views[$0].quality } ?? 0
        return ranked.enumerated().filter {
            $0.offset < size || views[$0.element].quality >= leastShare * best
        }
        .map(\.element).sorted()
    }
}
