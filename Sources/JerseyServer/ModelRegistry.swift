import Foundation
import Hummingbird
import Jersey
import Synchronization

/// The served models by name, and whether requests are accepted.
final class ModelRegistry: Sendable {
    private struct State {
        var models: [String: any Predicting] = [:]
        /// Names of models being loaded; at first all of them.
        var loading: Set<String>
        var isDraining = false
    }

    /// The first is the default for requests that name no model.
    let names: [String]
    private let make: @Sendable (_ name: String, _ version: Int) async throws -> any Predicting
    private let state: Mutex<State>

    /// - Parameters:
    ///   - names: at least one.
    ///   - make: loads or reloads a model; if it throws, the old model stays.
    init(
        _ names: [String],
        make: @escaping @Sendable (_ name: String, _ version: Int) async throws -> any Predicting
    ) {
        precondition(!names.isEmpty, "no models to serve")
        self.names = names
        self.make = make
        state = Mutex(State(loading: Set(names)))
    }

    /// The loaded models, in the order of `names`.
    var models: [any Predicting] {
        state.withLock { state in names.compactMap { state.models[$0] } }
    }

    var isReady: Bool { state.withLock { !$0.isDraining && $0.models.count == names.count } }

    func isReady(_ name: String) throws -> Bool {
        try check(name)
        return state.withLock { !$0.isDraining && $0.models[name] != nil }
    }

    var isDraining: Bool { state.withLock { $0.isDraining } }

    /// The model for a request. The caller may keep using it, whatever is loaded meanwhile.
    ///
    /// - Throws: `ServiceError` if the name or version is unknown, the model is not loaded yet, or
    ///   the service is shutting down.
    func model(_ name: String? = nil, version: String? = nil) throws -> any Predicting {
        let name = name ?? names[0]
        try check(name)
        let found = try state.withLock { state in
            guard !state.isDraining else {
                throw ServiceError(
                    .serviceUnavailable, "this service is shutting down; try again, or another server",
                    retryAfter: 1)
            }
            guard let found = state.models[name] else {
                throw ServiceError(
                    .serviceUnavailable, "the model \(name) is loading; try again soon", retryAfter: 1)
            }
            return found
        }
        guard version == nil || version == String(found.about.version) else {
            throw ServiceError(.notFound, "the model \(name) has only the version \(found.about.version)")
        }
        return found
    }

    /// Loads all models for the first time. Call it once.
    func loadAll() async throws {
        for name in names { try await replace(name) }
    }

    /// Reloads a model from its file. Requests keep the old model until the new one is ready;
    /// requests in flight finish with the model they started with.
    ///
    /// - Returns: the new model.
    @discardableResult
    func load(_ name: String) async throws -> ModelDescription {
        try check(name)
        guard state.withLock({ $0.loading.insert(name).inserted }) else {
            throw ServiceError(
                .conflict, "the model \(name) is already loading; wait until it is ready", retryAfter: 1)
        }
        return try await replace(name)
    }

    /// Loads a model marked as loading, and puts it into place.
    @discardableResult
    private func replace(_ name: String) async throws -> ModelDescription {
        defer { state.withLock { _ = $0.loading.remove(name) } }
        let version = state.withLock { ($0.models[name]?.about.version ?? 0) + 1 }
        let model = try await make(name, version)
        state.withLock { $0.models[name] = model }
        return model.about
    }

    /// Stops accepting requests.
    func drain() {
        state.withLock { $0.isDraining = true }
    }

    private func check(_ name: String) throws {
        guard !names.contains(name) else { return }
        let error = UsageError.unknown("model", name, among: names)
        throw ServiceError(.notFound, error.description)
    }
}
