import Foundation
import Jersey

/// An experiment that ships with jersey. Each document of `shipped.yaml` is one.
package struct ShippedExperiment: Sendable, Catalogued {
    package let experiment: Experiment
    /// The document's text.
    package let text: String

    package var name: String { experiment.name }
    package var summary: String { experiment.summary ?? "" }

    /// In the file's order.
    package static let all = String(decoding: PackageResources.shipped_yaml, as: UTF8.self)
        .components(separatedBy: "---\n").map(ShippedExperiment.init)
    package static let kind = "experiment"
    package static let remedy: Remedy? = .experimentList

    private init(_ text: String) {
        self.text = text
        do {
            experiment = try Experiment(yaml: text, source: "a shipped experiment")
        } catch {
            preconditionFailure("\(error)")
        }
    }
}
