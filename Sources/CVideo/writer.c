#include "internal.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/opt.h>
#include <libswscale/swscale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

// A whole number of ticks per frame at 24, 25, 30, 50 and 60 frames per second and at 1000/1001 of
// these, within MPEG-4's limit.
enum { ticks = 60000 };

struct cv_writer {
  AVFormatContext *file;
  AVCodecContext *codec;
  AVStream *stream;
  AVPacket *packet;
  AVFrame *frame;
  struct SwsContext *scaler;
  int width; // of the input frames, which may be odd
  int64_t last;
};

static const AVCodec *encoder(void) {
  const AVCodec *codec = avcodec_find_encoder_by_name("libx264");
  return codec ? codec : avcodec_find_encoder(AV_CODEC_ID_MPEG4);
}

const char *cv_writer_codec(void) {
  const AVCodec *codec = encoder();
  return codec && codec->id == AV_CODEC_ID_H264 ? "H.264" : "MPEG-4";
}

static int open_codec(cv_writer *w, const AVCodec *codec, int width, int height, double rate, AVRational aspect) {
  AVCodecContext *c = w->codec = avcodec_alloc_context3(codec);
  if (!c) return AVERROR(ENOMEM);
  bool high = height >= 720;
  c->width = width;
  c->height = height;
  c->pix_fmt = AV_PIX_FMT_YUV420P;
  c->time_base = (AVRational){1, ticks};
  c->framerate = av_d2q(rate, 1001000);
  c->sample_aspect_ratio = aspect;
  c->gop_size = 50;
  c->color_range = AVCOL_RANGE_MPEG;
  c->colorspace = high ? AVCOL_SPC_BT709 : AVCOL_SPC_SMPTE170M;
  c->color_primaries = high ? AVCOL_PRI_BT709 : AVCOL_PRI_SMPTE170M;
  c->color_trc = high ? AVCOL_TRC_BT709 : AVCOL_TRC_SMPTE170M;
  c->thread_count = 0;
  if (w->file->oformat->flags & AVFMT_GLOBALHEADER) c->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
  AVDictionary *options = NULL;
  if (codec->id == AV_CODEC_ID_H264) {
    av_dict_set(&options, "preset", "veryfast", 0);
    av_dict_set(&options, "crf", "21", 0);
  } else {
    c->flags |= AV_CODEC_FLAG_QSCALE;
    c->global_quality = 4 * FF_QP2LAMBDA;
  }
  int code = avcodec_open2(c, codec, &options);
  av_dict_free(&options);
  return code;
}

static int open_writer(cv_writer *w, const char *path, int width, int height, double rate, AVRational aspect) {
  int code = avformat_alloc_output_context2(&w->file, NULL, NULL, path);
  if (code < 0) return code;
  const AVCodec *codec = encoder();
  if (!codec) return AVERROR_ENCODER_NOT_FOUND;
  code = open_codec(w, codec, width & ~1, height & ~1, rate, aspect);
  if (code < 0) return code;

  w->stream = avformat_new_stream(w->file, NULL);
  w->packet = av_packet_alloc();
  w->frame = av_frame_alloc();
  w->scaler = sws_getContext(width & ~1, height & ~1, AV_PIX_FMT_RGB24, width & ~1, height & ~1, AV_PIX_FMT_YUV420P,
                             SWS_BILINEAR, NULL, NULL, NULL);
  if (!w->stream || !w->packet || !w->frame || !w->scaler) return AVERROR(ENOMEM);
  const int *to = sws_getCoefficients(height >= 720 ? SWS_CS_ITU709 : SWS_CS_ITU601);
  sws_setColorspaceDetails(w->scaler, sws_getCoefficients(SWS_CS_DEFAULT), 1, to, 0, 0, 1 << 16, 1 << 16);
  w->frame->format = w->codec->pix_fmt;
  w->frame->width = w->codec->width;
  w->frame->height = w->codec->height;
  code = av_frame_get_buffer(w->frame, 0);
  if (code < 0) return code;
  w->stream->time_base = w->codec->time_base;
  w->stream->sample_aspect_ratio = aspect;
  w->stream->avg_frame_rate = w->codec->framerate;
  code = avcodec_parameters_from_context(w->stream->codecpar, w->codec);
  if (code < 0) return code;
  code = avio_open(&w->file->pb, path, AVIO_FLAG_WRITE);
  return code < 0 ? code : avformat_write_header(w->file, NULL);
}

cv_status cv_writer_open(const char *path, int32_t width, int32_t height, double rate, int32_t aspect_x, int32_t aspect_y, cv_writer **out,
                         char *message, size_t capacity) {
  cv_listen();
  *out = NULL;
  cv_writer *w = calloc(1, sizeof *w);
  if (!w) return cv_status_no_memory;
  w->width = width;
  w->last = -1;
  int code = open_writer(w, path, width, height, rate, (AVRational){aspect_x, aspect_x > 0 ? aspect_y : 1});
  if (code >= 0) {
    *out = w;
    return cv_status_ok;
  }
  cv_writer_close(w);
  return cv_fail(code, (cv_report){message, capacity});
}

// Encodes a frame, or flushes the encoder if it is null, and writes the packets.
static int encode(cv_writer *w, const AVFrame *frame) {
  int code = avcodec_send_frame(w->codec, frame);
  while (code >= 0) {
    code = avcodec_receive_packet(w->codec, w->packet);
    if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return 0;
    if (code < 0) break;
    av_packet_rescale_ts(w->packet, w->codec->time_base, w->stream->time_base);
    w->packet->stream_index = w->stream->index;
    code = av_interleaved_write_frame(w->file, w->packet);
  }
  return code;
}

cv_status cv_writer_add(cv_writer *w, const uint8_t *rgb, double time, char *message, size_t capacity) {
  cv_listen();
  int code = av_frame_make_writable(w->frame);
  if (code >= 0) {
    const uint8_t *planes[4] = {rgb};
    int strides[4] = {w->width * 3};
    sws_scale(w->scaler, planes, strides, 0, w->codec->height, w->frame->data, w->frame->linesize);
    // Broken files have impossible times; treat those as 0. Tick counts below 2^53 are exact.
    double at = time * ticks;
    int64_t stamp = at >= 0 && at < 9e15 ? llround(at) : 0;
    if (stamp <= w->last) stamp = w->last + 1; // some files have two frames at one time
    w->frame->pts = w->last = stamp;
    code = encode(w, w->frame);
  }
  return code < 0 ? cv_fail(code, (cv_report){message, capacity}) : cv_status_ok;
}

cv_status cv_writer_finish(cv_writer *w, char *message, size_t capacity) {
  cv_listen();
  int code = encode(w, NULL);
  if (code >= 0) code = av_write_trailer(w->file);
  // A full disk may show only when the last bytes are written.
  int closed = avio_closep(&w->file->pb);
  if (code >= 0) code = closed;
  return code < 0 ? cv_fail(code, (cv_report){message, capacity}) : cv_status_ok;
}

void cv_writer_close(cv_writer *w) {
  if (w->file) avio_closep(&w->file->pb);
  avcodec_free_context(&w->codec);
  avformat_free_context(w->file);
  av_packet_free(&w->packet);
  av_frame_free(&w->frame);
  sws_freeContext(w->scaler);
  free(w);
}
