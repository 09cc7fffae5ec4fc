import Foundation
import Jersey
import JerseyOutput

/// What an analysis found.
package struct AnalysisResult: Sendable {
    package struct File: Sendable {
        package enum Content: Sendable {
            case data(Data)
            /// Written as PNG; the caption says what there is to see.
            case picture(RGBImage, caption: String)
            /// A file to be copied.
            case copy(of: URL)
        }

        /// Relative to the output folder.
        package let path: String
        package let content: Content

        init(_ path: String, _ data: Data) { (self.path, content) = (path, .data(data)) }
        init(_ path: String, copyOf url: URL) { (self.path, content) = (path, .copy(of: url)) }

        init(_ path: String, _ picture: RGBImage, caption: String) {
            (self.path, content) = (path, .picture(picture, caption: caption))
        }
    }

    package var tables: [Table]
    /// Sentences below the tables.
    package var notes: [String] = []
    /// Written as `<analysis>.json`.
    package var json: any Encodable & Sendable
    package var charts: [Chart] = []
    /// Pictures, frames and other files.
    package var files: [File] = []

    /// Writes all into a folder, which is made where it is missing.
    ///
    /// - Throws: `FileError` that names the file.
    package func write(to folder: URL, name: String) throws {
        try FileManager.default.makeFolder(folder)
        try AtomicFile.write(JSON.readable(json, snakeCase: true), to: folder.appendingPathComponent("\(name).json"))
        for chart in charts { try chart.write(to: folder) }
        for file in files {
            let url = folder.appendingPathComponent(file.path)
            try FileManager.default.makeFolder(url.deletingLastPathComponent())
            switch file.content {
            case .data(let data):
                try AtomicFile.write(data, to: url)
            case .picture(let image, _):
                try AtomicFile.write(image.pngData(), to: url)
            case .copy(let source):
                do {
                    try AtomicFile.write(Data(wholeFile: source.path), to: url)
                } catch let error as FileError {
                    throw error
                } catch {
                    throw FileError(source.path, doing: "copy the frame", error: error)
                }
            }
        }
    }
}
