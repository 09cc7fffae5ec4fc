#include "internal.h"

#include <libexif/exif-data.h>
#include <stdlib.h>
#include <string.h>

int ci_exif_orientation(const uint8_t *exif, unsigned count) {
  int orientation = 1;
  ExifData *data = exif_data_new_from_data(exif, count);
  if (!data) return orientation;
  ExifEntry *entry = exif_content_get_entry(data->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION);
  if (entry && entry->format == EXIF_FORMAT_SHORT && entry->components > 0)
    orientation = exif_get_short(entry->data, exif_data_get_byte_order(data));
  exif_data_unref(data);
  return orientation >= 1 && orientation <= 8 ? orientation : 1;
}

// The orientation in a block that starts as a TIFF file does.
static int tiff_orientation(const uint8_t *bytes, size_t count) {
  static const uint8_t mark[6] = "Exif\0";
  // Entries of the first directory come early in blocks, and anywhere in TIFF files.
  if (count > 64 << 20) return 1;
  uint8_t *block = malloc(count + sizeof mark);
  if (!block) return 1;
  memcpy(block, mark, sizeof mark);
  memcpy(block + sizeof mark, bytes, count);
  int orientation = ci_exif_orientation(block, (unsigned)(count + sizeof mark));
  free(block);
  return orientation;
}

static uint32_t big(const uint8_t *b) { return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3]; }
static uint32_t little(const uint8_t *b) { return (uint32_t)b[3] << 24 | (uint32_t)b[2] << 16 | (uint32_t)b[1] << 8 | b[0]; }

// Walks the chunks behind a header, of which each has a name and a length before its content.
static int orientation_in_chunks(const uint8_t *bytes, size_t count, size_t place, bool is_png) {
  size_t tail = is_png ? 4 : 0; // a checksum
  while (count - place >= 8) {
    const uint8_t *head = bytes + place, *name = is_png ? head + 4 : head;
    size_t length = is_png ? big(head) : little(head + 4);
    place += 8;
    if (length > count - place) return 1;
    const uint8_t *content = bytes + place;
    if (memcmp(name, is_png ? "eXIf" : "EXIF", 4) == 0) {
      bool has_mark = length >= 6 && memcmp(content, "Exif\0\0", 6) == 0;
      return has_mark ? ci_exif_orientation(content, (unsigned)length) : tiff_orientation(content, length);
    }
    length += tail + (is_png ? 0 : length & 1);
    if (length > count - place) return 1;
    place += length;
  }
  return 1;
}

int ci_orientation(const uint8_t *bytes, size_t count) {
  if (count >= 8 && memcmp(bytes, "\x89PNG", 4) == 0) return orientation_in_chunks(bytes, count, 8, true);
  if (count >= 12 && memcmp(bytes, "RIFF", 4) == 0 && memcmp(bytes + 8, "WEBP", 4) == 0)
    return orientation_in_chunks(bytes, count, 12, false);
  if (count >= 4 && (memcmp(bytes, "II*\0", 4) == 0 || memcmp(bytes, "MM\0*", 4) == 0)) return tiff_orientation(bytes, count);
  return 1;
}

bool ci_orient(ci_image *image, int orientation) {
  if (orientation == 1) return true;
  bool transposed = orientation >= 5;
  bool from_right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  bool from_below = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  size_t width = (size_t)image->width, height = (size_t)image->height;
  size_t columns = transposed ? height : width, rows = transposed ? width : height;
  uint8_t *turned = malloc(columns * rows * 3);
  if (!turned) return false;
  for (size_t row = 0; row < rows; row++)
    for (size_t column = 0; column < columns; column++) {
      size_t x = transposed ? row : column, y = transposed ? column : row;
      if (from_right) x = width - 1 - x;
      if (from_below) y = height - 1 - y;
      memcpy(turned + (row * columns + column) * 3, image->pixels + (y * width + x) * 3, 3);
    }
  free(image->pixels);
  *image = (ci_image){(int32_t)columns, (int32_t)rows, turned};
  return true;
}
