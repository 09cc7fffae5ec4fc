import Foundation
import Jersey
import JerseyOutput
import Torch

/// The findings of an analysis for people: tables, sentences, charts, pictures and other files.
package struct AnalysisView: Sendable {
    package struct File: Sendable {
        package enum Content: Sendable {
            case data(Data)
            /// Written as PNG. The caption describes the picture.
            case picture(RGBImage, caption: String)
            /// A file to copy.
            case copy(of: URL)
        }

        /// Relative to the output folder.
        package let path: String
        package let content: Content

        init(_ path: String, _ data: Data) {
            self.path = path
            content = .data(data)
        }

        init(_ path: String, copyOf url: URL) {
            self.path = path
            content = .copy(of: url)
        }

        init(_ path: String, _ picture: RGBImage, caption: String) {
            self.path = path
            content = .picture(picture, caption: caption)
        }
    }

    /// The values shown. Written as `<analysis>.json`.
    let result: any AnalysisResult
    package let tables: [Table]
    /// Sentences below the tables.
    package let notes: [String]
    package let charts: [Chart]
    /// Pictures, frames and other files.
    package let files: [File]

    init(
        of result: any AnalysisResult, tables: [Table], notes: [String] = [], charts: [Chart] = [],
        files: [File] = []
    ) {
        self.result = result
        self.tables = tables
        self.notes = notes
        self.charts = charts
        self.files = files
    }

    /// Writes everything to a folder, and creates it if needed.
    ///
    /// - Throws: `FileError` that names the file.
    package func write(to folder: URL, name: String) throws {
        try FileManager.default.makeFolder(folder)
        try AtomicFile.write(JSON.output(result), to: folder.appendingPathComponent("\(name).json"))
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
