import Foundation

/// A finished run of a system program, such as git, gnuplot or a Slurm command.
package struct ExternalProgram {
    /// The status if the program was not found, as in a shell.
    package static let notFound: Int32 = 127

    package let status: Int32
    package let output: Data
    /// What the program wrote to standard error.
    package let errors: String

    /// Runs a program and waits for it.
    ///
    /// - Parameters:
    ///   - command: the program's name (found on the `PATH`) or path, then its arguments.
    ///   - input: the program's standard input.
    /// - Throws: if no process can be created. If the program is missing or fails, `status` says
    ///   so.
    package init(_ command: [String], input: Data = Data(), environment: [String: String]? = nil) throws {
        // Unnamed files instead of pipes. A pipe can fill up, and then the two programs wait for
        // each other; and Foundation traps if a signal interrupts reading a pipe to its end.
        let (given, made, said) = (try Self.file(), try Self.file(), try Self.file())
        try given.write(contentsOf: input)
        try given.seek(toOffset: 0)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command
        if let environment { process.environment = environment }
        process.standardInput = given
        process.standardOutput = made
        process.standardError = said
        try process.run()
        process.waitUntilExit()
        // A signal counts as a failure, as in a shell.
        status =
            process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus
        output = try Self.content(of: made)
        errors = String(decoding: try Self.content(of: said), as: UTF8.self)
    }

    /// The non-empty lines of standard error, trimmed.
    package var complaints: [String] {
        errors.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }.filter {
            !$0.isEmpty
        }
    }

    private static func content(of file: FileHandle) throws -> Data {
        try file.seek(toOffset: 0)
        return try file.readToEnd() ?? Data()
    }

    private static func file() throws -> FileHandle {
        guard let file = tmpfile() else {
            throw FileError(NSTemporaryDirectory(), "cannot hold a temporary file: \(SystemError().reason)")
        }
        defer { fclose(file) }
        return FileHandle(fileDescriptor: fcntl(fileno(file), F_DUPFD_CLOEXEC, 3), closeOnDealloc: true)
    }
}
