/// Random changes to training frames, drawn from (seed, epoch, sample). Defaults are the study's.
package struct AugmentationConfig: Sendable, Equatable {
    package var enabled = true
    package var brightness = 0.2
    package var contrast = 0.2
    package var saturation = 0.2
    package var rotation = 5.0
    package var blurProbability = 0.3
    package var blurRadii = [1.0, 1.5, 2.0]
    package var motionBlurProbability = 0.0
    package var motionBlur = [2.0, 8.0]
    package var noiseProbability = 0.2
    package var noise = [0.01, 0.03]
    package var zoom = 0.0
    package var shift = 0.0
    package var shear = 0.0
    package var stretch = 0.0
    package var flipProbability = 0.0
    package var perSequence = false
    package var frameJitter = false

    package init() {}
}
