import Foundation

/// A program of the system that has run to its end: git, gnuplot, Slurm's commands.
package struct ExternalProgram {
    /// The status of a program that is not there.
    package static let notFound: Int32 = 127

    package let status: Int32
    package let output: Data
    /// What it said on standard error.
    package let errors: String

    /// Runs a program and waits for it.
    ///
    /// - Parameters:
    ///   - command: its name, found on the `PATH`, or its path; and its arguments.
    ///   - input: what it reads from standard input.
    /// - Throws: when no process can be made. A program that is missing, or fails, tells by its status.
    package init(_ command: [String], input: Data = Data(), environment: [String: String]? = nil) throws {
        // Nameless files do not fill up as pipes do, so that we and the program cannot wait for each other; and no signal interrupts
        // reading them, on which Foundation's way of reading a pipe to its end would trap.
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
        status = process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus
        output = try Self.content(of: made)
        errors = String(decoding: try Self.content(of: said), as: UTF8.self)
    }

    /// Lines of standard error without the space around them, empty ones left out.
    package var complaints: [String] {
        errors.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
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
