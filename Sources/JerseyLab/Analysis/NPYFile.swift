import Foundation

/// NumPy's file format, version 1.0 (NEP 1), for small matrices. No Swift package writes it.
enum NPYFile {
    /// An int64 matrix in row-major order.
    static func data(_ rows: [[Int]]) -> Data {
        let shape = "(\(rows.count), \(rows.first?.count ?? 0))"
        var header = "{'descr': '<i8', 'fortran_order': False, 'shape': \(shape), }"
        // The format aligns the values to 64 bytes.
        let fixed = 10
        header += String(repeating: " ", count: 63 - (fixed + header.utf8.count) % 64) + "\n"
        var data = Data([0x93] + Array("NUMPY".utf8) + [1, 0])
        withUnsafeBytes(of: UInt16(header.utf8.count).littleEndian) { data.append(contentsOf: $0) }
        data.append(contentsOf: header.utf8)
        for value in rows.joined() {
            withUnsafeBytes(of: Int64(value).littleEndian) { data.append(contentsOf: $0) }
        }
        return data
    }
}
