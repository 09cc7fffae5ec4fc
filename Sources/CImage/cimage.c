#include "internal.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
  size_t offset;
  const char *magic;
  size_t length;
  const char *name;
} others[] = {
  {0, "GIF8", 4, "a GIF image"},
  {8, "WEBP", 4, "a WebP image"},
  {0, "BM", 2, "a BMP image"},
  {0, "II*\0", 4, "a TIFF image"},
  {0, "MM\0*", 4, "a TIFF image"},
  {4, "ftypavif", 8, "an AVIF image"},
  {4, "ftyphei", 7, "a HEIC image"},
  {4, "ftyphev", 7, "a HEIC image"},
  {4, "ftypmif1", 8, "a HEIC image"},
  {4, "ftyp", 4, "an MP4 or QuickTime video"},
  {4, "jP  ", 4, "a JPEG 2000 image"},
  {0, "\xFF\x0A", 2, "a JPEG XL image"},
  {4, "JXL ", 4, "a JPEG XL image"},
  {0, "8BPS", 4, "a Photoshop document"},
  {0, "%PDF", 4, "a PDF document"},
  {0, "PK\3\4", 4, "a ZIP archive"},
};

static bool has(const uint8_t *bytes, size_t count, size_t offset, const char *magic, size_t length) {
  return count >= offset + length && memcmp(bytes + offset, magic, length) == 0;
}

static bool is_text(const uint8_t *bytes, size_t count) {
  for (size_t i = 0; i < count && i < 64; i++)
    if (!isprint(bytes[i]) && !isspace(bytes[i])) return false;
  return true;
}

static const char *name_of(const uint8_t *bytes, size_t count) {
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    if (has(bytes, count, others[i].offset, others[i].magic, others[i].length)) return others[i].name;
  return is_text(bytes, count) ? "a text file" : "of an unknown format";
}

static ci_status recognise(const uint8_t *bytes, size_t count, ci_format *format, ci_report report) {
  static const char jpeg[] = "\xFF\xD8\xFF", png[] = "\x89PNG\r\n\x1A\n";
  if (count == 0) return ci_status_empty;
  *format = bytes[0] == 0xFF ? ci_format_jpeg : ci_format_png;
  const char *magic = *format == ci_format_jpeg ? jpeg : png;
  size_t length = *format == ci_format_jpeg ? sizeof jpeg - 1 : sizeof png - 1;
  if (has(bytes, count, 0, magic, length)) return ci_status_ok;
  if (count < length && memcmp(bytes, magic, count) == 0) return ci_status_truncated;
  snprintf(report.message, report.capacity, "%s", name_of(bytes, count));
  return ci_status_unsupported;
}

static ci_status load(const uint8_t *bytes, size_t count, int64_t maximum_pixels, bool pixels, ci_format *format,
                      ci_image *out, ci_report report) {
  *out = (ci_image){0};
  if (report.capacity > 0) report.message[0] = 0;
  ci_status status = recognise(bytes, count, format, report);
  if (status != ci_status_ok) return status;
  status = (*format == ci_format_jpeg ? ci_decode_jpeg : ci_decode_png)(bytes, count, maximum_pixels, pixels, out, report);
  if (status != ci_status_ok) ci_release(out);
  return status;
}

ci_status ci_decode(const uint8_t *bytes, size_t count, int64_t maximum_pixels, ci_image *out, char *message, size_t capacity) {
  ci_format format;
  return load(bytes, count, maximum_pixels, true, &format, out, (ci_report){message, capacity});
}

ci_status ci_read_info(const uint8_t *bytes, size_t count, ci_info *out, char *message, size_t capacity) {
  ci_image image;
  *out = (ci_info){0};
  ci_status status = load(bytes, count, INT64_MAX, false, &out->format, &image, (ci_report){message, capacity});
  out->width = image.width;
  out->height = image.height;
  return status;
}

void ci_release(ci_image *image) {
  free(image->pixels);
  image->pixels = NULL;
}

void ci_free_bytes(uint8_t *bytes) { free(bytes); }
