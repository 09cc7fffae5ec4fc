import Foundation
import Jersey
import JerseyLab
import JerseyOutput

/// All runs at a glance: a row per model and variant, a cell per seed.
struct ExperimentOverview {
    let name: String
    let status: ExperimentStatus

    var headline: String {
        let counts = RunState.allCases.reversed().map { ($0, status.count($0)) }.filter { $0.1 > 0 }
        let words = counts.map { "\($0.1) \($0.0.rawValue)" }.joined(separator: ", ")
        let left = status.remainingSeconds.map { "; about \(Format.duration($0)) left" } ?? ""
        let isOver = status.runs.allSatisfy { [.finished, .failed].contains($0.state) }
        return "\(name), \(status.runs.count) runs: \(words)\(isOver ? "" : left)"
    }

    var table: Table { table(of: groups) }

    /// At most `limit` rows, running ones first.
    func table(limit: Int) -> Table {
        let busy = groups.filter { group in status.runs.contains { $0.group == group && $0.state == .running }
        }
        return table(
            of: groups.count <= limit
                ? groups : Array((busy + groups.filter { !busy.contains($0) }).prefix(limit)))
    }

    var failures: [String] {
        status.runs.compactMap { run in run.reason.map { "\(run.id): \($0)" } }
    }

    private var groups: [String] {
        var seen: Set<String> = []
        return status.runs.map(\.group).filter { seen.insert($0).inserted }
    }

    private func table(of groups: [String]) -> Table {
        var seeds: [UInt64] = []
        for run in status.runs where !seeds.contains(run.seed) { seeds.append(run.seed) }
        let rows = groups.map { group in
            let runs = status.runs.filter { $0.group == group }
            let accuracies = Summary(runs.compactMap(\.accuracy))
            return [group] + seeds.map { seed in runs.first { $0.seed == seed }.map(Self.cell) ?? "" } + [
                accuracies.percentText
            ]
        }
        return Table(["model"] + seeds.map { "seed \($0)" } + ["mean ± sd"], rows: rows)
    }

    private static func cell(_ run: ExperimentStatus.Run) -> String {
        switch run.state {
        case .finished: run.accuracy.map { Format.percent($0, places: 2) } ?? "finished"
        case .running: run.progress.map { "epoch \($0.epoch)/\($0.epochs)" } ?? "starting"
        case .interrupted, .waiting, .failed: run.state.rawValue
        }
    }
}

/// Shows an experiment's progress: a redrawn table on a terminal, plain lines elsewhere.
final class ExperimentConsole: ExperimentObserver {
    private let name: String
    private var drawnLines = 0
    private var lastDraw: ContinuousClock.Instant?
    private var lastHeadline = ContinuousClock.now

    init(name: String) {
        self.name = name
    }

    func say(_ text: String) {
        erase()
        Console.error(text)
    }

    func didLook(_ status: ExperimentStatus) {
        let overview = ExperimentOverview(name: name, status: status)
        guard Console.isTerminal else {
            if ContinuousClock.now - lastHeadline > .seconds(60) {
                lastHeadline = .now
                Console.error(overview.headline)
            }
            return
        }
        if let lastDraw, ContinuousClock.now - lastDraw < .seconds(1) { return }
        erase()
        lastDraw = .now
        let lines =
            [Shown.whole(overview.headline), ""]
            + overview.table(limit: 16).description.split(separator: "\n").map(String.init)
        drawnLines = lines.count
        Console.error(lines: lines.joined(separator: "\n"))
    }

    func finish() {
        drawnLines = 0
    }

    private func erase() {
        guard drawnLines > 0 else { return }
        // Moves up and clears to the end of the screen.
        Console.write("\u{1b}[\(drawnLines)F\u{1b}[J")
        drawnLines = 0
        lastDraw = nil
    }
}
