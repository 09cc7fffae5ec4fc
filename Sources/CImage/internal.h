#pragma once

#include "cimage.h"

// The buffer for an error message.
typedef struct {
  char *message;
  size_t capacity;
} ci_report;

// If `pixels` is false, only the header is read, and out->pixels stays null. On failure the caller
// releases `out`, so that no code has to after a longjmp.
ci_status ci_decode_jpeg(const uint8_t *bytes, size_t count, int64_t maximum_pixels, bool pixels, ci_image *out, ci_report report);
ci_status ci_decode_png(const uint8_t *bytes, size_t count, int64_t maximum_pixels, bool pixels, ci_image *out, ci_report report);

// The orientation, 1...8, in an EXIF block that starts with "Exif\0\0"; 1 if there is none.
int ci_exif_orientation(const uint8_t *exif, unsigned count);
