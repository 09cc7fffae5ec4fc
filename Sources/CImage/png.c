#include "internal.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  png_structp png;
  png_infop info;
  const uint8_t *next;
  size_t left;
  ci_status status;
  ci_report report;
} codec;

_Noreturn static void on_error(png_structp png, png_const_charp text) {
  codec *c = png_get_error_ptr(png);
  if (c->status == ci_status_ok) c->status = ci_status_failed;
  snprintf(c->report.message, c->report.capacity, "%s", text);
  png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text) { (void)png, (void)text; }

static void supply(png_structp png, png_bytep bytes, size_t count) {
  codec *c = png_get_io_ptr(png);
  if (count > c->left) {
    c->status = ci_status_truncated;
    png_error(png, "the bytes end too early");
  }
  memcpy(bytes, c->next, count);
  c->next += count;
  c->left -= count;
}

// MARK: decoding

// Converts any colour type to rows of 8-bit RGB.
static void ask_for_rgb(codec *c) {
  int colour = png_get_color_type(c->png, c->info);
  if (colour == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(c->png);
  if (colour == PNG_COLOR_TYPE_GRAY) png_set_expand_gray_1_2_4_to_8(c->png);
  if (!(colour & PNG_COLOR_MASK_COLOR)) png_set_gray_to_rgb(c->png);
  png_set_strip_16(c->png);
  png_set_strip_alpha(c->png);
}

// Everything that must survive a longjmp lives in `c` and `out`, outside this frame.
static ci_status decode(codec *c, int64_t maximum_pixels, bool pixels, ci_image *out) {
  if (setjmp(png_jmpbuf(c->png))) return c->status;
  png_set_read_fn(c->png, c, supply);
  png_set_user_limits(c->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX); // our limit counts pixels and is checked below
  png_set_chunk_malloc_max(c->png, 8 << 20);
  png_set_keep_unknown_chunks(c->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1); // skips text, profiles and further frames
  png_read_info(c->png, c->info);

  out->width = (int32_t)png_get_image_width(c->png, c->info);
  out->height = (int32_t)png_get_image_height(c->png, c->info);
  if ((int64_t)out->width * out->height > maximum_pixels) return ci_status_too_large;
  if (!pixels) return ci_status_ok;

  ask_for_rgb(c);
  int passes = png_set_interlace_handling(c->png);
  png_read_update_info(c->png, c->info);
  size_t stride = (size_t)out->width * 3;
  if (png_get_rowbytes(c->png, c->info) != stride) png_error(c->png, "not convertible to RGB");
  out->pixels = malloc(stride * (size_t)out->height);
  if (!out->pixels) return ci_status_no_memory;
  for (int pass = 0; pass < passes; pass++)
    for (int32_t y = 0; y < out->height; y++) png_read_row(c->png, out->pixels + (size_t)y * stride, NULL);
  png_read_end(c->png, NULL);
  return ci_status_ok;
}

ci_status ci_decode_png(const uint8_t *bytes, size_t count, int64_t maximum_pixels, bool pixels, ci_image *out, ci_report report) {
  codec c = {.next = bytes, .left = count, .report = report};
  c.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &c, on_error, on_warning);
  c.info = c.png ? png_create_info_struct(c.png) : NULL;
  ci_status status = c.info ? decode(&c, maximum_pixels, pixels, out) : ci_status_no_memory;
  png_destroy_read_struct(&c.png, &c.info, NULL);
  if (status != ci_status_ok) return status;
  int orientation = ci_orientation(bytes, count);
  if (pixels) return ci_orient(out, orientation) ? status : ci_status_no_memory;
  if (orientation >= 5) *out = (ci_image){out->height, out->width, NULL};
  return status;
}

// MARK: encoding

static ci_status encode(codec *c, const uint8_t *rgb, int32_t width, int32_t height, FILE *file) {
  if (setjmp(png_jmpbuf(c->png))) return c->status;
  png_init_io(c->png, file);
  png_set_user_limits(c->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
  png_set_IHDR(c->png, c->info, (png_uint_32)width, (png_uint_32)height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(c->png, c->info);
  for (int32_t y = 0; y < height; y++) png_write_row(c->png, rgb + (size_t)y * (size_t)width * 3);
  png_write_end(c->png, NULL);
  return ci_status_ok;
}

ci_status ci_encode_png(const uint8_t *rgb, int32_t width, int32_t height,
                        uint8_t **out, size_t *out_count, char *message, size_t capacity) {
  codec c = {.report = {message, capacity}};
  char *bytes = NULL;
  FILE *file = open_memstream(&bytes, out_count);
  c.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &c, on_error, on_warning);
  c.info = c.png ? png_create_info_struct(c.png) : NULL;
  ci_status status = file && c.info ? encode(&c, rgb, width, height, file) : ci_status_no_memory;
  png_destroy_write_struct(&c.png, &c.info);
  if (file && fclose(file) != 0 && status == ci_status_ok) status = ci_status_no_memory;
  if (status != ci_status_ok) {
    free(bytes);
    bytes = NULL;
  }
  *out = (uint8_t *)bytes;
  return status;
}
