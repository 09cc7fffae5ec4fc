import Jersey
import JerseyVisualization
import Testing

@Suite struct HeatOverlayTests {
    private func grey(_ width: Int, _ height: Int) -> RGBImage {
        RGBImage(width: width, height: height, pixels: [UInt8](repeating: 100, count: width * height * 3))
    }

    private func pixel(_ image: RGBImage, _ row: Int, _ column: Int) -> [UInt8] {
        Array(image.pixels[(row * image.width + column) * 3..<(row * image.width + column) * 3 + 3])
    }

    @Test func `Warm places are covered, cold ones are the frame itself, and the frame is enlarged`() {
        let map = HeatMap(height: 2, width: 2, values: [1, 0, 0, 0])
        let image = HeatOverlay(grey(10, 20), map, input: FramePreprocessor(height: 192, width: 96)).image(
            side: 200)
        #expect(image.width == 100 && image.height == 200)
        #expect(pixel(image, 0, 0) == [214, 216, 148] && pixel(image, 199, 99) == [100, 100, 100])
        // Warmth decreases along the row.
        let greens = (0..<100).map { pixel(image, 0, $0)[1] }
        #expect(greens[25] > greens[45] && greens[99] == 100)
    }

    @Test func `The margins of the network's input are no part of the frame`() {
        // A square frame fills the middle half of a tall input: the second and third of the map's
        // four rows.
        let input = FramePreprocessor(height: 192, width: 96)
        let margins = HeatMap(height: 8, width: 1, values: [1, 0, 0, 0, 0, 0, 0, 1])
        let untouched = HeatOverlay(grey(30, 30), margins, input: input).image(side: 60)
        #expect(untouched == grey(60, 60))
        let middle = HeatMap(height: 8, width: 1, values: [0, 0, 0, 1, 1, 0, 0, 0])
        let image = HeatOverlay(grey(30, 30), middle, input: input).image(side: 60)
        #expect(pixel(image, 30, 5) == [214, 216, 148] && pixel(image, 0, 5)[0] < 110)
    }

    @Test(arguments: [(1, 500), (500, 1), (1, 1)])
    func `Frames of any shape get a picture`(width: Int, height: Int) {
        let map = HeatMap(height: 1, width: 1, values: [0.5])
        let image = HeatOverlay(grey(width, height), map, input: FramePreprocessor(height: 96, width: 96))
            .image()
        #expect(max(image.width, image.height) == 224 && min(image.width, image.height) >= 1)
    }
}
