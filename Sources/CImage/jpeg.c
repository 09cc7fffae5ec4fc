#include "internal.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

// A progressive image needs about ten scans. Thousands of empty ones are an attack on CPU time.
enum { maximum_scans = 100 };

typedef struct {
  struct jpeg_error_mgr manager; // first, because libjpeg passes its address back
  jmp_buf escape;
  ci_status status;
  ci_report report;
} failure;

_Noreturn static void fail(j_common_ptr codec, ci_status status, const char *text) {
  failure *f = (failure *)codec->err;
  f->status = status;
  snprintf(f->report.message, f->report.capacity, "%s", text);
  longjmp(f->escape, 1);
}

static ci_status status_of(int code) {
  switch (code) {
    case JWRN_JPEG_EOF: return ci_status_truncated;
    case JERR_IMAGE_TOO_BIG: return ci_status_too_large;
    case JERR_OUT_OF_MEMORY: return ci_status_no_memory;
    default: return ci_status_failed;
  }
}

_Noreturn static void on_error(j_common_ptr codec) {
  char text[JMSG_LENGTH_MAX];
  codec->err->format_message(codec, text);
  fail(codec, status_of(codec->err->msg_code), text);
}

// Treats warnings after which libjpeg invents pixels as errors. Other warnings (odd versions, stray
// bytes) are harmless.
static void on_message(j_common_ptr codec, int level) {
  if (level >= 0) return;
  switch (codec->err->msg_code) {
    case JWRN_JPEG_EOF: case JWRN_HIT_MARKER: case JWRN_MUST_RESYNC: case JWRN_HUFF_BAD_CODE: case JWRN_ARITH_BAD_CODE:
      on_error(codec);
  }
}

static void on_progress(j_common_ptr codec) {
  if (((j_decompress_ptr)codec)->input_scan_number > maximum_scans) fail(codec, ci_status_failed, "more than 100 scans");
}

static void install(failure *f, ci_report report) {
  jpeg_std_error(&f->manager);
  f->manager.error_exit = on_error;
  f->manager.emit_message = on_message;
  f->report = report;
}

// MARK: decoding

typedef struct {
  failure failure;
  struct jpeg_decompress_struct codec;
  struct jpeg_progress_mgr progress;
  int orientation;  // 0 until EXIF data are found
} decoder;

// Looks for EXIF data in an APP1 marker. libjpeg would keep all such markers in a list and walk it
// for each new one, which takes minutes for a million. The source is in memory, so its buffer holds
// the whole file.
static boolean read_exif(j_decompress_ptr codec) {
  decoder *d = codec->client_data;
  struct jpeg_source_mgr *source = codec->src;
  const JOCTET *marker = source->next_input_byte;
  size_t left = source->bytes_in_buffer, length = left < 2 ? 0 : (size_t)marker[0] << 8 | marker[1];
  if (length > left || length < 2) fail((j_common_ptr)codec, ci_status_truncated, "a marker is cut off");
  if (!d->orientation && length > 8 && memcmp(marker + 2, "Exif\0", 6) == 0)
    d->orientation = ci_exif_orientation(marker + 2, (unsigned)length - 2);
  source->next_input_byte += length;
  source->bytes_in_buffer -= length;
  return TRUE;
}

// Adobe writes four components as inverted CMYK. The rounding matches Pillow's.
static void rgb_from_inverted_cmyk(const uint8_t *cmyk, uint8_t *rgb, size_t width) {
  for (size_t x = 0; x < width; x++)
    for (size_t c = 0; c < 3; c++) {
      unsigned key = cmyk[4 * x + 3], ink = (255u - cmyk[4 * x + c]) * key + 128;
      ink = (ink + (ink >> 8)) >> 8;
      rgb[3 * x + c] = (uint8_t)(key - ink);
    }
}

static void read_rows(j_decompress_ptr codec, uint8_t *pixels) {
  size_t width = codec->output_width;
  bool cmyk = codec->out_color_space == JCS_CMYK;
  JSAMPARRAY line = codec->mem->alloc_sarray((j_common_ptr)codec, JPOOL_IMAGE, (JDIMENSION)width * 4, 1);
  while (codec->output_scanline < codec->output_height) {
    uint8_t *row = pixels + codec->output_scanline * width * 3;
    jpeg_read_scanlines(codec, cmyk ? line : &row, 1);
    if (cmyk) rgb_from_inverted_cmyk(line[0], row, width);
  }
}

