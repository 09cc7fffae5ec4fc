/// The state of a body in one frame. Angles are in radians, lengths in metres.
struct Pose: Sendable {
    /// Rotation about the vertical: 0 shows the back; a positive angle moves the right shoulder (as
    /// seen) away from the camera.
    var yaw = 0.0
    /// Forward and sideways lean of the upper body, and rotation of the shoulders against the hips.
    var lean = 0.0
    var roll = 0.0
    var twist = 0.0
    /// Bend of both knees, from 0 to 1; and sideways rotation of the whole body, up to a quarter
    /// turn in a fall.
    var crouch = 0.0
    var tumble = 0.0
    /// Phase of the running cycle, and amplitude of the limbs: 0 stands, 1 runs.
    var stride = 0.0
    var effort = 0.0
    var look = 0.0
    /// Seconds; cloth moves on its own.
    var time = 0.0
    /// What the left and right arm do instead of swinging, and how far they have got, from 0 to 1.
    var gestures: (Gesture?, Gesture?) = (nil, nil)
    var gesturing = 0.0
    /// Position of the feet: to the right, and towards the camera.
    var place = SIMD2(0.0, 0.0)

    enum Gesture: CaseIterable, Sendable { case raised, onHip, behindBack, pointing, onHead, folded }
}
