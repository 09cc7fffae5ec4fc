import Torch

/// The digits of one frame. If none of a player's frames is marked as the anchor, all are looks at
/// the same number.
struct SingleFrameHead: ModelHead {
    private var reader: FrameReader

    init(_ reader: FrameReader) { self.reader = reader }

    var features: FrameFeatures { reader.features }

    func prepared(for maps: [Int], on device: Device) -> SingleFrameHead {
        SingleFrameHead(reader.prepared(for: maps, on: device))
    }

    func encoded(_ maps: Tensor, _ pass: Pass) -> FrameLogits { reader(maps, pass).0 }
    func joined(_ parts: [FrameLogits]) -> FrameLogits { .joined(parts) }
    func each(_ frames: FrameLogits) -> [Evidence] { Evidence.each(frames) }

    /// A row for every frame.
    func output(of frames: FrameLogits, _ layout: PackedLayout, _ pass: Pass) -> Output {
        Output(tens: frames.tens, ones: frames.ones, full: frames.full, attention: nil)
    }

    func sequenceOutputs(_ output: Output, lengths: [Int]) -> [SequenceOutput] {
        var frames = Evidence.each(FrameLogits(tens: output.tens, ones: output.ones, full: output.full))[...]
        return lengths.map { length in
            defer { frames = frames.dropFirst(length) }
            return Self.sequenceOutput(frames.prefix(length))
        }
    }

    func sequenceOutputs(of frames: [[Evidence]], _ pass: Pass) -> [SequenceOutput] {
        frames.map(Self.sequenceOutput)
    }

    private static func sequenceOutput(_ frames: some Collection<Evidence>) -> SequenceOutput {
        let sum = Evidence(frames)
        let digits = sum.distribution()
        let shares = frames.count > 1 ? digits.shares(of: frames.map { $0.distribution() }) : nil
        return SequenceOutput(sum, digits, weights: shares)
    }

    func memory(limit: Int, _ pass: Pass) -> any FrameMemory {
        SumMemory(head: self, pass: pass) { SequenceOutput($0, $0.distribution(), weights: nil) }
    }

    func exported(_ frames: FrameLogits) -> [Tensor] { frames.all }
}

/// The sum of the frames so far.
struct SumMemory<Head: ModelHead>: FrameMemory where Head.Frame: RunningSum {
    let head: Head
    let pass: Pass
    /// What the sum says.
    let said: (Head.Frame) -> SequenceOutput
    private var sum: Head.Frame?

    init(head: Head, pass: Pass, said: @escaping (Head.Frame) -> SequenceOutput) {
        self.head = head
        self.pass = pass
        self.said = said
    }

    mutating func add(_ maps: Tensor) {
        for look in head.each(head.encoded(maps, pass)) { sum.add(look) }
    }

    func output() -> SequenceOutput? { sum.map(said) }
}
