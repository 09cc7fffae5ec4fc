import Foundation
import FoundationXML
import Jersey
import JerseySynthesis
import TestSupport
import Testing

@testable import JerseyLab

/// A rendered data set that all tests share.
enum Sample {
    static let folder: TestFolder = {
        do {
            let folder = try TestFolder()
            let dataset = SyntheticDataset(
                numbers: try NumberShare.list("4,48,07"), tracksPerNumber: 6, sequencesPerTrack: 1,
                framesPerSequence: 2...4,
                renderer: SyntheticRenderer(seed: 3, difficulty: .easy, height: 48...64))
            try dataset.write(to: folder.url.appendingPathComponent("data"))
            return folder
        } catch {
            fatalError("the sample data set cannot be drawn: \(error)")
        }
    }()

    /// A run that takes a few seconds.
    static func config(_ model: String = "attn_ugru_gate") -> RunConfig {
        var config = RunConfig()
        config.model = model
        config.encoder = .mobilenetV3Small
        config.data.path = folder.path("data")
        (config.data.height, config.data.width) = (48, 24)
        config.data.ratios = [0.6, 0.2, 0.2]
        config.training.batchSize = 4
        config.training.epochs = 2
        // Tests run in parallel; OpenMP threads would compete for the cores.
        config.training.threads = 1
        return config
    }
}

extension ShortWaits {
    /// The setting of a training process started from here.
    static var here: String {
        let environment = ProcessInfo.processInfo.environment
        return environment[variable] ?? variables(beside: environment)[variable] ?? ""
    }
}

final class SilentObserver: TrainingObserver {
    var epochs: [FinishedEpoch] = []
    var sentences: [String] = []
    var folders = 0
    func say(_ text: String) { sentences.append(text) }
    func didTake(_ folder: RunFolder) { folders += 1 }
    func didStep(epoch: Int, epochs: Int, batch: Int, count: Int, tally: Tally) {}
    func didFinish(_ epoch: FinishedEpoch) { epochs.append(epoch) }
}

/// The content of a well-formed XML page.
final class Page: NSObject, XMLParserDelegate {
    private(set) var texts: [String] = []
    private(set) var ids: [String] = []
    private(set) var references: [String] = []
    private(set) var elements: Set<String> = []
    /// The name and value of every attribute.
    private(set) var attributes: [(name: String, value: String)] = []

    init?(_ xml: String) {
        super.init()
        let parser = XMLParser(data: Data(xml.utf8))
        parser.delegate = self
        guard parser.parse() else { return nil }
        texts = texts.map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }
    }

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String]
    ) {
        texts.append("")
        elements.insert(name)
        self.attributes += attributes.map { ($0.key, $0.value) }
        if let id = attributes["id"] { ids.append(id) }
        if let link = attributes["xlink:href"], link.hasPrefix("#") {
            references.append(String(link.dropFirst()))
        }
    }

    func parser(_ parser: XMLParser, foundCharacters string: String) { texts[texts.count - 1] += string }
}
