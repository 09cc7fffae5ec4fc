import CArchive
import Foundation
import Jersey

/// Zip and tar files.
package enum TestArchive {
    /// The items of an archive, including ones that no honest program would pack.
    package enum Item {
        case file(String, Data)
        case link(String, to: String)
        case hardLink(String, to: String)
        case other(String, UInt32)
    }

    package static func pack(_ items: [Item], _ name: String = "a.tar.gz", in folder: URL) throws -> String {
        try withUTF8Names { try write(items, name, in: folder) }
    }

    private static func write(_ items: [Item], _ name: String, in folder: URL) throws -> String {
        let path = folder.appendingPathComponent(name).path
        let writer = try made(archive_write_new())
        defer { archive_write_free(writer) }
        if name.hasSuffix(".zip") {
            archive_write_set_format_zip(writer)
        } else {
            archive_write_set_format_pax_restricted(writer)
            if name.hasSuffix("gz") { archive_write_add_filter_gzip(writer) }
            if name.hasSuffix("zst") { archive_write_add_filter_zstd(writer) }
        }
        try check(archive_write_open_filename(writer, path) == ARCHIVE_OK)
        for item in items {
            let entry = try made(archive_entry_new())
            defer { archive_entry_free(entry) }
            archive_entry_set_perm(entry, 0o644)
            archive_entry_set_filetype(entry, S_IFREG)
            var content = Data()
            switch item {
            case .file(let name, let data):
                archive_entry_set_pathname_utf8(entry, name)
                archive_entry_set_size(entry, Int64(data.count))
                content = data
            case .link(let name, let target):
                archive_entry_set_pathname_utf8(entry, name)
                archive_entry_set_filetype(entry, S_IFLNK)
                archive_entry_set_symlink(entry, target)
            case .hardLink(let name, let target):
                archive_entry_set_pathname_utf8(entry, name)
                archive_entry_set_hardlink(entry, target)
            case .other(let name, let type):
                archive_entry_set_pathname_utf8(entry, name)
                archive_entry_set_filetype(entry, type)
            }
            try check(archive_write_header(writer, entry) >= ARCHIVE_WARN)
            _ = content.withUnsafeBytes { archive_write_data(writer, $0.baseAddress, $0.count) }
        }
        try check(archive_write_close(writer) == ARCHIVE_OK)
        return path
    }

    private static func made(_ pointer: OpaquePointer?) throws -> OpaquePointer {
        guard let pointer else { throw UsageError("libarchive has no memory") }
        return pointer
    }

    private static func check(_ isDone: Bool) throws {
        guard isDone else { throw UsageError("the archive cannot be written") }
    }
}
