/// A convolution with the batch norm behind it.
struct FoldedConvolution {
    /// (O, I / groups, K, K), without the norm, as the layer has it.
    let original: Tensor
    /// What the norm multiplies the weights of each output with, (O), in float64; nil without a norm.
    let factors: Tensor?
    /// In float64.
    let bias: Tensor?
    let geometry: ConvolutionGeometry
    let activation: Activation?

    /// With γ, β, μ, σ² of the norm the weight is W γ / √(σ² + ε), the bias β + (b − μ) γ / √(σ² + ε).
    ///
    /// - Parameter copies: whether `original` gets memory of its own, and stays as it is when the layer learns.
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

    /// The same with the norm, in float64.
    var weight: Tensor {
        let weight = original.to(dtype: .float64)
        return factors.map { weight * $0.reshaped($0.count, 1, 1, 1) } ?? weight
    }
}
