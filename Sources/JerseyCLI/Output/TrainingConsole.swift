import Foundation
import Jersey
import JerseyLab
import JerseyOutput

/// Shows training progress: a bar on a terminal, plain lines elsewhere.
final class TrainingConsole: TrainingObserver {
    /// Messages from before the run folder existed; nil once it does.
    private var early: [(time: Date, text: String)]? = []
    private let keepsLog: Bool
    private var epochStart = ContinuousClock.now
    private var runStart = ContinuousClock.now
    private var lastLine = ContinuousClock.now
    private var epoch = 0
    private var firstBatch = 0
    private var stepsDone = 0

    /// - Parameter keepsLog: whether to write the run's log.
    init(keepsLog: Bool) {
        self.keepsLog = keepsLog
    }

    func say(_ text: String) {
        if Console.isTerminal { Console.redraw("") }
        Console.error(text)
        early?.append((.now, text))
    }

    func didTake(_ folder: RunFolder) {
        defer { early = nil }
        guard keepsLog else { return }
        let log = RunLog(folder.log)
        for line in early ?? [] { log.add(line.text, at: line.time) }
        Console.output.withLock { output in
            output = {
                Console.write($0 + "\n")
                log.add($0)
            }
        }
    }

    func didStep(epoch: Int, epochs: Int, batch: Int, count: Int, tally: Tally) {
        let now = ContinuousClock.now
        if epoch != self.epoch {
            if self.epoch == 0 { runStart = now }
            self.epoch = epoch
            firstBatch = batch - 1
            epochStart = now
        }
        stepsDone += 1
        guard now - lastLine > (Console.isTerminal ? .milliseconds(200) : .seconds(30)),
            batch > firstBatch + 1
        else { return }
        lastLine = now
        let perStep = (now - epochStart).seconds / Double(batch - firstBatch - 1)
        let left = Double((epochs - epoch) * count + count - batch) * perStep
        let rate = Double(tally.sequences) / Double(max(batch, 1)) / perStep
        let loss = tally.loss / Double(max(tally.sequences, 1))
        let line =
            "epoch \(epoch)/\(epochs) \(Console.bar(Double(batch) / Double(count))) \(batch)/\(count), "
            + "\(Format.decimal(rate, places: 1)) sequences/s, loss \(Format.decimal(loss, places: 4)), \(Format.duration(left)) left"
        if Console.isTerminal { Console.redraw(line) } else { Console.error(line) }
    }

    func didFinish(_ epoch: FinishedEpoch) { say(Self.line(epoch)) }

    static func line(_ epoch: FinishedEpoch) -> String {
        let row = epoch.row
        let validation = row.validation.map {
            ", validation loss \(Format.decimal($0.loss, places: 4)), number \(Format.decimal($0.numberAccuracy, places: 4))"
        }
        let stale = epoch.epochsWithoutBetterLoss
        let patience = stale == 0 ? "" : ", no improvement for \(stale) of \(epoch.patience) epochs"
        let rates = epoch.rates.map { Format.digits($0, 3) }.joined(separator: " ")
        return "epoch \(row.epoch)/\(epoch.epochs): train loss \(Format.decimal(row.train.loss, places: 4)), "
            + "number \(Format.decimal(row.train.numberAccuracy, places: 4))" + (validation ?? "")
            + (row.best ? " (best)" : "")
            + patience
            + ", rate\(epoch.rates.count > 1 ? "s" : "") \(rates), \(Format.duration(row.seconds))"
    }
}
