/// How much interferes between the camera and the number. Shares are from 0 to 1.
package struct Difficulty: Sendable, Equatable {
    package let name: String
    /// Standard deviation of the viewing angle from straight behind, in radians.
    let facing: Double
    /// Share of sequences in which the player turns away or back.
    var turning: Double
    /// Shares of sequences in which another player crosses, and in which an arm covers the back.
    var crossing, gestures: Double
    /// Share of kits with a pattern; and the least luminance contrast between number and shirt, in
    /// nearly all kits.
    let patterned, contrast: Double
    /// Shares of kits with numbers in nearly the shirt's colour, and with outline-only numbers.
    let faint, hollow: Double
    /// Share of kits with unusual digit shapes.
    let fancy: Double
    /// How strongly cloth folds; 0 is flat.
    let folds: ClosedRange<Double>
    /// Defocus blur (standard deviation) and motion blur, in frame pixels.
    let defocus, smear: ClosedRange<Double>
    /// Noise, in levels of 255.
    let noise: ClosedRange<Double>
    /// Shares of sequences at night or backlit, with a colour cast, interlaced, and upscaled from a
    /// smaller picture.
    let gloom, cast, interlaced, enlarged: Double
    /// How often the frame was compressed before, and the JPEG quality.
    let generations: ClosedRange<Int>
    let quality: ClosedRange<Double>
    /// Frame heights in pixels, for players and for number crops.
    package let bodyHeight, numberHeight: ClosedRange<Double>

    /// Small models learn these in minutes.
    package static let easy = Difficulty(
        name: "easy", facing: 0.15, turning: 0, crossing: 0, gestures: 0, patterned: 0.4, contrast: 0.35,
        faint: 0, hollow: 0,
        fancy: 0,
        folds: 0.1...0.5, defocus: 0...0.4, smear: 0...0.5, noise: 0.5...4, gloom: 0, cast: 0, interlaced: 0,
        enlarged: 0,
        generations: 0...0, quality: 85...92, bodyHeight: 96...160, numberHeight: 32...64)

    /// Like broadcast footage.
    package static let real = Difficulty(
        name: "real", facing: 0.4, turning: 0.25, crossing: 0.25, gestures: 0.2, patterned: 0.45,
        contrast: 0.3, faint: 0.18,
        hollow: 0.07, fancy: 0.75, folds: 0.4...1.8, defocus: 0.15...0.75, smear: 0...2, noise: 0.5...5.5,
        gloom: 0.15,
        cast: 0.35,
        interlaced: 0.07, enlarged: 0.35, generations: 0...2, quality: 40...92, bodyHeight: 40...200,
        numberHeight: 15...42)

    package static let all = [easy, real]
}
