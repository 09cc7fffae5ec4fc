import Jersey

/// A layout of labelled sequences on disk.
package struct DatasetFormat: Sendable, Catalogued {
    package let name: String
    package let summary: String
    let read: @Sendable (DataConfig) throws -> Dataset

    package static let all: [DatasetFormat] = [.folders, .soccernet]
    package static let kind = "data format"
}
