// Video files, frame by frame to RGB and back, over FFmpeg's libavformat, libavcodec and libswscale.
// A reader or writer belongs to one thread at a time; different ones may run on different threads.
// Pixels are 8-bit RGB, row by row, without gaps. A function that fails says why in `message`, cut to `capacity` bytes with its final zero.
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
  cv_status_damaged,     // something was passed over; go on with the next call
  cv_status_no_video,    // a file of sound or subtitles only
  cv_status_too_large,   // more pixels than allowed; width and height of the result are set
  cv_status_unsupported, // no video file, or one of a kind that the libraries do not know
  cv_status_no_memory,
  cv_status_failed,      // the system's or the library's reason is in the message
} cv_status;

typedef struct cv_reader cv_reader;
typedef struct cv_writer cv_writer;

typedef struct {
  int32_t width, height; // upright: after the rotation that the file asks for
  double rate;           // average frames a second; 0 where it is not known
  int64_t frames;        // about how many; 0 where it is not known
} cv_info;

typedef struct {
  double time;  // seconds from the start; below 0 where it is not known
  bool damaged; // parts of the picture were made up
} cv_frame;

/// Opens a file, never a network address. The size is compared with the limit before anything is allocated for it.
cv_status cv_reader_open(const char *path, int64_t maximum_pixels, cv_reader *_Nullable *_Nonnull out, cv_info *info,
                         char *message, size_t capacity);
/// The same for a file in memory, which must stay there until the reader is closed. Nothing else is read, and no threads are started.
cv_status cv_reader_open_bytes(const uint8_t *_Nullable bytes, size_t count, int64_t maximum_pixels, cv_reader *_Nullable *_Nonnull out,
                               cv_info *info, char *message, size_t capacity);
/// Decodes the next frame in order of time: ok, end, damaged, no_memory.
cv_status cv_reader_next(cv_reader *reader, cv_frame *out, char *message, size_t capacity);
/// Copies a rectangle of the frame decoded last, which lies inside of it. False when it cannot be converted, or memory is short.
/// Frames are converted when first asked for; those of another size than the first are scaled to it.
bool cv_reader_copy(cv_reader *reader, int32_t left, int32_t top, int32_t width, int32_t height, uint8_t *rgb);
void cv_reader_close(cv_reader *reader);

/// Makes a video of H.264, or of MPEG-4 where the library has no x264. The kind of file follows from the ending of `path`.
/// Sides are from 2; an odd one loses its last row or column.
cv_status cv_writer_open(const char *path, int32_t width, int32_t height, double rate, cv_writer *_Nullable *_Nonnull out,
                         char *message, size_t capacity);
/// Adds a frame of the writer's size, `time` seconds from the start.
cv_status cv_writer_add(cv_writer *writer, const uint8_t *rgb, double time, char *message, size_t capacity);
/// Completes the file; nothing may be added afterwards.
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
