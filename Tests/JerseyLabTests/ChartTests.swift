import Foundation
import JerseySupport
import TestSupport
import Testing

@testable import JerseyOutput

@Suite struct ChartTests {
    private static let curve = Chart.Lines(
        x: .init("epoch"), y: .init("accuracy", percent: true),
        [
            .init(
                "validation",
                (1...5).map { .init(Double($0), Chart.Value(0.1 * Double($0), lower: 0.02, upper: 0.7)) })
        ])
    private static let kinds: [Chart] = [
        Chart(name: "lines", title: "Lines", .lines(curve)),
        Chart(
            name: "bars", title: "Bars",
            .bars(
                .init(
                    ["7", "07"], counts: [3, 4], axis: .init("n"),
                    [.init("read", [.init(3, lower: 1, upper: 4), nil])]))),
        Chart(
            name: "heat", title: "Heat",
            .heatmap(
                .init(
                    rows: ("true", ["0", "1"]), columns: ("read", ["0", "1", "blank"]),
                    values: [[1, nil, 0], [.nan, 0.5]],
                    texts: [["100%\n12", "", ""]], scale: .init("share", percent: true)))),
    ]

    @Test(arguments: kinds)
    func `Every kind of chart becomes a PNG of its size and well-formed SVG`(chart: Chart) throws {
        let folder = try TestFolder()
        let files = try chart.write(to: folder.url)
        let png = [UInt8](try Data(contentsOf: files.png))
        #expect(png.prefix(8) == [137, 80, 78, 71, 13, 10, 26, 10])
        #expect(png[18...19].reduce(0) { $0 << 8 | Int($1) } == 2 * chart.size.width)
        #expect(png[22...23].reduce(0) { $0 << 8 | Int($1) } == 2 * chart.size.height)
        let svg = try String(contentsOf: files.svg, encoding: .utf8)
        #expect(
            svg.hasPrefix("<svg ")
                && svg.contains("<title id=\"chart-\(chart.name)-title\">\(chart.title)</title>"))
        #expect(Page(svg) != nil)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path).count == 2)
    }

    @Test func `Marks keep a distance from the frame, and lines begin at it`() throws {
        func range(_ style: Chart.Lines.Style, _ axis: String) -> [Double] {
            let series = Chart.Lines.Series("s", [.init(10, 2), .init(20, 4)], style: style)
            let script = Chart(name: "n", title: "", .lines(.init(x: .init(""), y: .init(""), [series])))
                .script(for: .svg)
            let line = script.split(separator: "\n").first { $0.hasPrefix("set \(axis)range [") }
            return line?.split { "[:]".contains($0) }.compactMap { Double($0) } ?? []
        }
        #expect(range(.line, "x").isEmpty)
        let (x, y) = (range(.points, "x"), range(.points, "y"))
        #expect(x.count == 2 && x[0] < 10 && x[1] > 20 && x[0] > 8)
        #expect(y.count == 2 && y[0] < 2 && y[1] > 4)
    }

    @Test(arguments: kinds)
    func `The same chart gives the same bytes`(chart: Chart) throws {
        #expect(try chart.svg() == chart.svg())
        #expect(try Gnuplot.draw(chart.script(for: .png)) == Gnuplot.draw(chart.script(for: .png)))
    }

    @Test func `Odd characters in labels show up unharmed, and run nothing`() throws {
        let odd = #"a_b^{c} 50% d&'e" \n <f> ]]> `exit` $x @y #z"#
        let lines = Chart.Lines(x: .init(odd), y: .init(odd), [.init(odd, [.init(0, 1), .init(1, 2)])])
        let bars = Chart.Bars([odd], axis: .init("n"), [.init("", [.init(1)])])
        for content in [Chart.Content.lines(lines), .bars(bars)] {
            let page = try #require(
                Page(try Chart(name: odd.replacing("/", with: ""), title: "T", content).svg()))
            #expect(page.texts.contains(odd))
        }
        let title = try #require(Page(try Chart(name: "t", title: "a & <b>\u{1}", .lines(lines)).svg()))
        #expect(title.texts.contains("a & <b>"))
    }

    @Test(arguments: [
        Chart.Content.lines(
            .init(
                x: .init("x"), y: .init("y"),
                [.init("a", []), .init("b", [.init(.nan, 1), .init(1, .infinity)])])),
        .lines(
            .init(
                x: .init("x", range: 0...1), y: .init("y"), [.init("outside", [.init(5, 1)])],
                diagonal: "ideal")),
        .bars(.init(["a"], axis: .init("y"), [.init("s", [nil]), .init("t", [.init(.nan)])])),
        .bars(.init([], axis: .init("y"), [])),
        .heatmap(.init(rows: ("r", []), columns: ("c", []), values: [], scale: .init("s"))),
        .heatmap(.init(rows: ("r", ["a"]), columns: ("c", ["b"]), values: [[nil]], scale: .init("s"))),
    ])
    func `Where there is nothing to draw the picture says so`(content: Chart.Content) throws {
        let page = try #require(Page(try Chart(name: "empty", title: "", content).svg()))
        #expect(page.texts.contains("no data"))
    }

    @Test func `Charts on one page share no id, and refer to their own`() throws {
        let pages = try ["a b", "a_b"].map { name in
            try #require(Page(try Chart(name: name, title: name, Self.kinds[0].content).svg()))
        }
        for page in pages {
            #expect(Set(page.ids).count == page.ids.count)
            #expect(Set(page.references).isSubset(of: page.ids))
        }
        #expect(Set(pages[0].ids).isDisjoint(with: pages[1].ids))
    }

    @Test func `Without gnuplot the error names the way out, and a failure its words`() throws {
        let missing = try #require(throws: FileError.self) {
            try Gnuplot.draw("", program: "gnuplot-that-is-not-there")
        }
        #expect(missing.description.contains("gnuplot") && missing.description.contains("make setup"))
        let failure = try #require(throws: FileError.self) { try Gnuplot.draw("plot $nothing") }
        #expect(failure.description.contains("no datablock named $nothing"))
    }

    @Test func `Eighteen curves differ in colour, dashes or marks`() {
        let series = (0..<18).map { Chart.Lines.Series("\($0)", [.init(0, 0), .init(1, 1)]) }
        let script = Chart(name: "n", title: "", .lines(.init(x: .init(""), y: .init(""), series))).script(
            for: .svg)
        let looks = script.matches(of: /linespoints (.*?) title/).map { String($0.1) }
        #expect(looks.count == 18 && Set(looks).count == 18)
    }
}
