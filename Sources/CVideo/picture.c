#include "internal.h"

#include <libavcodec/avcodec.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Formats whose decoder takes a whole file as one packet.
static const struct {
  size_t offset;
  const char *magic;
  size_t length;
  enum AVCodecID codec;
} formats[] = {
  {8, "WEBP", 4, AV_CODEC_ID_WEBP}, {0, "BM", 2, AV_CODEC_ID_BMP},  {0, "GIF8", 4, AV_CODEC_ID_GIF},
  {0, "II*\0", 4, AV_CODEC_ID_TIFF}, {0, "MM\0*", 4, AV_CODEC_ID_TIFF},
};

static enum AVCodecID codec_of(const uint8_t *bytes, size_t count) {
  for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
    if (count >= formats[i].offset + formats[i].length && memcmp(bytes + formats[i].offset, formats[i].magic, formats[i].length) == 0)
      return formats[i].codec;
  return AV_CODEC_ID_NONE;
}

static bool is_container(const uint8_t *bytes, size_t count) {
  static const char *brands[] = {"avif", "heic", "heix", "hevc", "heim", "mif1", "msf1"};
  if (count < 12 || memcmp(bytes + 4, "ftyp", 4) != 0) return false;
  for (size_t i = 0; i < sizeof brands / sizeof *brands; i++)
    if (memcmp(bytes + 8, brands[i], 4) == 0) return true;
  return false;
}

static cv_status convert(const AVFrame *frame, cv_picture *out) {
  struct SwsContext *scaler = sws_getContext(frame->width, frame->height, frame->format, frame->width, frame->height, AV_PIX_FMT_RGB24,
                                             SWS_BILINEAR, NULL, NULL, NULL);
  size_t stride = (size_t)frame->width * 3;
  // The converter may write past the end of a row, hence rows of its own width.
  size_t padded = (stride + 63) / 64 * 64;
  uint8_t *rows = malloc(padded * (size_t)frame->height + 64);
  out->rgb = malloc(stride * (size_t)frame->height);
  cv_status status = scaler && rows && out->rgb ? cv_status_ok : cv_status_no_memory;
  if (status == cv_status_ok) {
    bool is_full = frame->color_range == AVCOL_RANGE_JPEG;
    sws_setColorspaceDetails(scaler, sws_getCoefficients(SWS_CS_ITU601), is_full, sws_getCoefficients(SWS_CS_DEFAULT), 1, 0, 1 << 16, 1 << 16);
    uint8_t *planes[4] = {rows};
    int strides[4] = {(int)padded};
    sws_scale(scaler, (const uint8_t *const *)frame->data, frame->linesize, 0, frame->height, planes, strides);
    for (int y = 0; y < frame->height; y++) memcpy(out->rgb + (size_t)y * stride, rows + (size_t)y * padded, stride);
    out->width = frame->width;
    out->height = frame->height;
  }
  sws_freeContext(scaler);
  free(rows);
  return status;
}

static cv_status decode(enum AVCodecID id, const uint8_t *bytes, size_t count, int64_t maximum_pixels, cv_picture *out, cv_report report) {
  const AVCodec *decoder = avcodec_find_decoder(id);
  AVCodecContext *codec = decoder ? avcodec_alloc_context3(decoder) : NULL;
  AVPacket *packet = av_packet_alloc();
  AVFrame *frame = av_frame_alloc();
  cv_status status = cv_status_no_memory;
  if (!decoder) {
    snprintf(report.message, report.capacity, "there is no decoder for it");
    status = cv_status_unsupported;
  } else if (codec && packet && frame && count < INT32_MAX / 2 && av_new_packet(packet, (int)count) == 0) {
    memcpy(packet->data, bytes, count);
    // The limit is for the picture; the library compares it with what the decoder pads.
    codec->max_pixels = maximum_pixels + maximum_pixels / 4 + (1 << 20);
    codec->thread_count = 1;
    int code = avcodec_open2(codec, decoder, NULL);
    if (code == 0) code = avcodec_send_packet(codec, packet);
    if (code == 0) avcodec_send_packet(codec, NULL);
    if (code == 0) code = avcodec_receive_frame(codec, frame);
    out->width = codec->width;
    out->height = codec->height;
    if ((int64_t)codec->width * codec->height > maximum_pixels) status = cv_status_too_large;
    else status = code < 0 ? cv_fail(code, report) : convert(frame, out);
  }
  av_frame_free(&frame);
  av_packet_free(&packet);
  avcodec_free_context(&codec);
  return status;
}

// AVIF and, where the library can, HEIC are films of one frame.
static cv_status decode_container(const uint8_t *bytes, size_t count, int64_t maximum_pixels, cv_picture *out, cv_report report) {
  cv_reader *reader;
  cv_info info;
  cv_frame frame;
  cv_status status = cv_reader_open_bytes(bytes, count, maximum_pixels, &reader, &info, report.message, report.capacity);
  out->width = info.width;
  out->height = info.height;
  if (status != cv_status_ok) return status == cv_status_too_large || status == cv_status_no_memory ? status : cv_status_unsupported;
  do status = cv_reader_next(reader, &frame, report.message, report.capacity);
  while (status == cv_status_damaged);
  if (status == cv_status_ok) {
    out->rgb = malloc((size_t)info.width * (size_t)info.height * 3);
    if (!out->rgb) status = cv_status_no_memory;
    else if (!cv_reader_copy(reader, 0, 0, info.width, info.height, out->rgb)) status = cv_status_failed;
  } else if (status == cv_status_end) status = cv_status_failed;
  cv_reader_close(reader);
  return status;
}

cv_status cv_picture_decode(const uint8_t *bytes, size_t count, int64_t maximum_pixels, cv_picture *out, char *message, size_t capacity) {
  *out = (cv_picture){0};
  if (capacity > 0) message[0] = 0;
  cv_listen();
  cv_report report = {message, capacity};
  enum AVCodecID id = codec_of(bytes, count);
  cv_status status = cv_status_unsupported;
  if (id != AV_CODEC_ID_NONE) status = decode(id, bytes, count, maximum_pixels, out, report);
  else if (is_container(bytes, count)) status = decode_container(bytes, count, maximum_pixels, out, report);
  if (status != cv_status_ok) cv_picture_release(out);
  return status;
}

void cv_picture_release(cv_picture *picture) {
  free(picture->rgb);
  picture->rgb = NULL;
}
