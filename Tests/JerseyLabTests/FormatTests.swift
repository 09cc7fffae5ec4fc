import Foundation
import Testing

@testable import JerseyOutput

@Suite struct FormatTests {
    @Test func `Shares are percent, with as many places as are asked for`() {
        #expect(Format.percent(0.98412, places: 2) == "98.41%" && Format.percent(1, places: 0) == "100%")
        #expect(
            Format.points(-0.00131, places: 2) == "-0.13" && Format.percent(0.000012, digits: 2) == "0.0012%")
        #expect(
            Format.percent(1, of: 3, places: 1) == "33.3%" && Format.percent(0, of: 0, places: 2) == "0.00%")
    }

    @Test func `A missing value is shown as a dash`() {
        #expect(Format.percent(nil, places: 1) == "-" && Format.decimal(nil, places: 4) == "-")
        #expect(Format.time(nil) == "-" && Format.duration(nil) == "-" && Format.milliseconds(nil) == "-")
        #expect(
            Format.times(nil) == "-" && Format.points(nil, places: 2) == "-" && Format.timestamp(nil) == "-")
    }

    @Test func `Figures keep their places, and digits their count`() {
        #expect(Format.decimal(0.95642, places: 4) == "0.9564" && Format.signed(0.42, places: 2) == "+0.42")
        #expect(Format.digits(0.00042, 3) == "0.00042" && Format.digits(1_234_567, 4) == "1.235e+06")
        #expect(Format.scientific(0.00000012, places: 1) == "1.2e-07")
        #expect(Format.range(0.9512, 0.96331, places: 4) == "0.9512 - 0.9633")
    }

    @Test func `Whole numbers sort as names, and read well when they are long`() {
        #expect(Format.padded(7, digits: 3) == "007" && Format.padded(1234, digits: 3) == "1234")
        #expect(Format.grouped(11_187_285) == "11,187,285")
    }

    @Test func `Quantities have the unit that fits them`() {
        #expect(Format.bytes(350_000_000) == "350 MB" && Format.bytes(3_200_000_000) == "3.2 GB")
        #expect(Format.giga(1_813_000_000) == "1.813 G" && Format.mega(2_480_000) == "2.48 M")
        #expect(
            Format.time(45.6e-6) == "45.6 µs" && Format.time(0.00123) == "1.23 ms"
                && Format.times(1.2699) == "1.27×")
        #expect(
            Format.duration(63) == "1:03" && Format.duration(3725.4) == "1:02:05"
                && Format.duration(.infinity) == "?")
    }

    @Test func `Differences of shares are points with a sign, and columns of times are milliseconds`() {
        #expect(
            Format.signedPoints(0.0042, places: 2) == "+0.42"
                && Format.signedPoints(-0.01, places: 1) == "-1.0")
        #expect(Format.milliseconds(0.00249) == "2.49" && Format.milliseconds(1.5) == "1500.00")
    }

    @Test func `Dates are ISO 8601, in UTC`() {
        let date = Date(timeIntervalSince1970: 1_796_018_484)
        #expect(Format.timestamp(date) == "2026-11-30T06:01:24Z" && Format.day(date) == "2026-11-30")
    }
}
