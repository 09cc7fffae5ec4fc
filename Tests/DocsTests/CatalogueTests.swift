import Jersey
import JerseyExport
import JerseyLab
import JerseyServer
import Testing

@testable import JerseyCLI

@Suite struct CatalogueTests {
    private func check<Thing: Catalogued>(_: Thing.Type) throws {
        #expect(!Thing.all.isEmpty && Set(Thing.names).count == Thing.names.count)
        for thing in Thing.all {
            #expect(try Thing.named(thing.name).name == thing.name)
            #expect(!thing.summary.isEmpty, "\(Thing.kind) \(thing.name)")
        }
        for (alias, name) in Thing.aliases {
            #expect(try Thing.named(alias).name == name && !Thing.names.contains(alias))
        }
        let word = Thing.names[0] + "x"
        let error = #expect(throws: UsageError.self) { try Thing.named(word) }
        #expect(error?.description.hasPrefix("there is no \(Thing.kind) '\(word)'; did you mean ") == true)
    }

    @Test func `What is in a list is found by its name, and says what it is`() throws {
        try check(ModelSpec.self)
        try check(EncoderKind.self)
        try check(ModelSpec.Pooling.self)
        try check(DatasetFormat.self)
        try check(Setting.self)
        try check(ShippedExperiment.self)
        try check(Analysis.self)
        try check(OutputFormat.self)
        try check(ExportFormat.self)
        try check(ServiceLimit.self)
        try check(Scheduler.self)
    }
}
