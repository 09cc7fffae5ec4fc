import JerseySupport

extension Device {
    /// The device that was asked for.
    package enum Choice: String, Codable, CaseIterable, Sendable {
        case automatic, cpu, cuda

        /// - Throws: `UsageError` if CUDA is requested but not available.
        package func resolved() throws -> Device {
            switch self {
            case .cpu: return .cpu
            case .automatic: return .automatic
            case .cuda:
                guard Runtime.cudaDeviceCount > 0 else {
                    throw UsageError("there is no usable CUDA device", remedy: .device)
                }
                return .cuda
            }
        }
    }
}
