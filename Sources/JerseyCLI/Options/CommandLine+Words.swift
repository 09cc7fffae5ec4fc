import Foundation
import Jersey

extension CommandLine {
    /// The words of the call after the program's name. They are read as bytes, so that file names that
    /// are not UTF-8 work.
    static var words: [String] {
        (1..<max(1, Int(argc))).compactMap { unsafeArgv[$0] }.map { word in
            String(fileSystemBytes: UnsafeRawBufferPointer(start: word, count: strlen(word)))
        }
    }
}
