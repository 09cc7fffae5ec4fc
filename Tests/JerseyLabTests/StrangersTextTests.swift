import Foundation
import JerseySupport
import Testing

@testable import JerseyCLI
@testable import JerseyOutput

/// Names chosen by strangers, in text for people.
@Suite struct StrangersTextTests {
    private static let nasty = "\u{1b}[2J\u{202e}a\nb 23 100%"

    @Test func `A table shows each row on one line, and steers no terminal`() {
        let table = Table(
            ["sequence", "number"], rows: [[Self.nasty, "7"], ["ok", "8"]], title: Self.nasty,
            note: Self.nasty)
        #expect(
            table.description.split(separator: "\n").count == 4
                && table.text.split(separator: "\n").count == 6)
        for text in [table.description, table.text, table.markdown, table.html] {
            #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || !Shown.isDeceptive($0) }, "\(text)")
        }
    }

    @Test(arguments: [
        ("[x](http://evil)", "\\[x\\](http\\://evil)"), ("![x](y)", "!\\[x\\](y)"),
        ("<img src=x>", "\\<img src=x\\>"),
        ("a_b *c* `d` ~e~", "a\\_b \\*c\\* \\`d\\` \\~e\\~"), ("a|b\\", "a\\|b\\\\"),
        ("https://evil www.evil.com", "https\\://evil www\\.evil.com"),
        ("&lt;", "\\&lt;"), ("plain 7%", "plain 7%"),
    ])
    func `Markdown is text and nothing else`(text: String, escaped: String) {
        #expect(Markdown.escaped(text) == escaped)
    }

    @Test func `A report's code cannot end its fence`() {
        #expect(Markdown.code("a\n```\n# b").hasPrefix("````\n"))
        let report = Report(
            title: "[t](u)", subtitle: "<s>",
            sections: [.init("![x](y)", [.text("[a](b)"), .list(["[c](d)"]), .code("x")])])
        #expect(!report.markdown.replacing("\\]", with: "").contains("]("))
    }

    @Test(arguments: [
        ("=1+1", "'=1+1"), ("+1", "'+1"), ("-1+cmd", "'-1+cmd"), ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\\t=1"),
        ("\r=1", "'\\r=1"),
        (" =1", "' =1"), ("\u{a0}=1", "'\u{a0}=1"), ("＝1", "'＝1"), ("|x", "'|x"), ("a=1", "a=1"), ("7", "7"),
        ("", ""),
        ("Ek, \"Bo\"", "\"Ek, \"\"Bo\"\"\""), ("=HYPERLINK(\"x\",1)", "\"'=HYPERLINK(\"\"x\"\",1)\""),
        ("a\nb\u{1b}", "a\\nb\\u{1b}"),
    ])
    func `A CSV cell has no formula and no control character, unless raw output is requested`(
        text: String, cell: String
    ) {
        #expect(CSV.row([text, "0.5"]) == cell + ",0.5\r\n")
        let raw = CSV.row([text], isRaw: true)
        #expect(
            raw == CSV.cell(text) + "\r\n"
                && (text.isEmpty || raw.contains(text.replacing("\"", with: "\"\""))))
    }

    @Test func `Raw cells are for CSV only`() {
        let error = #expect(throws: (any Error).self) {
            try JerseyCommand.parseAsRoot(["predict", "a", "--raw"])
        }
        #expect(error.map { JerseyCommand.message(for: $0) }?.contains("--raw needs --format csv") == true)
    }
}
