/// How much interferes between the camera and the number. Shares are from 0 to 1.
package struct Difficulty: Sendable, Equatable {
    package let name: String
    /// Standard deviation of the viewing angle from straight behind, in radians.
    let facing: Double
    /// Share of sequences in which the player turns away or back.
    var turning: Double
    /// Mean count of other players nearby, and share of sequences in which an arm covers the back.
    var others, gestures: Double
    /// Share of players who bend, crouch or fall.
    let stunts: Double
    /// How much else there is to see: prints, texts in boxes, patterned digits, dirt. 0 is plain.
    let clutter: Double
    /// Share of boxes that are too large, shifted, or cut off a part of the player.
    let misboxed: Double
    /// Share of kits with a pattern; and the least luminance contrast between number and shirt, in
    /// nearly all kits.
    let patterned, contrast: Double
    /// Shares of kits with numbers in nearly the shirt's colour, and with outline-only numbers.
    var faint, hollow: Double
    /// Share of kits with unusual digit shapes.
    var fancy: Double
    /// How strongly cloth folds; 0 is flat.
    let folds: ClosedRange<Double>
    /// Margins of number crops, relative to the number's height.
    let margins: ClosedRange<Double>
    /// Defocus blur (standard deviation) and motion blur, in pixels of a frame with a number 15
    /// pixels high; larger numbers blur more.
    let defocus, smear: ClosedRange<Double>
    /// Noise, in levels of 255.
    let noise: ClosedRange<Double>
    /// Shares of sequences at night or backlit, with a colour cast, interlaced, and upscaled from a
    /// smaller picture.
    let gloom, cast, interlaced, enlarged: Double
    /// How often the frame was compressed before, and the JPEG quality.
    let generations: ClosedRange<Int>
    let quality: ClosedRange<Double>
    /// Frame heights in pixels, for players, torsos and number crops.
    private let bodyHeight, torsoHeight, numberHeight: ClosedRange<Double>

    package func height(_ framing: Framing) -> ClosedRange<Double> {
        switch framing {
        case .body: bodyHeight
        case .torso: torsoHeight
        case .number: numberHeight
        }
    }

    /// Small models learn these in minutes.
    package static let easy = Difficulty(
        name: "easy", facing: 0.15, turning: 0, others: 0, gestures: 0, stunts: 0, clutter: 0, misboxed: 0,
        patterned: 0.4, contrast: 0.35, faint: 0, hollow: 0, fancy: 0, folds: 0.1...0.5,
        margins: 0.03...0.28, defocus: 0...0.3, smear: 0...0.4, noise: 0.5...4, gloom: 0, cast: 0,
        interlaced: 0, enlarged: 0, generations: 0...0, quality: 85...92, bodyHeight: 96...160,
        torsoHeight: 48...96, numberHeight: 32...64)

    /// Like broadcast footage.
    package static let real = Difficulty(
        name: "real", facing: 0.45, turning: 0.2, others: 0.6, gestures: 0.2, stunts: 0.18, clutter: 1,
        misboxed: 0.45, patterned: 0.5, contrast: 0.36, faint: 0.04, hollow: 0.04, fancy: 0.75,
        folds: 0.4...1.8, margins: 0...0.6, defocus: 0...0.65, smear: 0...2.4, noise: 0.5...5,
        gloom: 0.11, cast: 0.3, interlaced: 0.06, enlarged: 0.3, generations: 0...2, quality: 40...92,
        bodyHeight: 40...320, torsoHeight: 28...260, numberHeight: 12...64)

    package static let all = [easy, real]
}
