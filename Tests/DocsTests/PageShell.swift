import Foundation
import JerseySupport
import TestSupport
import Testing
import Torch

/// Runs a page's commands in a folder of small data.
final class PageShell {
    private let folder: TestFolder
    private var servers: [RunningProgram] = []
    /// The actual address of the page's server: port 8080 may be taken.
    private var address = "127.0.0.1:8080"

    init() throws {
        folder = try TestFolder()
        for name in try FileManager.default.contentsOfDirectory(atPath: SmallData.folder.url.path) {
            try FileManager.default.copyItem(
                at: SmallData.folder.url.appendingPathComponent(name),
                to: folder.url.appendingPathComponent(name))
        }
    }

    deinit {
        for server in servers { server.process.terminate() }
    }

    /// Writes a named block to a file. Runs the commands of a `console` block, and ends the servers
    /// that it starts.
    func run(_ block: Page.Block) throws {
        if let name = block.name {
            try folder.url.add(name, Data((block.lines.joined(separator: "\n") + "\n").utf8))
        }
        guard block.language == "console" else { return }
        for (command, printed) in block.commands {
            if command.hasPrefix("curl "), !Self.hasCurl {
                Issue.record("not run, since there is no curl: \(command)", severity: .warning)
                continue
            }
            let output = command.hasPrefix("jersey serve") ? try serve(command) : try finish(command)
            check(printed, output, of: command)
        }
        for server in servers {
            server.process.terminate()
            let (status, output, _) = server.end()
            #expect(status == 0, "\(output)")
        }
        servers = []
    }

    private static let hasCurl = (try? ExternalProgram(["curl", "--version"]).status) == 0

    private func finish(_ command: String) throws -> String {
        let call = try RunningProgram(
            shell: command.replacing("127.0.0.1:8080", with: address), in: folder.url)
        let (status, output, _) = call.end()
        try #require(status == 0, "\(command)\n\(output)")
        return output
    }

    private func serve(_ command: String) throws -> String {
        let server = try RunningProgram(shell: "exec \(command) --port 0", in: folder.url)
        servers.append(server)
        let match = server.wait { try? /http:\/\/([0-9.]+:[0-9]+)\n/.firstMatch(in: server.output) }
        address = String(try #require(match, "\(command)\n\(server.output)").output.1)
        return server.output
    }

    /// Compares words but not figures, which depend on data, fonts and processor. A line "…"
    /// matches any lines.
    private func check(_ printed: [String], _ output: String, of command: String) {
        func words(_ line: String) -> String {
            line.replacing(/[0-9.,%]+/, with: "0").split(whereSeparator: \.isWhitespace).joined(
                separator: " ")
        }
        let lines = Set(output.split(separator: "\n").map { words(String($0)) })
        for line in printed where line.contains(/[A-Za-z]/) {
            #expect(lines.contains(words(line)), "\(command) does not print '\(line)':\n\(output)")
        }
    }
}

extension RunningProgram {
    /// Settings that make training end within seconds. Commands of the pages leave these at their
    /// defaults.
    private static let settings = [
        "JERSEY_ENCODER": "compact", "JERSEY_DATA_HEIGHT": "32", "JERSEY_DATA_WIDTH": "32",
        "JERSEY_TRAINING_EPOCHS": "1", "JERSEY_OPTIMIZER_WARMUP_EPOCHS": "0", "JERSEY_TRAINING_THREADS": "1",
    ]

    /// A command in a shell that finds the `jersey` built beside the tests. `output` includes standard
    /// error.
    convenience init(shell command: String, in folder: URL) throws {
        let own = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("JERSEY_") }
        try self.init(
            "/usr/bin/env", ["bash", "-o", "pipefail", "-c", "exec 2>&1\n" + command], in: folder,
            environment: own.merging(Self.settings) { $1 }
                .merging(["PATH": "\(Places.programs.path):\(own["PATH"] ?? "")"]) { $1 },
            limit: .seconds(120))
    }
}

extension Page.Block {
    /// The text after each `$ `, with lines that end in a backslash joined, and what is printed
    /// after it.
    fileprivate var commands: [(command: String, printed: [String])] {
        var commands: [(command: String, printed: [String])] = []
        for line in lines {
            if line.hasPrefix("$ ") {
                commands.append((String(line.dropFirst(2)), []))
            } else if let last = commands.last, last.printed.isEmpty, last.command.hasSuffix("\\") {
                commands[commands.count - 1].command += "\n" + line
            } else if !commands.isEmpty {
                commands[commands.count - 1].printed.append(line)
            }
        }
        return commands
    }
}
