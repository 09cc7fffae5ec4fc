/// What an analysis finds, as values: nothing in it is text for people, except names.
///
/// `init` computes, and `view` only formats and draws. Programs get the values as JSON.
protocol AnalysisResult: Encodable, Sendable {
    /// - Throws: `UsageError` or `FileError` when the input does not have what the analysis needs.
    init(_ input: AnalysisInput) throws

    /// Shows the result.
    ///
    /// - Parameter input: the one that the result is computed from; it says how much to show, and where frames are.
    /// - Throws: `FileError` when frames that are to be shown cannot be read.
    func view(_ input: AnalysisInput) throws -> AnalysisView
}
