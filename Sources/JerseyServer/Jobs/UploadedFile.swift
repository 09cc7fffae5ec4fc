import Foundation
import Jersey
import Synchronization

/// A body that is too large for memory, in a file without a name: nobody else can open it, and it is
/// gone with the service, however that ends.
final class UploadedFile: Sendable {
    private let file: Int32
    private let size = Mutex(0)

    /// - Throws: `ServiceError` if the temporary folder cannot hold files.
    init() throws {
        let template = FileManager.default.temporaryDirectory.appendingPathComponent("jersey-video-XXXXXX")
        file = template.path.withFileSystemPath { template in
            guard let path = strdup(template) else { return -1 }
            defer { free(path) }
            let file = mkstemp(path)
            if file >= 0 { unlink(path) }
            return file
        }
        guard file >= 0 else { throw Self.failure(errno) }
        _ = fcntl(file, F_SETFD, FD_CLOEXEC)
    }

    deinit { close(file) }

    var count: Int { size.withLock { $0 } }

    /// Adds to its end. Blocks while the disk is busy.
    ///
    /// - Throws: `ServiceError` if there is no space left.
    func append(_ bytes: UnsafeRawBufferPointer) throws {
        try size.withLock { size in
            var rest = bytes[...]
            while !rest.isEmpty {
                let written = write(file, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if written < 0 && errno == EINTR { continue }
                guard written > 0 else { throw Self.failure(errno) }
                rest = rest.dropFirst(written)
            }
            size += bytes.count
        }
    }

    /// All of it, read from the disk where it is looked at.
    ///
    /// - Throws: `ServiceError`.
    func mapped() throws -> Data {
        let count = count
        guard count > 0 else { return Data() }
        guard let place = mmap(nil, count, PROT_READ, MAP_PRIVATE, file, 0), place != MAP_FAILED else {
            throw Self.failure(errno)
        }
        return Data(bytesNoCopy: place, count: count, deallocator: .unmap)
    }

    /// A part of a file.
    struct Part: Sendable {
        let file: UploadedFile
        let range: Range<Int>

        var count: Int { range.count }

        /// - Parameter offset: from the part's start.
        /// - Throws: `ServiceError` if the disk fails.
        func bytes(from offset: Int, _ count: Int) throws -> [UInt8] {
            try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
                while filled < count {
                    let place = off_t(range.lowerBound + offset + filled)
                    let rest = UnsafeMutableRawBufferPointer(
                        rebasing: UnsafeMutableRawBufferPointer(buffer)[filled...])
                    let got = pread(file.file, rest.baseAddress, count - filled, place)
                    if got < 0 && errno == EINTR { continue }
                    guard got > 0 else { throw UploadedFile.failure(got < 0 ? errno : EIO) }
                    filled += got
                }
            }
        }
    }

    private static func failure(_ code: Int32) -> ServiceError {
        ServiceError(
            .serviceUnavailable,
            "the video cannot be kept while it is read: \(SystemError(code).reason); try again later, or send a smaller one",
            retryAfter: 60)
    }
}
