import Foundation
import Jersey
import JerseyOutput

extension Analysis {
    static let curves = Analysis(
        name: "curves", summary: "Plots loss and accuracy per epoch, averaged over seeds.",
        subject: .training, CurvesResult.self)
}

struct CurvesResult: AnalysisResult {
    let curves: [LearningCurve]

    init(_ input: AnalysisInput) {
        curves = input.groups.map(LearningCurve.init)
    }

    func encode(to encoder: any Encoder) throws { try curves.encode(to: encoder) }
}

/// One model's losses and accuracies per epoch, averaged over its seeds.
struct LearningCurve: Encodable, Sendable {
    struct Epoch: Encodable, Sendable {
        let epoch: Int
        let trainLoss: Summary
        let validationLoss: Summary
        let trainNumber: Summary
        let validationNumber: Summary
        let trainTens: Summary
        let validationTens: Summary
        let trainOnes: Summary
        let validationOnes: Summary
    }

    let model: String
    let epochs: [Epoch]
    /// One per run.
    let bestEpochs: [Int]

    init(_ group: RunGroup) {
        model = group.name
        bestEpochs = group.runs.map(\.result.bestEpoch)
        let rows = Dictionary(grouping: group.runs.flatMap(\.metrics), by: \.epoch)
        epochs = rows.keys.sorted().map { epoch in
            func train(_ path: KeyPath<EpochMetrics.Part, Double>) -> Summary {
                Summary(rows[epoch]!.map { $0.train[keyPath: path] })
            }
            func validation(_ path: KeyPath<EpochMetrics.Part, Double>) -> Summary {
                Summary(rows[epoch]!.compactMap { $0.validation?[keyPath: path] })
            }
            return Epoch(
                epoch: epoch, trainLoss: train(\.loss), validationLoss: validation(\.loss),
                trainNumber: train(\.numberAccuracy),
                validationNumber: validation(\.numberAccuracy), trainTens: train(\.tensAccuracy),
                validationTens: validation(\.tensAccuracy), trainOnes: train(\.onesAccuracy),
                validationOnes: validation(\.onesAccuracy))
        }
    }
}

// MARK: - View

extension CurvesResult {
    func view(_ input: AnalysisInput) -> AnalysisView {
        AnalysisView(of: self, tables: [table], charts: LearningCurve.charts(curves))
    }

    private var table: Table {
        Table(
            [
                "model", "epochs", "first train loss", "last train loss", "last validation loss",
                "train number",
                "validation number", "best epochs",
            ],
            rows: curves.compactMap { curve in
                guard let first = curve.epochs.first, let last = curve.epochs.last else { return nil }
                return [
                    curve.model, "\(curve.epochs.count)", first.trainLoss.text, last.trainLoss.text,
                    last.validationLoss.text, last.trainNumber.text, last.validationNumber.text,
                    curve.bestEpochs.map(String.init).joined(separator: " "),
                ]
            }, title: "Training",
            note:
                "Mean ± standard deviation over the seeds that reached that epoch. \(LearningCurve.lossNote)")
    }
}

extension LearningCurve {
    static let lossNote =
        "Do not compare the two losses. The training loss is measured on augmented frames, with dropout and label smoothing if "
        + "they are set; the validation loss is plain cross-entropy."

    /// Charts of the loss and of the accuracies of numbers, tens and ones.
    static func charts(_ curves: [LearningCurve]) -> [Chart] {
        func accuracy(of what: String) -> Chart.Axis { Chart.Axis("accuracy of \(what)", percent: true) }
        return [
            chart(curves, "loss", y: Chart.Axis("loss"), train: \.trainLoss, validation: \.validationLoss),
            chart(
                curves, "number", y: accuracy(of: "numbers"), train: \.trainNumber,
                validation: \.validationNumber),
            chart(curves, "tens", y: accuracy(of: "tens"), train: \.trainTens, validation: \.validationTens),
            chart(curves, "ones", y: accuracy(of: "ones"), train: \.trainOnes, validation: \.validationOnes),
        ]
    }

    /// A band shows one standard deviation to either side. With more than three models, bands and
    /// training curves are omitted to keep the chart readable.
    private static func chart(
        _ curves: [LearningCurve], _ name: String, y: Chart.Axis, train: KeyPath<Epoch, Summary>,
        validation: KeyPath<Epoch, Summary>
    ) -> Chart {
        let showsTraining = curves.count <= 3
        let series = curves.enumerated().flatMap { index, curve -> [Chart.Lines.Series] in
            func points(_ path: KeyPath<Epoch, Summary>, band: Bool) -> [Chart.Lines.Point] {
                curve.epochs.compactMap { epoch in
                    let summary = epoch[keyPath: path]
                    guard let mean = summary.mean else { return nil }
                    var value = band ? Chart.Value(summary) ?? Chart.Value(mean) : Chart.Value(mean)
                    // A band must not exceed 100%.
                    if y.percent { value.upper = value.upper.map { min($0, 1) } }
                    value.lower = value.lower.map { max($0, 0) }
                    return .init(Double(epoch.epoch), value)
                }
            }
            let held = Chart.Lines.Series(
                showsTraining ? "\(curve.model), validation" : curve.model,
                points(validation, band: showsTraining), colour: index
            )
            let seen = Chart.Lines.Series(
                "\(curve.model), training", points(train, band: false), style: .dashed, colour: index)
            return showsTraining ? [held, seen] : [held]
        }
        let title = "Learning curves: \(y.label)\(showsTraining ? "" : ", validation")"
        return Chart(
            name: "curves_\(name)", title: title, .lines(.init(x: Chart.Axis("epoch"), y: y, series)))
    }
}

extension RunFolder {
    /// Draws the curves of a finished run where `jersey analyze curves` puts them.
    ///
    /// - Returns: a message if drawing failed. The run is complete without the charts, so nothing
    ///   is thrown.
    package func drawCurves() -> String? {
        do {
            let run = try FinishedRun(self)
            try Analysis.curves(AnalysisInput(groups: [RunGroup(name: run.title, runs: [run])]))
                .write(to: plots(of: Analysis.curves.name), name: Analysis.curves.name)
            return nil
        } catch {
            return
                "could not draw the curves: \(error); run `jersey analyze curves \(url.relativePath)` to draw them later"
        }
    }
}
