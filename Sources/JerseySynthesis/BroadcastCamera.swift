import Foundation

/// A camera on a tripod, with perspective.
///
/// Places in a match are in metres from the centre spot: x along the pitch, to the right of the main
/// stand's view, y up, and z towards the main stand.
struct BroadcastCamera: Sendable {
    let place: SIMD3<Double>
    /// Pixels per metre, one metre away.
    let focal: Double
    /// The size of the picture, in pixels.
    let width, height: Int
    /// Unit vectors of the view; `right` is level.
    let ahead, right, up: SIMD3<Double>

    init(at place: SIMD3<Double>, towards target: SIMD3<Double>, focal: Double, width: Int, height: Int) {
        self.place = place
        self.focal = focal
        self.width = width
        self.height = height
        let way = target - place
        ahead = way / way.length
        let level = SIMD3(-ahead.z, 0, ahead.x)
        right = level / level.length
        up = cross(right, ahead)
    }

    /// Where a point is in the picture, in pixels from the left and the top, and how far away, in
    /// metres along the view.
    func seen(_ point: SIMD3<Double>) -> SIMD3<Double> {
        let way = point - place
        let distance = max((way * ahead).sum(), 0.1)
        return SIMD3(
            Double(width) / 2 + focal * (way * right).sum() / distance,
            Double(height) / 2 - focal * (way * up).sum() / distance, distance)
    }
}
