/// The state of a body in one frame. Angles are in radians, lengths in metres.
struct Pose: Sendable {
    /// Turn about the vertical: 0 shows the back, positive brings the right shoulder (as seen) away from the camera.
    var yaw = 0.0
    /// How far the upper body leans forwards and to the side, and how far the shoulders are turned against the hips.
    var lean = 0.0
    var roll = 0.0
    var twist = 0.0
    /// Phase of the running cycle, and how far the limbs go: 0 stands, 1 runs.
    var stride = 0.0
    var effort = 0.0
    var look = 0.0
    /// Seconds: cloth moves by itself.
    var time = 0.0
    /// What the arms do instead of swinging, left and right, and how far they are there, from 0 to 1.
    var gestures: (Gesture?, Gesture?) = (nil, nil)
    var gesturing = 0.0
    /// Where the feet are: to the right, and towards the camera.
    var place = SIMD2(0.0, 0.0)

    enum Gesture: CaseIterable, Sendable { case raised, onHip, behindBack, pointing, onHead }
}
