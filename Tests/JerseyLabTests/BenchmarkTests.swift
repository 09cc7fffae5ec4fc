import Foundation
import Jersey
import TestSupport
import Testing

@testable import JerseyLab

@Suite struct BenchmarkTests {
    // MARK: Forms

    @Test func `What a processor only emulates is left out, in the eager form as in the compiled one`() {
        let old = ExecutionMode.all(on: .cpu) { precision, _ in precision == .float32 }
        #expect(old.modes.map(\.name) == ["eager float32", "compiled float32"])
        #expect(
            old.leftOut == [
                "eager bfloat16: \(Precision.bfloat16.missing)",
                "compiled bfloat16: \(Precision.bfloat16.missing)",
                "compiled int8: \(Precision.int8.missing)",
            ])
        let new = ExecutionMode.all(on: .cpu) { _, _ in true }
        #expect(
            new.modes.map(\.name) == [
                "eager float32", "eager bfloat16", "compiled float32", "compiled bfloat16", "compiled int8",
            ])
        #expect(new.leftOut.isEmpty)
        let graphics = ExecutionMode.all(on: .cuda) { _, _ in true }.modes.map(\.name)
        #expect(graphics.prefix(2) == ["eager float32", "eager float16"])
    }

    @Test func `float32 is there on every processor, and nothing on this one is emulated`() {
        let (modes, leftOut) = ExecutionMode.all(on: .cpu)
        #expect(modes.first?.name == "eager float32" && modes.count + leftOut.count == 5)
        #expect(modes.allSatisfy { $0.precision.isNative(on: .cpu) })
        #if arch(x86_64)
            let hasInstructions = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8))?.contains(
                "avx512_bf16")
            // libtorch can be told to use fewer instructions, but never more than there are.
            if hasInstructions == false { #expect(!Precision.bfloat16.isNative(on: .cpu)) }
        #endif
    }

    // MARK: Times

    @Test func `A timing has its extremes and deviation, also where it is shared among a batch`() throws {
        let timing = Timing([0.002, 0.004, 0.006])
        #expect((timing.minimum, timing.maximum, timing.p50) == (0.002, 0.006, 0.004))
        #expect(abs((timing.standardDeviation ?? 0) - 0.002) < 1e-12)
        #expect(timing.cells == ["4.00", "2.00", "2.00", "4.00", "5.80", "5.96", "6.00"])
        #expect((timing / 2).cells == ["2.00", "1.00", "1.00", "2.00", "2.90", "2.98", "3.00"])
        #expect(Timing([0.001]).cells[1] == "-")
        let keys = try JSONSerialization.jsonObject(with: JSON.output(timing)) as? [String: Any]
        #expect(
            Set(keys?.keys ?? [:].keys) == [
                "mean", "standard_deviation", "min", "p50", "p95", "p99", "max", "readings",
            ])
    }

    /// A fresh model for small frames.
    private func checkpoint(_ model: String = "attn_bgru_luong", _ encoder: EncoderKind = .compact) throws
        -> Checkpoint
    {
        let folder = try TestFolder()
        defer { withExtendedLifetime(folder) {} }
        var card = Checkpoint.Card(spec: try .named(model, encoder: encoder))
        (card.height, card.width, card.maximumFrames) = (32, 16, 4)
        let url = folder.url.appendingPathComponent("w.safetensors")
        try Checkpoint.write(JerseyModel(card.spec, seed: 1), card, to: url)
        return try Checkpoint(contentsOf: url)
    }

    private func production(
        _ checkpoint: Checkpoint, sequences: [FrameSequence] = [], within limit: Double? = nil,
        memory: Int? = nil,
        progress: (String) -> Void = { _ in }
    ) throws -> ProductionBenchmark {
        try ProductionBenchmark(
            checkpoint, on: .cpu, path: "w", loader: SequenceLoader(checkpoint.card, singleFrame: .anchor),
            sequences: sequences,
            rounds: 1, within: limit, memory: memory, progress: progress)
    }

    @Test
    func `Batches that the memory does not hold are left out with the reason, and the others are measured`()
        throws
    {
        let checkpoint = try checkpoint()
        // As many frames as in four sequences.
        let budget = try MemoryBudget(
            .compact, SequenceLoader(checkpoint.card, singleFrame: .anchor).preprocessor, on: .cpu,
            available: 0)
        let need = try #require(budget.refusal(frames: 16)?.firstMatch(of: /up to (\d+) MB/)).1
        let result = try production(checkpoint, memory: (try #require(Int(need)) + 1) * 1_000_000)
        #expect(Set(result.rows.map(\.batch)) == [1, 4])
        #expect(
            result.leftOut.contains { $0.hasPrefix("batch 8: takes up to ") && $0.hasSuffix(" are free") })
        #expect(result.leftOut.contains { $0.hasPrefix("batch 16: ") })
        let settings = result.studyTable.rows.map { $0[0] }
        #expect(settings.contains("Batch = 4") && !settings.contains("Batch = 8"))
        #expect(try production(checkpoint, memory: 1).rows.allSatisfy { $0.batch == 1 })
    }

    @Test func `A batch that the memory does not hold is refused before it is read`() throws {
        let checkpoint = try checkpoint()
        var options = Recognizer.Options()
        options.device = .cpu
        options.isEager = true
        let recognizer = try Recognizer(checkpoint, path: "w", options: options)
        let sequences = try Dataset(Sample.config().data).sequences
        let mode = ExecutionMode(precision: .float32, isCompiled: false)
        let error = #expect(throws: UsageError.self) {
            try InferenceBenchmark([recognizer], mode: mode, sequences: sequences, rounds: 1, memory: 1000)
        }
        #expect(
            error?.description.contains("a batch of 18 sequences") == true
                && error?.description.contains("--batch") == true)
        let result = try InferenceBenchmark(
            [recognizer, recognizer], mode: mode, sequences: Array(sequences.prefix(2)), rounds: 1)
        #expect(result.table.note?.contains("Fastest: attn_bgru_luong") == true)
        let alone = try InferenceBenchmark(
            [recognizer], mode: mode, sequences: Array(sequences.prefix(2)), rounds: 1)
        #expect(alone.table.note?.contains("Fastest") == false)
    }

    @Test func `Where there is little time one sequence by itself is timed, and some of them are read`()
        throws
    {
        var said: [String] = []
        let sequences = try Dataset(Sample.config().data).sequences
        let result = try production(try checkpoint(), sequences: sequences, within: 0) { said.append($0) }
        #expect(
            result.rows.allSatisfy { $0.batch == 1 }
                && result.leftOut.count { $0.contains("would take too long") } == 3)
        #expect(result.answers.allSatisfy { (1...10).contains($0.sequences) })
        #expect(said.first?.hasPrefix("timing ") == true && said.first?.contains("about") == true)
        let all = try production(try checkpoint(), sequences: sequences)
        #expect(
            Set(all.rows.map(\.batch)) == [1, 4, 8, 16]
                && all.answers.allSatisfy { $0.sequences == sequences.count })
        // If a number is read right, so are both digits.
        for answer in all.answers { #expect(answer.right <= min(answer.tensRight, answer.onesRight)) }
        #expect(all.answerTable?.header.prefix(4) == ["form", "numbers right", "tens", "ones"])
        #expect(all.formTable.note?.hasPrefix("Fastest for one sequence: ") == true)
    }

    @Test func `Published times stand beside the model that they are of, and beside no other`() throws {
        let own = try production(try checkpoint("attn_bgru_luong", .resnet18), within: 0).studyTable
        #expect(own.header.count == 9 && own.rows[0][5...] == ["FP32", "2.49", "1.00×", "98.63"])
        for checkpoint in [
            try checkpoint("attn_bgru_luong", .compact), try checkpoint("attn_bgru_gate", .resnet18),
        ] {
            let other = try production(checkpoint, within: 0).studyTable
            #expect(
                other.header.count == 5 && other.rows[0].count == 5
                    && other.note?.contains("ublished") == false)
        }
    }
}
