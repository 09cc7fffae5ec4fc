import Foundation

/// Places of this checkout that tests read.
package enum Places {
    /// The root of the repository.
    package static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../..").standardizedFileURL

    /// The folder of the tests, in which the build also puts the programs.
    package static let programs = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent()

    /// The program `jersey`.
    package static let jersey = programs.appendingPathComponent("jersey").path
}
