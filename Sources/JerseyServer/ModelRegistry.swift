import Foundation
import Hummingbird
import Jersey
import Synchronization

/// The models that are served, by name, and whether requests are taken.
final class ModelRegistry: Sendable {
    private struct State {
        var models: [String: any Predicting] = [:]
        /// All of them, until they are loaded for the first time.
        var loading: Set<String>
        var isDraining = false
    }

    /// The first is the one to use where a request names none.
    let names: [String]
    private let make: @Sendable (_ name: String, _ version: Int) async throws -> any Predicting
    private let state: Mutex<State>

    /// - Parameters:
    ///   - names: at least one.
    ///   - make: loads a model, for the first time or anew; what it throws leaves the former one in place.
    init(_ names: [String], make: @escaping @Sendable (_ name: String, _ version: Int) async throws -> any Predicting) {
        precondition(!names.isEmpty, "no models to serve")
        self.names = names
        self.make = make
        state = Mutex(State(loading: Set(names)))
    }

    /// The models that are loaded, in the order of their names' list.
    var models: [any Predicting] {
        state.withLock { state in names.compactMap { state.models[$0] } }
    }

    var isReady: Bool { state.withLock { !$0.isDraining && $0.models.count == names.count } }

    func isReady(_ name: String) throws -> Bool {
        try check(name)
        return state.withLock { !$0.isDraining && $0.models[name] != nil }
    }

    var isDraining: Bool { state.withLock { $0.isDraining } }

    /// The model to answer a request with. Whoever holds it may go on to use it, whatever is loaded meanwhile.
    ///
    /// - Throws: `ServiceError` where there is none of that name or version, it is not loaded yet, or no requests are taken any more.
    func model(_ name: String? = nil, version: String? = nil) throws -> any Predicting {
        let name = name ?? names[0]
        try check(name)
        let found = try state.withLock { state in
            guard !state.isDraining else {
                throw ServiceError(.serviceUnavailable, "this service is about to end; try another, or again", retryAfter: 1)
            }
            guard let found = state.models[name] else {
                throw ServiceError(.serviceUnavailable, "the model \(name) is being loaded; try again soon", retryAfter: 1)
            }
            return found
        }
        guard version == nil || version == String(found.about.version) else {
            throw ServiceError(.notFound, "the model \(name) has the version \(found.about.version) only")
        }
        return found
    }

    /// Loads all models for the first time; once.
    func loadAll() async throws {
        for name in names { try await replace(name) }
    }

    /// Loads a model from where it came from, and puts it in the former one's place. Requests go on being answered: with the former until it
    /// is there, and those under way with the one that they began with.
    ///
    /// - Returns: what is there now.
    @discardableResult
    func load(_ name: String) async throws -> ModelDescription {
        try check(name)
        guard state.withLock({ $0.loading.insert(name).inserted }) else {
            throw ServiceError(.conflict, "the model \(name) is being loaded already; wait until it is there", retryAfter: 1)
        }
        return try await replace(name)
    }

    /// Loads what is among the names being loaded, and puts it in its place.
    @discardableResult
    private func replace(_ name: String) async throws -> ModelDescription {
        defer { state.withLock { _ = $0.loading.remove(name) } }
        let version = state.withLock { ($0.models[name]?.about.version ?? 0) + 1 }
        let model = try await make(name, version)
        state.withLock { $0.models[name] = model }
        return model.about
    }

    /// Takes no requests any more.
    func drain() {
        state.withLock { $0.isDraining = true }
    }

    private func check(_ name: String) throws {
        guard !names.contains(name) else { return }
        let error = UsageError.unknown("model", name, among: names)
        throw ServiceError(.notFound, error.description)
    }
}
