import Jersey
import Testing

@testable import JerseyOutput

@Suite("Contact sheet")
struct ContactSheetTests {
    private let frame = RGBImage(width: 30, height: 60, pixels: [UInt8](repeating: 200, count: 30 * 60 * 3))

    @Test func `A frame that is wide beyond measure does not spoil the sheet`() throws {
        let wide = RGBImage(width: 3000, height: 1, pixels: Array(repeating: 9, count: 9000))
        let row = ContactSheet.Row(title: "7", frames: [.init(image: wide), .init(image: wide)])
        #expect(try ContactSheet(rows: [row], frameHeight: 80).image().width < 1000)
    }

    @Test func `A sheet grows by one height per row and one frame's width per frame`() throws {
        func sheet(rows: Int, frames: Int) throws -> RGBImage {
            let frames = [ContactSheet.Frame](
                repeating: .init(image: frame, caption: "1", weight: 0.5), count: frames)
            let row = ContactSheet.Row(title: "42", subtitle: "98%", frames: frames)
            return try ContactSheet(rows: .init(repeating: row, count: rows), frameHeight: 80).image()
        }
        let small = try sheet(rows: 1, frames: 2)
        let tall = try sheet(rows: 3, frames: 2)
        let wide = try sheet(rows: 1, frames: 5)
        #expect(tall.width == small.width)
        #expect(tall.height - small.height == 2 * (small.height - 12))
        #expect(small.height == 12 + 80 + 4 + 28 + 16 + 12)
        #expect(wide.width - small.width == 3 * (40 + 6))
    }

    @Test
    func `A row without weights keeps no room for bars, and its captions come right below the frames`() throws
    {
        func height(_ weight: Double?) throws -> Int {
            let row = ContactSheet.Row(
                title: "42", frames: [.init(image: frame, caption: "1", weight: weight)])
            let weighed = ContactSheet.Row(
                title: "42", frames: [.init(image: frame, caption: "1", weight: 1)])
            return try ContactSheet(rows: [weighed, row], frameHeight: 80).image().height
        }
        #expect(try height(1) - height(nil) == 28)
    }

    @Test func `Bars stand for weights relative to the largest, whatever the weights are`() throws {
        func bluePixels(_ weights: [Double?]) throws -> Int {
            let frames = weights.map { ContactSheet.Frame(image: frame, weight: $0) }
            let pixels = try ContactSheet(rows: [.init(title: "1", frames: frames)]).image().pixels
            return stride(from: 0, to: pixels.count, by: 3).count {
                pixels[$0..<$0 + 3].elementsEqual([0x2F, 0x6F, 0xB2])
            }
        }
        let one = try bluePixels([0.2])
        #expect(one > 0)
        #expect(try bluePixels([0.2, 0.2]) == 2 * one)
        #expect(try bluePixels([0.4, 0, nil, .nan, -1]) == one)
        #expect(try bluePixels([nil, 0]) == 0)
    }

    @Test func `A sheet without rows is empty, and one too large for a picture is refused`() throws {
        #expect(try ContactSheet(rows: []).image().height == 12)
        let rows = [ContactSheet.Row](repeating: .init(title: "1", frames: []), count: 400)
        #expect(throws: ContactSheetError.self) { try ContactSheet(rows: rows).image() }
    }
}
