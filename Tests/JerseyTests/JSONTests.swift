import Foundation
import Testing

@testable import Jersey

@Suite struct JSONTests {
    private struct Row: Encodable {
        let trackId = 1
        let byName = ["someName": 2]
    }

    @Test func `Other programs get snake_case keys, and files those that their types declare`() throws {
        func object(_ data: Data) throws -> NSDictionary? {
            try JSONSerialization.jsonObject(with: data) as? NSDictionary
        }
        #expect(try object(JSON.output(Row())) == ["track_id": 1, "by_name": ["someName": 2]])
        #expect(try object(JSON.readable(Row())) == ["trackId": 1, "byName": ["someName": 2]])
        #expect(try object(JSON.line(Row())) == object(JSON.readable(Row())))
    }
}
