// JPEG and PNG, bytes to pixels and back, over libjpeg-turbo, libpng and libexif.
// Nothing is shared, so every function may run on any thread. Pixels are 8-bit RGB, row by row,
// without gaps. A function that fails writes the reason to `message`, cut to `capacity` bytes with
// its final zero.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma clang assume_nonnull begin

typedef enum __attribute__((enum_extensibility(closed))) : int32_t {
  ci_status_ok,
  ci_status_empty,       // no bytes at all
  ci_status_truncated,   // the bytes end before the image does
  ci_status_too_large,   // exceeds the pixel limit; width and height of the result are set
  ci_status_unsupported, // neither JPEG nor PNG; the message names the format: "a GIF image"
  ci_status_no_memory,
  ci_status_failed,      // corrupt, or not supported by the library; the message is the library's
} ci_status;

typedef enum __attribute__((enum_extensibility(closed))) : int32_t { ci_format_jpeg, ci_format_png } ci_format;

typedef struct {
  int32_t width, height;
  uint8_t *_Nullable pixels; // height * width * 3 bytes, freed by ci_release
} ci_image;

typedef struct {
  ci_format format;
  int32_t width, height; // as ci_decode returns them
} ci_info;

/// Decodes a JPEG or PNG, which it recognises by content. Checks the size against the limit before
/// it allocates. Grey, palette, CMYK and 16-bit images become RGB; alpha is dropped; a JPEG's EXIF
/// orientation is applied.
ci_status ci_decode(const uint8_t *_Nullable bytes, size_t count, int64_t maximum_pixels, ci_image *out,
                    char *message, size_t capacity);
void ci_release(ci_image *image);

/// Turns pixels that malloc gave upright, for an EXIF orientation 1...8. Returns false if out of
/// memory.
bool ci_orient(ci_image *image, int orientation);
/// The EXIF orientation in a PNG, WebP or TIFF file; 1 if it tells none.
int ci_orientation(const uint8_t *_Nullable bytes, size_t count);

/// Reads only the header.
ci_status ci_read_info(const uint8_t *_Nullable bytes, size_t count, ci_info *out, char *message, size_t capacity);

/// Free the result with ci_free_bytes. Quality is 1...100.
ci_status ci_encode_jpeg(const uint8_t *rgb, int32_t width, int32_t height, int32_t quality,
                         uint8_t *_Nullable *_Nonnull out, size_t *out_count, char *message, size_t capacity);
ci_status ci_encode_png(const uint8_t *rgb, int32_t width, int32_t height,
                        uint8_t *_Nullable *_Nonnull out, size_t *out_count, char *message, size_t capacity);
void ci_free_bytes(uint8_t *_Nullable bytes);

#pragma clang assume_nonnull end
#ifdef __cplusplus
}
#endif
