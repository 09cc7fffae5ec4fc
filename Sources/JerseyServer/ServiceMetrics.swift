import Foundation
import Jersey

/// All metrics of the service.
final class ServiceMetrics: Sendable {
    /// Reports its dropped lines.
    let log: LogWriter?

    private static let seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

    let requests = Gauge.counter(
        "jersey_requests_total", "Requests by route and outcome.", labels: ["route", "outcome"])
    let request = Histogram(
        "jersey_request_seconds", "Time from a request's head to its response.", labels: ["route"],
        bounds: seconds)
    let inProgress = Gauge.level(
        "jersey_requests_in_progress", "Requests received but not answered, all routes.")
    let decode = Histogram(
        "jersey_decode_seconds", "Time to decode a sequence's frames, including the wait for a decoder.",
        labels: ["model"],
        bounds: seconds)
    let queue = Histogram(
        "jersey_queue_seconds", "Time that sequences wait for the model.", labels: ["model"], bounds: seconds)
    let infer = Histogram(
        "jersey_infer_seconds", "Time for the model to process a batch.", labels: ["model"], bounds: seconds)
    let batch = Histogram(
        "jersey_batch_size", "Sequences in a batch.", labels: ["model"],
        bounds: [1, 2, 4, 8, 16, 32, 64, 128, 256])
    let depth = Gauge.level("jersey_queue_depth", "Sequences waiting for or in the model.", labels: ["model"])
    let predictions = Gauge.counter("jersey_predictions_total", "Sequences read.", labels: ["model"])
    let abstentions = Gauge.counter(
        "jersey_abstentions_total", "Sequences not answered, for lack of confidence.", labels: ["model"])
    let job = Histogram(
        "jersey_job_seconds", "Time to read a match, without the wait, by outcome.", labels: ["outcome"],
        bounds: [1, 5, 15, 60, 300, 900, 3600, 14_400])

    init(log: LogWriter? = nil) {
        self.log = log
    }

    /// Creates the series of a route with zeros, so that the first event shows as an increase.
    func expect(_ route: String) {
        for outcome in RequestObserver.Outcome.allCases { requests.add(0, route, outcome.rawValue) }
    }

    /// All metrics, for a scrape.
    func text(_ handler: PredictionHandler) -> String {
        let registry = handler.registry
        let admission = handler.admission
        let models = Gauge.level(
            "jersey_model_info", "Loaded models; always 1.",
            labels: ["model", "version", "architecture", "precision"])
        for model in registry.models.map(\.about) {
            models.add(1, model.name, String(model.version), model.architecture, model.precision.rawValue)
        }
        let ready = Gauge.level("jersey_ready", "1 if requests are accepted.")
        ready.add(handler.isReady ? 1 : 0)
        let admitted = Gauge.level("jersey_requests_admitted", "Requests in flight.")
        admitted.add(Double(admission.count))
        let jobs = Gauge.level(
            "jersey_jobs", "Matches by state, those with a result that is kept included.", labels: ["state"])
        for state in ["receiving"] + JobStatus.State.allCases.map(\.rawValue) {
            jobs.add(Double(handler.jobs.counts[state] ?? 0), state)
        }
        let lost = Gauge.counter(
            "jersey_log_lines_dropped_total", "Log lines dropped because the reader was too slow.")
        lost.add(Double(log?.dropped ?? 0))
        let memory = Gauge.level("process_resident_memory_bytes", "Resident memory.")
        if let bytes = Self.residentBytes { memory.add(Double(bytes)) }
        let all: [any Metric] = [
            requests, request, inProgress, decode, queue, infer, batch, depth, predictions, abstentions,
            job, jobs, models, ready, admitted, lost, memory,
        ]
        return all.map(\.text).joined()
    }

    func add(_ report: BatchQueue<some Sendable, some Sendable>.Report, model: String) {
        for wait in report.waits { queue.observe(wait.seconds, model) }
        infer.observe(report.work.seconds, model)
        batch.observe(Double(report.waits.count), model)
    }

    func add(_ predictions: [Prediction], model: String) {
        self.predictions.add(Double(predictions.count), model)
        abstentions.add(Double(predictions.count(where: \.unreadable)), model)
    }

    private static var residentBytes: Int? {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return nil }
        let fields = text.split(separator: " ")
        return fields.count > 1 ? Int(fields[1]).map { $0 * sysconf(Int32(_SC_PAGESIZE)) } : nil
    }
}
