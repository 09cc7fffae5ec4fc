import Foundation
import TestSupport
import Testing

@testable import JerseyLab

@Suite struct TensorBoardLogTests {
    private struct Event {
        var version: String?
        var step = 0
        var scalars: [String: Float] = [:]
    }

    /// Reads TFRecords, and the fields that TensorBoard looks for.
    private func events(_ url: URL) throws -> [Event] {
        var bytes = [UInt8](try Data(contentsOf: url))[...]
        func take(_ count: Int) throws -> ArraySlice<UInt8> {
            try #require(bytes.count >= count, "the file is cut short")
            defer { bytes = bytes.dropFirst(count) }
            return bytes.prefix(count)
        }
        func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
            bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        var events: [Event] = []
        while !bytes.isEmpty {
            let length = try take(8)
            #expect(number(try take(4)) == UInt64(TensorBoardLog.maskedChecksum(Data(length))))
            let content = try take(Int(number(length)))
            #expect(number(try take(4)) == UInt64(TensorBoardLog.maskedChecksum(Data(content))))
            var event = Event()
            for (field, value) in fields(content) {
                switch field {
                case 2: event.step = Int(number(value))
                case 3: event.version = String(decoding: value, as: UTF8.self)
                case 5:
                    for (_, scalar) in fields(value) {
                        let parts = Dictionary(uniqueKeysWithValues: fields(scalar))
                        let tag = String(decoding: try #require(parts[1]), as: UTF8.self)
                        event.scalars[tag] = Float(bitPattern: UInt32(number(try #require(parts[2]))))
                    }
                default: break
                }
            }
            events.append(event)
        }
        return events
    }

    /// The fields of a protobuf message; numbers as little-endian bytes.
    private func fields(_ message: ArraySlice<UInt8>) -> [(Int, ArraySlice<UInt8>)] {
        var (rest, found) = (message, [(Int, ArraySlice<UInt8>)]())
        func varint() -> Int {
            var (value, shift) = (0, 0)
            while let byte = rest.popFirst() {
                value |= Int(byte & 0x7f) << shift
                shift += 7
                if byte < 0x80 { break }
            }
            return value
        }
        while !rest.isEmpty {
            let key = varint()
            let count: Int
            switch key & 7 {
            case 0:
                let value = varint()
                found.append((key >> 3, (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }[...]))
                continue
            case 1: count = 8
            case 5: count = 4
            default: count = varint()
            }
            found.append((key >> 3, rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        return found
    }

    @Test func `The checksum is CRC-32C, masked as TFRecord has it`() {
        // The check value in the catalogue of CRC algorithms.
        let crc: UInt32 = 0xe306_9283
        #expect(
            TensorBoardLog.maskedChecksum(Data("123456789".utf8)) == (crc >> 15 | crc << 17) &+ 0xa282_ead8)
        #expect(TensorBoardLog.maskedChecksum(Data()) == 0xa282_ead8)
    }

    @Test func `Epochs and test figures can be read back by step, also after a pause`() throws {
        let folder = try TestFolder()
        let run = RunFolder(folder.url)
        func row(_ epoch: Int) -> EpochMetrics {
            let part = EpochMetrics.Part(
                loss: 1 / Double(epoch), numberAccuracy: 0.25, tensAccuracy: 0.5, onesAccuracy: 0.75,
                fullAccuracy: nil,
                sequences: 4)
            return EpochMetrics(
                epoch: epoch, rateFactor: 0.5, train: part, validation: epoch == 200 ? nil : part,
                unreadableFiles: 0, best: true,
                seconds: 2)
        }
        let file = run.tensorboard.appendingPathComponent("events.out.tfevents.0.jersey")
        try TensorBoardLog(run, rows: []).append(row(1))
        #expect(try events(file).map(\.step) == [0, 1])
        // A continued session does not repeat the earlier epochs.
        let log = try TensorBoardLog(run, rows: [row(1)])
        try log.append(row(200))
        try log.append(test: row(1).train, epoch: 1)
        let events = try events(file)
        #expect(events[0].version == "brain.Event:2" && events.map(\.step) == [0, 1, 200, 1])
        #expect(
            events[1].scalars == [
                "loss/train": 1, "number_accuracy/train": 0.25, "tens_accuracy/train": 0.5,
                "ones_accuracy/train": 0.75,
                "loss/validation": 1, "number_accuracy/validation": 0.25, "tens_accuracy/validation": 0.5,
                "ones_accuracy/validation": 0.75, "rate_factor": 0.5, "seconds": 2,
            ])
        #expect(events[2].scalars["loss/train"] == 0.005 && events[2].scalars["loss/validation"] == nil)
        #expect(events[3].scalars["number_accuracy/test"] == 0.25 && events[3].scalars.count == 4)
    }
}
