import Foundation
import GRDB
import Jersey

/// One run: a row of the table `run`.
package struct RunRecord: Codable, Sendable, Equatable, FetchableRecord, PersistableRecord {
    package static let databaseTableName = "run"
    package static let databaseColumnEncodingStrategy = DatabaseColumnEncodingStrategy.convertToSnakeCase
    package static let databaseColumnDecodingStrategy = DatabaseColumnDecodingStrategy.convertFromSnakeCase

    package var id: String
    package var model: String
    package var variant: String?
    package var seed: UInt64
    /// A raw value of `RunState`.
    package var state: String
    /// Counted over all calls.
    package var attempts = 0
    package var started: Date?
    package var finished: Date?
    /// Training and validation together.
    package var seconds: Double?
    package var host: String?
    /// The commit of jersey's sources, with "-dirty" if the program was not built from exactly that
    /// commit; nil if unknown.
    package var commit: String?
    /// The reason of a failure.
    package var reason: String?
    /// Test accuracies, 0...1.
    package var numberAccuracy: Double?
    package var tensAccuracy: Double?
    package var onesAccuracy: Double?
    package var testSequences: Int?
    package var testLoss: Double?
    package var validationAccuracy: Double?
    package var bestEpoch: Int?
    /// The content of `config.json`, or the planned configuration if the run has not begun.
    /// `result` holds `result.json`.
    package var config: String
    package var result: String?

    init(_ run: PlannedRun) {
        id = run.id
        model = run.model
        variant = run.variant
        seed = run.seed
        state = RunState.waiting.rawValue
        config = "{}"
        take(run.config)
    }

    mutating func take(_ config: RunConfig) {
        self.config = (try? JSON.text(JSON.line(config))) ?? self.config
    }

    mutating func take(_ result: RunResult) {
        seconds = result.seconds
        numberAccuracy = result.test?.all.sequences.number.value
        tensAccuracy = result.test?.all.sequences.tens.value
        onesAccuracy = result.test?.all.sequences.ones.value
        testSequences = result.test?.all.sequences.number.count
        testLoss = result.test?.loss
        validationAccuracy = result.validation?.numberAccuracy
        bestEpoch = result.bestEpoch
        host = result.host ?? host
        self.result = try? JSON.text(JSON.line(result))
    }
}

/// One epoch of a run: a row of the table `epoch`.
package struct EpochRecord: Codable, Sendable, FetchableRecord, PersistableRecord {
    package static let databaseTableName = "epoch"
    package static let databaseColumnEncodingStrategy = DatabaseColumnEncodingStrategy.convertToSnakeCase
    package static let databaseColumnDecodingStrategy = DatabaseColumnDecodingStrategy.convertFromSnakeCase

    package var run: String
    package var epoch: Int
    package var trainLoss: Double
    package var trainNumberAccuracy: Double
    package var trainTensAccuracy: Double
    package var trainOnesAccuracy: Double
    package var validationLoss: Double?
    package var validationNumberAccuracy: Double?
    package var validationTensAccuracy: Double?
    package var validationOnesAccuracy: Double?
    package var rateFactor: Double
    package var best: Bool
    package var seconds: Double

    init(_ run: String, _ row: EpochMetrics) {
        self.run = run
        epoch = row.epoch
        trainLoss = row.train.loss
        trainNumberAccuracy = row.train.numberAccuracy
        trainTensAccuracy = row.train.tensAccuracy
        trainOnesAccuracy = row.train.onesAccuracy
        validationLoss = row.validation?.loss
        validationNumberAccuracy = row.validation?.numberAccuracy
        validationTensAccuracy = row.validation?.tensAccuracy
        validationOnesAccuracy = row.validation?.onesAccuracy
        rateFactor = row.rateFactor
        best = row.best
        seconds = row.seconds
    }
}

