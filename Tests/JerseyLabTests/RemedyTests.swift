import Jersey
import Testing

@testable import JerseyCLI

@Suite struct RemedyTests {
    @Test func `An error names a flag or a command on the command line only`() {
        let error = FileError("7.mp4", "is a film", advice: "give boxes, too", remedy: .boxes)
        #expect("\(error)" == "7.mp4: is a film; give boxes, too")
        #expect(error.message == "7.mp4: is a film; give boxes, too (--boxes)")
        #expect(UsageError("no").message == "no")
    }

    @Test func `A name that is unknown comes with what is close, and with the command that lists all`() {
        let error = #expect(throws: UsageError.self) { try ModelSpec.named("attn_bgru_loung") }
        let message = error?.message ?? ""
        #expect(message.hasPrefix("there is no model 'attn_bgru_loung'; did you mean attn_bgru_luong"))
        #expect(message.hasSuffix("? (`jersey models` lists them)"))
    }
}
