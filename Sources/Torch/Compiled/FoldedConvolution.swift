/// A convolution with the batch norm after it folded in.
struct FoldedConvolution {
    /// (O, I / groups, K, K): the layer's own weight, without the norm.
    let original: Tensor
    /// (O), float64: the norm's factor for the weights of each output; nil without a norm.
    let factors: Tensor?
    /// (O), float64.
    let bias: Tensor?
    let geometry: ConvolutionGeometry
    let activation: Activation?

    /// With γ, β, μ and σ² of the norm, the weight is W γ / √(σ² + ε),
    /// and the bias is β + (b − μ) γ / √(σ² + ε).
    ///
    /// - Parameter copies: whether `original` gets memory of its own, and keeps its values when the
    ///   layer trains.
    init(_ layer: ConvNormActivation, copies: Bool = false) {
        let convolution = layer.convolution
        original = copies ? convolution.weight.copied() : convolution.weight
        geometry = convolution.geometry
        activation = layer.activation
        let bias = convolution.bias?.to(dtype: .float64)
        guard let norm = layer.norm else {
            factors = nil
            self.bias = bias
            return
        }
        let deviation = (norm.runningVariance.to(dtype: .float64) + norm.epsilon).squareRoot()
        let factors = norm.weight.to(dtype: .float64) / deviation
        let mean = norm.runningMean.to(dtype: .float64)
        self.factors = factors
        self.bias = norm.bias.to(dtype: .float64) + (bias.map { $0 - mean } ?? mean * -1) * factors
    }

    /// The weight with the norm folded in, float64.
    var weight: Tensor {
        let weight = original.to(dtype: .float64)
        return factors.map { weight * $0.reshaped($0.count, 1, 1, 1) } ?? weight
    }
}
