// Decodes video files frame by frame to RGB, and encodes them, over FFmpeg's libavformat,
// libavcodec and libswscale. Use a reader or writer from one thread at a time; different ones may
// run on different threads. Pixels are 8-bit RGB, row by row, without gaps. A function that fails
// writes the reason to `message`, cut to `capacity` bytes with its final zero.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma clang assume_nonnull begin

typedef enum __attribute__((enum_extensibility(closed))) : int32_t {
  cv_status_ok,
  cv_status_end,         // no more frames
  cv_status_damaged,     // something was skipped; continue with the next call
  cv_status_no_video,    // the file has only sound or subtitles
  cv_status_too_large,   // exceeds the pixel limit; width and height of the result are set
  cv_status_unsupported, // not a video, or of a format that the libraries do not know
  cv_status_no_memory,
  cv_status_failed,      // the message is the system's or the library's
} cv_status;

typedef struct cv_reader cv_reader;
typedef struct cv_writer cv_writer;

typedef struct {
  int32_t width, height; // upright: after the rotation in the file
  double rate;           // average frames per second; 0 if unknown
  int64_t frames;        // approximate; 0 if unknown
  int32_t aspect_x, aspect_y; // a pixel's width and height, upright; 0 if unknown or square
} cv_info;

typedef struct {
  double time;  // seconds from the start; negative if unknown
  bool damaged; // parts of the picture are made up
} cv_frame;

/// Opens a file, never a network address. Checks the size against the limit before it allocates.
cv_status cv_reader_open(const char *path, int64_t maximum_pixels, cv_reader *_Nullable *_Nonnull out, cv_info *info,
                         char *message, size_t capacity);
/// Does the same for a file in memory, which must stay valid until the reader is closed. Reads
/// nothing else and starts no threads.
cv_status cv_reader_open_bytes(const uint8_t *_Nullable bytes, size_t count, int64_t maximum_pixels, cv_reader *_Nullable *_Nonnull out,
                               cv_info *info, char *message, size_t capacity);
/// Fills `to` with the `count` bytes at `offset` of a file. Returns false if they cannot be read.
typedef bool cv_read(void *context, int64_t offset, uint8_t *to, size_t count);
/// Does the same for a file of `count` bytes that a function gives.
cv_status cv_reader_open_source(cv_read *read, void *context, int64_t count, int64_t maximum_pixels, cv_reader *_Nullable *_Nonnull out,
                                cv_info *info, char *message, size_t capacity);
/// Whether to stop waiting. It may be called from several threads.
typedef bool cv_stops(void *context);
/// Takes up to `count` bytes of a pipe, at least one. Returns how many; 0 at the end, negative to stop.
typedef int cv_take(void *context, uint8_t *to, int count);
/// Whether a text is an address on the network that can be opened: rtsp, rtsps, rtp, udp, tcp, srt, http or https.
bool cv_is_address(const char *text);
/// Opens a live video at an address, and nothing that it leads to on this machine. `stops` is asked while it waits, as long as the
/// reader is open.
cv_status cv_reader_open_address(const char *address, cv_stops *stops, void *context, int64_t maximum_pixels, cv_reader *_Nullable *_Nonnull out,
                                 cv_info *info, char *message, size_t capacity);
/// Opens a live video in a pipe.
cv_status cv_reader_open_pipe(cv_take *take, void *context, int64_t maximum_pixels, cv_reader *_Nullable *_Nonnull out, cv_info *info,
                              char *message, size_t capacity);
/// How long a reader has waited for data, in seconds.
double cv_reader_waited(const cv_reader *reader);
/// After the end of a live video: whether it was lost, and why, rather than complete.
bool cv_reader_lost(const cv_reader *reader, char *message, size_t capacity);
/// Whether frames that no other depends on are passed over, which takes less time.
void cv_reader_hurry(cv_reader *reader, bool hurries);
/// Counts the video's packets in memory, which are its frames, without decoding; 0 if it cannot be
/// opened.
int64_t cv_count_frames(const uint8_t *_Nullable bytes, size_t count, int64_t maximum_pixels);
/// Decodes the next frame in time order. Returns ok, end, damaged or no_memory.
cv_status cv_reader_next(cv_reader *reader, cv_frame *out, char *message, size_t capacity);
/// Copies a rectangle, which must lie inside the last decoded frame. Returns false if the frame
/// cannot be converted, or out of memory. Frames are converted on first use; a frame of another
/// size than the first is scaled to it.
bool cv_reader_copy(cv_reader *reader, int32_t left, int32_t top, int32_t width, int32_t height, uint8_t *rgb);
void cv_reader_close(cv_reader *reader);

typedef struct {
  int32_t width, height;
  uint8_t *_Nullable rgb; // height * width * 3 bytes, freed by cv_picture_release
} cv_picture;

/// Decodes a WebP, BMP, TIFF, GIF or AVIF picture in memory, and HEIC if the library can; of an
/// animation, the first. Returns unsupported for other bytes. Starts no threads.
cv_status cv_picture_decode(const uint8_t *_Nullable bytes, size_t count, int64_t maximum_pixels, cv_picture *out, char *message,
                            size_t capacity);
void cv_picture_release(cv_picture *picture);

/// Creates an H.264 video, or MPEG-4 if the library has no x264. The container follows from the
/// extension of `path`. A pixel has that width and height; 0 for square ones. Sides are at least 2; an odd side loses its last row or column.
cv_status cv_writer_open(const char *path, int32_t width, int32_t height, double rate, int32_t aspect_x, int32_t aspect_y, cv_writer *_Nullable *_Nonnull out,
                         char *message, size_t capacity);
/// Adds a frame of the writer's size, `time` seconds from the start.
cv_status cv_writer_add(cv_writer *writer, const uint8_t *rgb, double time, char *message, size_t capacity);
/// Completes the file. Add nothing afterwards.
cv_status cv_writer_finish(cv_writer *writer, char *message, size_t capacity);
void cv_writer_close(cv_writer *writer);
/// "H.264" or "MPEG-4".
const char *cv_writer_codec(void);

/// FFmpeg's version.
const char *cv_version(void);

#pragma clang assume_nonnull end
#ifdef __cplusplus
}
#endif
