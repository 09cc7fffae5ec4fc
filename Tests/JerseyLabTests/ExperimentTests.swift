import JerseyLab
import Testing

@Suite struct ExperimentTests {
    @Test(arguments: Experiment.shipped.map(\.experiment.name))
    func `Every shipped experiment plans a run for each model, seed and variant`(name: String) throws {
        let experiment = try Experiment.named(name)
        let runs = try experiment.runs()
        #expect(runs.count == experiment.models.count * experiment.seeds.count * max(experiment.variants.count, 1))
        #expect(Set(runs.map(\.id)).count == runs.count)
    }
}
