/// The values that an analysis computes. Apart from names, they hold no text for people.
///
/// `init` computes; `view` only formats and draws. Programs get the values as JSON.
protocol AnalysisResult: Encodable, Sendable {
    /// - Throws: `UsageError` or `FileError` if the input lacks what the analysis needs.
    init(_ input: AnalysisInput) throws

    /// Renders the result.
    ///
    /// - Parameter input: the input of `init`. It says how many examples to show and where the
    ///   frames are.
    /// - Throws: `FileError` if a frame to show cannot be read.
    func view(_ input: AnalysisInput) throws -> AnalysisView
}
