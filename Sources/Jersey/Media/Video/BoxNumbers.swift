/// What a video tells about the boxes in it.
package struct VideoFacts: Sendable, Equatable {
    /// The size of a picture in pixels.
    package let width: Int
    package let height: Int
    /// How many frames there are, if that is known.
    package let frames: Int?
    /// The numbers of the first and the last frame, if the frames' files have some.
    package let fileNumbers: ClosedRange<Int>?

    package init(width: Int, height: Int, frames: Int? = nil, fileNumbers: ClosedRange<Int>? = nil) {
        self.width = width
        self.height = height
        self.frames = frames
        self.fileNumbers = fileNumbers
    }
}

/// What the four numbers of a file's boxes are: corners or sizes, pixels or shares of the picture.
/// Names tell, or else all boxes together.
struct BoxNumbers {
    let path: String
    let shape: BoxLayout.Shape

    /// Four numbers in any brackets, separated by commas, semicolons or spaces. Words are those of
    /// Python: `[np.float64(40.0), …]`, `tensor([40., …])`, `array([40., …])`.
    static func list(_ text: String) -> [Double]? {
        func isLetter(_ byte: UInt8) -> Bool { 0x61...0x7a ~= byte | 0x20 || byte == UInt8(ascii: "_") }
        func isOfNumber(_ byte: UInt8) -> Bool { 0x30...0x39 ~= byte || "+-.eE".utf8.contains(byte) }
        var numbers: [Double] = []
        var rest = text.utf8[...]
        while let byte = rest.first {
            if isLetter(byte) {
                rest = rest.drop { isLetter($0) || 0x30...0x39 ~= $0 || $0 == UInt8(ascii: ".") }
            } else if isOfNumber(byte) {
                let digits = rest.prefix(while: isOfNumber)
                guard let number = Double(String(decoding: digits, as: UTF8.self)) else { return nil }
                numbers.append(number)
                rest = rest.dropFirst(digits.count)
            } else if " ,;[](){}\t'".utf8.contains(byte) {
                rest = rest.dropFirst()
            } else {
                return nil
            }
        }
        return numbers.count == 4 ? numbers : nil
    }

    /// The boxes with left, top, width and height in pixels.
    func settled(_ boxes: [TrackBoxes.Box], picture: () throws -> VideoFacts?) throws -> [TrackBoxes.Box] {
        guard !boxes.isEmpty else { return boxes }
        let scale = shape.scale ?? (Self.areShares(boxes) ? .shares : .pixels)
        guard scale != .pixels || shape.forms != [.sized] else { return boxes }
        var forms = shape.forms
        if scale != .pixels && shape.isVague && forms == [.sized] { forms = [.sized, .centred] }
        let size = scale != .pixels || forms.count > 1 ? try picture() : nil
        let (unitX, unitY): (Float, Float)
        switch scale {
        case .pixels: (unitX, unitY) = (1, 1)
        case .shares, .percent:
            guard let size else {
                throw FileError(
                    path, "has boxes in shares of the picture, whose size is not known",
                    advice: "multiply them by its width and height")
            }
            let whole: Float = scale == .percent ? 100 : 1
            (unitX, unitY) = (Float(size.width) / whole, Float(size.height) / whole)
        }
        let scaled = boxes.map { box in
            var box = box
            (box.left, box.width) = (box.left * unitX, box.width * unitX)
            (box.top, box.height) = (box.top * unitY, box.height * unitY)
            return box
        }
        let form = try form(of: scaled, among: forms, size, areShares: scale == .shares)
        return form == .sized ? scaled : scaled.map { Self.converted($0, from: form) }
    }

    private static func converted(_ box: TrackBoxes.Box, from form: BoxLayout.Form) -> TrackBoxes.Box {
        var box = box
        switch form {
        case .sized: break
        case .corners:
            box.width -= box.left
            box.height -= box.top
        case .centred:
            box.left -= box.width / 2
            box.top -= box.height / 2
        }
        return box
    }

    /// Whether all numbers lie within 0...1, and some box has a size.
    private static func areShares(_ boxes: [TrackBoxes.Box]) -> Bool {
        let range: ClosedRange<Float> = -0.05...1.05
        return boxes.allSatisfy {
            range ~= $0.left && range ~= $0.top && range ~= $0.width && range ~= $0.height
        } && boxes.contains { 0 < $0.width && $0.width < 1 && 0 < $0.height && $0.height < 1 }
    }

    /// The form that hardly any box contradicts, while many contradict the others.
    private func form(
        of boxes: [TrackBoxes.Box], among forms: [BoxLayout.Form], _ size: VideoFacts?, areShares: Bool
    ) throws -> BoxLayout.Form {
        guard forms.count > 1, let first = forms.first else { return forms.first ?? .sized }
        let shares = forms.map { form in
            let against = boxes.count { Self.contradicts($0, form, size) }
            return (form, Double(against) / Double(boxes.count))
        }.sorted { $0.1 < $1.1 }
        if shares[0].1 * 4 + 0.02 <= shares[1].1 { return shares[0].0 }
        // Without a picture, nothing speaks against sizes; trackers of frames write corners.
        if size == nil && shares[0].1 == shares[1].1 { return first }
        let what = forms.map(\.rawValue).joined(separator: ", or ")
        throw FileError(
            path, "has boxes\(areShares ? " in shares of the picture" : "") that may be \(what)",
            advice: forms.contains(.corners)
                ? "name the column, as in xyxy=bbox or ltwh=bbox"
                : "name the columns, as in x_center=3,y_center=4,width=5,height=6 or left=3,top=4,width=5,height=6",
            remedy: .boxColumns)
    }

    /// Whether a box is not of the form: it has no size, or sticks out of the picture.
    private static func contradicts(_ box: TrackBoxes.Box, _ form: BoxLayout.Form, _ size: VideoFacts?)
        -> Bool
    {
        let real = converted(box, from: form)
        guard real.width >= 0, real.height >= 0 else { return true }
        guard let size, form != .corners else { return false }
        let (slackX, slackY) = (real.width * 0.1, real.height * 0.1)
        return real.left < -slackX || real.top < -slackY
            || real.left + real.width > Float(size.width) + slackX
            || real.top + real.height > Float(size.height) + slackY
    }
}
