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