/// The SQLite table of an experiment's runs. The process that runs the experiment writes it;
/// `jersey runs` and any SQL tool can read it.
package struct RunDatabase: Sendable {
    private let queue: DatabaseQueue

    /// Opens the database for writing. A file that is corrupt or not a database is moved aside.
    ///
    /// - Returns: the database, and the new location of a corrupt one.
    /// - Throws: `FileError`.
    package static func open(_ url: URL) throws -> (RunDatabase, setAside: URL?) {
        do {
            return (try RunDatabase(url), nil)
        } catch let error as DatabaseError where [.SQLITE_CORRUPT, .SQLITE_NOTADB].contains(error.resultCode)
        {
            let aside = url.appendingPathExtension("broken-\(Int(clamping: Date().timeIntervalSince1970))")
            do {
                try FileManager.default.moveItem(at: url, to: aside)
                // The journal belongs to the file that was moved.
                try? FileManager.default.removeItem(atPath: url.path + "-journal")
                return (try RunDatabase(url), aside)
            } catch {
                throw FileError(url.path, doing: "replace the corrupt database", error: error)
            }
        } catch {
            throw FileError(url.path, "cannot be opened: \(Self.message(of: error))")
        }
    }

    /// Opens the database read-only.
    package init(reading url: URL) throws {
        guard FileManager.default.fileExists(atPath: url.path) else {
            throw FileError(
                url.path, "does not exist",
                advice: "`jersey experiment run` on this folder rebuilds it from the run folders")
        }
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(5)
        do {
            queue = try DatabaseQueue(path: url.path, configuration: configuration)
            _ = try queue.read { try RunRecord.fetchCount($0) }
        } catch {
            throw Self.unreadable(url.path, error)
        }
    }

    /// Opens an experiment's database read-only.
    package init(experiment path: String) throws {
        let folder = ExperimentFolder(URL(fileURLWithPath: path))
        guard folder.exists else {
            throw FileError(path, "is not an experiment folder: it has no experiment.json")
        }
        try self.init(reading: folder.database)
    }

    private init(_ url: URL) throws {
        var configuration = Configuration()
        // Short, because the runs wait meanwhile.
        configuration.busyMode = .timeout(2)
        queue = try DatabaseQueue(path: url.path, configuration: configuration)
        try queue.read { database in
            if let word = try String.fetchOne(database, sql: "PRAGMA quick_check(1)"), word != "ok" {
                throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: word)
            }
        }
        var migrator = DatabaseMigrator()
        migrator.registerMigration("runs") { database in
            try database.create(table: "run") { table in
                table.primaryKey("id", .text)
                for name in ["model", "state", "config"] { table.column(name, .text).notNull() }
                for name in ["seed", "attempts"] { table.column(name, .integer).notNull() }
                for name in ["variant", "host", "commit", "reason", "result"] { table.column(name, .text) }
                for name in ["started", "finished"] { table.column(name, .datetime) }
                for name in ["test_sequences", "best_epoch"] { table.column(name, .integer) }
                for name in [
                    "seconds", "number_accuracy", "tens_accuracy", "ones_accuracy", "test_loss",
                    "validation_accuracy",
                ] { table.column(name, .double) }
            }
            try database.create(table: "epoch") { table in
                table.column("run", .text).notNull().references("run", onDelete: .cascade)
                table.column("epoch", .integer).notNull()
                table.primaryKey(["run", "epoch"])
                for part in ["train", "validation"] {
                    for name in ["loss", "number_accuracy", "tens_accuracy", "ones_accuracy"] {
                        table.column("\(part)_\(name)", .double)
                    }
                }
                for name in ["rate_factor", "seconds"] { table.column(name, .double).notNull() }
                table.column("best", .boolean).notNull()
            }
        }
        try migrator.migrate(queue)
    }

    /// All runs in insertion order.
    package func runs() throws -> [RunRecord] {
        try read { try RunRecord.order(Column.rowID).fetchAll($0) }
    }

    /// The epochs of a run, first to last.
    package func epochs(of run: String) throws -> [EpochRecord] {
        try read { try EpochRecord.filter(Column("run") == run).order(Column("epoch")).fetchAll($0) }
    }

    private func read<Value>(_ body: (Database) throws -> Value) throws -> Value {
        do {
            return try queue.read(body)
        } catch {
            throw Self.unreadable(queue.path, error)
        }
    }

    private static func unreadable(_ path: String, _ error: any Error) -> FileError {
        FileError(
            path, "cannot be read: \(message(of: error))",
            advice: "`jersey experiment run` on this folder rebuilds it from the run folders")
    }

    func save(_ records: [RunRecord]) throws {
        try queue.write { database in
            for record in records { try record.upsert(database) }
        }
    }

    /// Saves a run and its new epochs. Epochs that start at the first replace the stored ones.
    func save(_ record: RunRecord, epochs: ArraySlice<EpochMetrics>) throws {
        try queue.write { database in
            try record.upsert(database)
            if epochs.startIndex == 0 {
                try EpochRecord.filter(Column("run") == record.id).deleteAll(database)
            }
            for row in epochs { try EpochRecord(record.id, row).upsert(database) }
        }
    }

    /// SQLite's own error message.
    static func message(of error: any Error) -> String {
        (error as? DatabaseError).map { $0.message ?? "\($0.resultCode)" } ?? "\(error)"
    }
}
