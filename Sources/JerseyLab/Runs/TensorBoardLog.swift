import Foundation
import Jersey

/// The epochs of a run as scalars for TensorBoard: one event file that grows, and never holds more or less than the run does.
///
/// The format is TFRecord around `tensorflow.Event` messages. We need three of their fields, and two of `Summary`, so the bytes
/// are put together here; classes generated for swift-protobuf would be ten times the code.
package struct TensorBoardLog {
    private let url: URL

    /// Brings the file to the epochs that are done. It stays the same file, since a TensorBoard that is open reads on in it, and not
    /// in one that took its place: what is behind the last good record goes, what is missing follows, with times counted back from now.
    ///
    /// - Throws: `FileError` when it cannot be written.
    package init(_ folder: RunFolder, rows: [EpochMetrics]) throws {
        url = folder.tensorboard.appendingPathComponent("events.out.tfevents.0.jersey")
        try FileManager.default.makeFolder(folder.tensorboard)
        var time = Date().timeIntervalSince1970 - rows.reduce(0) { $0 + $1.seconds }
        var records = [Self.record(Self.event(time: time, field: Self.bytes(3, Data("brain.Event:2".utf8))))]
        for row in rows {
            time += row.seconds
            records.append(Self.records(of: row, time: time))
        }
        let there = (try? Data(contentsOf: url)) ?? Data()
        var length = 0
        var missing = records[...]
        while let next = missing.first, Self.isSame(there.dropFirst(length).prefix(next.count), next) {
            length += next.count
            missing.removeFirst()
        }
        guard length < there.count || !missing.isEmpty else { return }
        let rest = missing.reduce(Data(), +)
        if length == 0 { try AtomicFile.write(rest, to: url) } else { try append(rest, behind: UInt64(length)) }
    }

    package func append(_ row: EpochMetrics) throws {
        try append(Self.records(of: row, time: Date().timeIntervalSince1970))
    }

    /// The test figures, at the epoch whose weights were tested.
    func append(test: EpochMetrics.Part, epoch: Int) throws {
        try append(Self.records(of: Self.scalars(of: test, "test"), step: epoch, time: Date().timeIntervalSince1970))
    }

    private func append(_ data: Data, behind length: UInt64? = nil) throws {
        do {
            let file = try FileHandle(forWritingTo: url)
            defer { try? file.close() }
            if let length { try file.truncate(atOffset: length) }
            try file.seekToEnd()
            try file.write(contentsOf: data)
        } catch {
            throw FileError(url.path, doing: "write", error: error)
        }
    }

    // MARK: Scalars

    private static func records(of row: EpochMetrics, time: Double) -> Data {
        var values = scalars(of: row.train, "train")
        if let validation = row.validation { values += scalars(of: validation, "validation") }
        values.append(("rate_factor", row.rateFactor))
        values.append(("seconds", row.seconds))
        return records(of: values, step: row.epoch, time: time)
    }

    private static func scalars(of part: EpochMetrics.Part, _ name: String) -> [(String, Double)] {
        [
            ("loss/\(name)", part.loss), ("number_accuracy/\(name)", part.numberAccuracy),
            ("tens_accuracy/\(name)", part.tensAccuracy), ("ones_accuracy/\(name)", part.onesAccuracy),
        ] + [part.fullAccuracy].compactMap { $0.map { ("full_accuracy/\(name)", $0) } }
    }

    private static func records(of scalars: [(tag: String, value: Double)], step: Int, time: Double) -> Data {
        let values = scalars.map { tag, value in
            // Summary.Value: tag = 1, simple_value = 2 (float).
            bytes(1, bytes(1, Data(tag.utf8)) + Data([2 << 3 | 5]) + littleEndian(Float(value).bitPattern))
        }
        let summary = bytes(5, values.reduce(Data(), +))
        return record(event(time: time, field: Data([2 << 3]) + varint(UInt64(max(step, 0))) + summary))
    }

    // MARK: Bytes

    /// Event: wall_time = 1 (double), then `field`.
    private static func event(time: Double, field: Data) -> Data {
        Data([1 << 3 | 1]) + littleEndian(time.bitPattern) + field
    }

    /// A length-delimited field.
    private static func bytes(_ field: UInt8, _ content: Data) -> Data {
        Data([field << 3 | 2]) + varint(UInt64(content.count)) + content
    }

    private static func varint(_ value: UInt64) -> Data {
        var (rest, data) = (value, Data())
        while rest >= 0x80 {
            data.append(UInt8(rest & 0x7f) | 0x80)
            rest >>= 7
        }
        data.append(UInt8(rest))
        return data
    }

    private static func littleEndian(_ value: some FixedWidthInteger) -> Data {
        withUnsafeBytes(of: value.littleEndian) { Data($0) }
    }

    /// Whether a record is intact and says the same as another, times aside.
    private static func isSame(_ record: Data, _ other: Data) -> Bool {
        // Length and its checksum, the time's key and the time; at the end the checksum of the content.
        let (lead, time, tail) = (12, 9, 4)
        guard record.count == other.count, record.prefix(lead) == other.prefix(lead),
            record.dropFirst(lead + time).dropLast(tail) == other.dropFirst(lead + time).dropLast(tail)
        else { return false }
        return record == Self.record(Data(record.dropFirst(lead).dropLast(tail)))
    }

    /// TFRecord: length, its checksum, content, its checksum.
    static func record(_ content: Data) -> Data {
        let length = littleEndian(UInt64(content.count))
        return length + littleEndian(maskedChecksum(length)) + content + littleEndian(maskedChecksum(content))
    }

    /// CRC-32C (Castagnoli), rotated and shifted as TFRecord has it.
    static func maskedChecksum(_ data: Data) -> UInt32 {
        var crc = UInt32.max
        for byte in data {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0x82f6_3b78 : crc >> 1 }
        }
        crc = ~crc
        return (crc >> 15 | crc << 17) &+ 0xa282_ead8
    }
}