// Everything that must survive a longjmp lives in `d` and `out`, outside this frame.
static ci_status decode(decoder *d, const uint8_t *bytes, size_t count, int64_t maximum_pixels, bool pixels, ci_image *out) {
  j_decompress_ptr codec = &d->codec;
  j_common_ptr common = (j_common_ptr)codec;
  if (setjmp(d->failure.escape)) return d->failure.status;
  jpeg_create_decompress(codec);
  d->progress.progress_monitor = on_progress;
  codec->progress = &d->progress;
  jpeg_mem_src(codec, bytes, count);
  codec->client_data = d;
  jpeg_set_marker_processor(codec, JPEG_APP0 + 1, read_exif);
  jpeg_read_header(codec, TRUE);

  int orientation = d->orientation ? d->orientation : 1;
  out->width = (int32_t)(orientation < 5 ? codec->image_width : codec->image_height);
  out->height = (int32_t)(orientation < 5 ? codec->image_height : codec->image_width);
  if ((int64_t)out->width * out->height > maximum_pixels) return ci_status_too_large;
  if (!pixels) return ci_status_ok;

  switch (codec->num_components) {
    case 1: case 3: codec->out_color_space = JCS_RGB; break;
    case 4: codec->out_color_space = JCS_CMYK; break;
    default: fail(common, ci_status_failed, "neither 1, 3 nor 4 colour components");
  }
  codec->dct_method = JDCT_ISLOW;
  codec->do_fancy_upsampling = TRUE;
  jpeg_start_decompress(codec);
  *out = (ci_image){(int32_t)codec->output_width, (int32_t)codec->output_height, NULL};
  out->pixels = malloc((size_t)out->width * (size_t)out->height * 3);
  if (!out->pixels) return ci_status_no_memory;
  read_rows(codec, out->pixels);
  jpeg_finish_decompress(codec);
  return ci_orient(out, orientation) ? ci_status_ok : ci_status_no_memory;
}

ci_status ci_decode_jpeg(const uint8_t *bytes, size_t count, int64_t maximum_pixels, bool pixels, ci_image *out, ci_report report) {
  decoder d = {0};
  d.codec.err = &d.failure.manager;
  install(&d.failure, report);
  ci_status status = decode(&d, bytes, count, maximum_pixels, pixels, out);
  if (status == ci_status_too_large && out->width == 0) { // libjpeg's own limit, 65,500 a side, applied before ours
    out->width = (int32_t)d.codec.image_width;
    out->height = (int32_t)d.codec.image_height;
    if ((int64_t)out->width * out->height <= maximum_pixels) status = ci_status_failed;
  }
  jpeg_destroy_decompress(&d.codec);
  return status;
}

// MARK: encoding

typedef struct {
  failure failure;
  struct jpeg_compress_struct codec;
} encoder;

static ci_status encode(encoder *e, const uint8_t *rgb, int32_t width, int32_t height, int32_t quality, FILE *file) {
  j_compress_ptr codec = &e->codec;
  if (setjmp(e->failure.escape)) return e->failure.status;
  jpeg_create_compress(codec);
  jpeg_stdio_dest(codec, file);
  codec->image_width = (JDIMENSION)width;
  codec->image_height = (JDIMENSION)height;
  codec->input_components = 3;
  codec->in_color_space = JCS_RGB;
  jpeg_set_defaults(codec);
  jpeg_set_quality(codec, quality, TRUE);
  jpeg_start_compress(codec, TRUE);
  while (codec->next_scanline < codec->image_height) {
    uint8_t *row = (uint8_t *)rgb + (size_t)codec->next_scanline * (size_t)width * 3;
    jpeg_write_scanlines(codec, &row, 1);
  }
  jpeg_finish_compress(codec);
  return ci_status_ok;
}

ci_status ci_encode_jpeg(const uint8_t *rgb, int32_t width, int32_t height, int32_t quality,
                         uint8_t **out, size_t *out_count, char *message, size_t capacity) {
  encoder e = {0};
  e.codec.err = &e.failure.manager;
  install(&e.failure, (ci_report){message, capacity});
  char *bytes = NULL;
  FILE *file = open_memstream(&bytes, out_count);
  ci_status status = file ? encode(&e, rgb, width, height, quality, file) : ci_status_no_memory;
  jpeg_destroy_compress(&e.codec);
  if (file && fclose(file) != 0 && status == ci_status_ok) status = ci_status_no_memory;
  if (status != ci_status_ok) {
    free(bytes);
    bytes = NULL;
  }
  *out = (uint8_t *)bytes;
  return status;
}
