import Foundation
import Jersey
import Testing

@testable import JerseyVisualization

@Suite struct ModelDiagramTests {
    @Test(arguments: ModelSpec.all)
    func `An outline has all parameters, and parts that fit together`(spec: ModelSpec) throws {
        var whole = spec
        whole.hasFullHead = spec.phase == .attention
        let outline = ModelOutline(whole)
        #expect(outline.parameters == JerseyModel(whole).store.parameterCount)
        #expect((outline.part(.temporal) != nil) == (spec.temporal != nil))
        #expect(outline.parts.first?.part == .frames && outline.part(.encoder)?.what == spec.encoder.rawValue)
        let last = try #require(outline.parts.last)
        #expect(
            Array(last.shapes.prefix(2)) == ["(B, 11)", "(B, 10)"]
                && (last.shapes.count == 3) == whole.hasFullHead)
        #expect(outline.table.rows.count == outline.parts.count + 1)
    }

    @Test func `Shapes are those of the network, of frames of the size asked for`() throws {
        var input = InputSpec()
        (input.height, input.width) = (48, 24)
        let luong = ModelOutline(try .named("attn_bgru_luong", encoder: .mobilenetV3Small), input: input)
        #expect(
            luong.parts.map { $0.shapes[0] } == [
                "(B, T, 3, 48, 24)", "(B, T, 1024)", "(B, T, 256)", "(B, 256)", "(B, 11)",
            ])
        let tied = ModelOutline(try .named("evidence_tied"), input: input)
        #expect(
            tied.parts.map { $0.shapes[0] } == [
                "(B, T, 3, 48, 24)", "(B, T, 96, 6, 3)", "(B, T, 11)", "(B, 11)",
            ])
        #expect(
            ModelOutline(try .named("basic_mv3s")).parts.map { $0.shapes[0] } == [
                "(B, 3, 192, 96)", "(B, 1024)", "(B, 11)",
            ])
    }

    @Test(arguments: ["basic_mv3s", "seq_urnn_fs", "attn_bgru_hc", "evidence_independent"])
    func `A model is drawn as PNG and as SVG`(name: String) throws {
        let diagram = ModelDiagram(ModelOutline(try .named(name, encoder: .mobilenetV3Small)))
        let picture = try RGBImage(decoding: diagram.png(), named: name)
        #expect(Set(picture.pixels).count > 50 && picture.width > picture.height)
        let drawing = String(decoding: diagram.svg(), as: UTF8.self)
        let page = try #require(Page(drawing))
        #expect(page.elements.isSuperset(of: ["svg", "path", "use"]))
        #expect(
            page.attributes.contains {
                $0.name == "width" && Int($0.value.prefix { $0.isNumber })! * 2 == picture.width
            })
        #expect(try diagram.png() == ModelDiagram(diagram.outline).png())
    }
}
