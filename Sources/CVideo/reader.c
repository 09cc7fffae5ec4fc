#include "reader.h"

#include <libavutil/avstring.h>
#include <libavutil/display.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Video containers. Excludes images, playlists and lists of other files, which the library would
// also open.
const char cv_containers[] =
  "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,live_flv,asf,ogg,mxf,nut,ivf,h264,hevc,obu,m4v,dv,wtv,yuv4mpegpipe";

// Decoders in common use. The library has some two hundred more, for games and old formats, that
// are hardly maintained.
static const char decoders[] =
  "h264,hevc,vp8,vp9,libvpx,libvpx-vp9,av1,libdav1d,libaom-av1,mpeg1video,mpeg2video,mpegvideo,mpeg4,msmpeg4v2,msmpeg4,h263,flv,theora,vc1,wmv1,wmv2,"
  "wmv3,mjpeg,prores,dnxhd,dvvideo,ffv1,huffyuv,ffvhuff,rawvideo,png,jpeg2000";

enum {
  most_failures = 1000, // in a row; such a file counts as ended
  row_alignment = 64,   // for converted rows; the converters write past the end of tight ones
  portion = 1 << 16,    // bytes per read from memory
};

// MARK: opening

static int turns_of(const AVStream *stream) {
  const uint8_t *matrix = av_stream_get_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, NULL);
  double angle = matrix ? av_display_rotation_get((const int32_t *)matrix) : 0; // counter-clockwise
  return isnan(angle) ? 0 : ((int)lround(-angle / 90) % 4 + 4) % 4;
}

static bool is_too_large(int width, int height, int64_t maximum_pixels) { return (int64_t)width * height > maximum_pixels; }

// Decoders pad pictures, each differently, and the library checks its limit against the padded
// size. Our limit is on the output and is checked for each frame; theirs only stops decoders from
// allocating much more.
static int64_t padded(int64_t maximum_pixels) { return maximum_pixels + maximum_pixels / 4 + (1 << 20); }

// Finds the streams' properties. The library may decode frames for this, so the limit applies here
// as well.
static int examine(AVFormatContext *file, int64_t maximum_pixels) {
  unsigned count = file->nb_streams;
  AVDictionary **options = calloc(count + 1, sizeof *options);
  if (!options) return AVERROR(ENOMEM);
  for (unsigned i = 0; i < count; i++) av_dict_set_int(&options[i], "max_pixels", padded(maximum_pixels), 0);
  int code = avformat_find_stream_info(file, options);
  for (unsigned i = 0; i < count; i++) av_dict_free(&options[i]);
  free(options);
  return code;
}

static int read_bytes(void *reader, uint8_t *to, int count) {
  cv_reader *r = reader;
  if (r->place >= r->count) return AVERROR_EOF;
  int64_t left = r->count - r->place;
  if (count > left) count = (int)left;
  if (!r->read) memcpy(to, r->bytes + r->place, (size_t)count);
  else if (!r->read(r->context, r->place, to, (size_t)count)) return AVERROR(EIO);
  r->place += count;
  return count;
}

static int64_t seek_bytes(void *reader, int64_t offset, int whence) {
  cv_reader *r = reader;
  if (whence & AVSEEK_SIZE) return r->count;
  int64_t base = (whence & ~AVSEEK_FORCE) == SEEK_SET ? 0 : (whence & ~AVSEEK_FORCE) == SEEK_CUR ? r->place : r->count;
  if (offset < -base || offset > r->count - base) return AVERROR(EINVAL);
  return r->place = base + offset;
}

static bool open_bytes(cv_reader *r) {
  uint8_t *buffer = av_malloc(portion);
  r->source = buffer ? avio_alloc_context(buffer, portion, 0, r, read_bytes, NULL, seek_bytes) : NULL;
  r->file = r->source ? avformat_alloc_context() : NULL;
  if (r->file) r->file->pb = r->source;
  else if (!r->source) av_free(buffer);
  return r->file != NULL;
}

// `path` is null for a file in memory.
static cv_status open_file(cv_reader *r, const char *path, cv_report report) {
  AVDictionary *options = NULL;
  const char *prefix = r->address ? "" : "file:"; // which makes "a:b.mp4" a file, not a protocol
  char *address = path ? malloc(strlen(path) + 6) : NULL;
  if (path ? !address : !cv_is_live(r) && !open_bytes(r)) return free(address), cv_status_no_memory;
  if (path) sprintf(address, "%s%s", prefix, path);
  av_dict_set(&options, "format_whitelist", cv_containers, 0);
  av_dict_set(&options, "codec_whitelist", decoders, 0);
  av_dict_set(&options, "protocol_whitelist", path ? "file" : "none", 0);
  cv_status prepared = cv_is_live(r) ? cv_open_live(r, &options) : cv_status_ok;
  if (prepared != cv_status_ok) return free(address), av_dict_free(&options), prepared;
  int code = avformat_open_input(&r->file, address, NULL, &options);
  free(address);
  av_dict_free(&options);
  if (code == 0) return cv_status_ok;
  cv_status status = cv_fail(code, report);
  // The library reports a container that is not listed as an invalid argument, and its message is
  // the list.
  if (code == AVERROR(EINVAL)) snprintf(report.message, report.capacity, "unknown format");
  return code == AVERROR_INVALIDDATA || code == AVERROR(EINVAL) ? cv_status_unsupported : status;
}

static cv_status open_reader(cv_reader *r, const char *path, int threads, cv_info *info, cv_report report) {
  cv_status status = open_file(r, path, report);
  if (status != cv_status_ok) return status;
  int code = examine(r->file, r->maximum_pixels);
  if (code < 0) return cv_fail(code, report);

  const AVCodec *decoder = NULL;
  r->stream = av_find_best_stream(r->file, AVMEDIA_TYPE_VIDEO, -1, -1, &decoder, 0);
  if (r->stream == AVERROR_DECODER_NOT_FOUND) {
    snprintf(report.message, report.capacity, "there is no decoder for its codec");
    return cv_status_unsupported;
  }
  if (r->stream < 0 || r->file->streams[r->stream]->disposition & AV_DISPOSITION_ATTACHED_PIC) return cv_status_no_video;
  AVStream *stream = r->file->streams[r->stream];
  for (unsigned i = 0; i < r->file->nb_streams; i++)
    if ((int)i != r->stream) r->file->streams[i]->discard = AVDISCARD_ALL;

  if (!av_match_list(decoder->name, decoders, ',')) {
    snprintf(report.message, report.capacity, "the codec %s is not supported", decoder->name);
    return cv_status_unsupported;
  }
  r->turns = turns_of(stream);
  r->width = stream->codecpar->width;
  r->height = stream->codecpar->height;
  info->width = r->turns % 2 ? r->height : r->width;
  info->height = r->turns % 2 ? r->width : r->height;
  if (is_too_large(r->width, r->height, r->maximum_pixels)) return cv_status_too_large;
  if (r->width < 1 || r->height < 1) {
    snprintf(report.message, report.capacity, "its frame size is missing");
    return cv_status_unsupported;
  }
  AVRational rate = stream->avg_frame_rate.num > 0 ? stream->avg_frame_rate : stream->r_frame_rate;
  info->rate = rate.num > 0 && rate.den > 0 ? av_q2d(rate) : 0;
  AVRational aspect = stream->sample_aspect_ratio.num > 0 ? stream->sample_aspect_ratio : stream->codecpar->sample_aspect_ratio;
  if (aspect.num > 0 && aspect.den > 0 && aspect.num != aspect.den) {
    info->aspect_x = r->turns % 2 ? aspect.den : aspect.num;
    info->aspect_y = r->turns % 2 ? aspect.num : aspect.den;
  }
  info->frames = stream->nb_frames;
  double expected = info->rate * (double)r->file->duration / AV_TIME_BASE;
  if (info->frames <= 0 && expected > 0 && expected < 1e15) info->frames = llround(expected);

  r->codec = avcodec_alloc_context3(decoder);
  r->packet = av_packet_alloc();
  r->frame = av_frame_alloc();
  if (!r->codec || !r->packet || !r->frame) return cv_status_no_memory;
  code = avcodec_parameters_to_context(r->codec, stream->codecpar);
  if (code < 0) return cv_fail(code, report);
  r->codec->max_pixels = padded(r->maximum_pixels);
  r->codec->pkt_timebase = stream->time_base;
  r->waits_for_key = decoder->id == AV_CODEC_ID_HEVC;
  r->codec->thread_count = threads;
  AVDictionary *options = NULL;
  av_dict_set(&options, "codec_whitelist", decoders, 0);
  code = avcodec_open2(r->codec, decoder, &options);
  av_dict_free(&options);
  return code < 0 ? cv_fail(code, report) : cv_status_ok;
}

cv_status cv_make_reader(const char *path, cv_reader given, int threads, cv_reader **out, cv_info *info, char *message, size_t capacity) {
  cv_listen();
  *out = NULL;
  *info = (cv_info){0};
  if (capacity > 0) message[0] = 0;
  cv_reader *r = malloc(sizeof *r);
  if (!r) return cv_status_no_memory;
  *r = given;
  cv_status status = open_reader(r, path, threads, info, (cv_report){message, capacity});
  if (status == cv_status_ok) *out = r;
  else cv_reader_close(r);
  return status;
}

cv_status cv_reader_open(const char *path, int64_t maximum_pixels, cv_reader **out, cv_info *info, char *message, size_t capacity) {
  return cv_make_reader(path, (cv_reader){.maximum_pixels = maximum_pixels}, 0, out, info, message, capacity);
}

cv_status cv_reader_open_bytes(const uint8_t *bytes, size_t count, int64_t maximum_pixels, cv_reader **out, cv_info *info, char *message,
                               size_t capacity) {
  cv_reader given = {.bytes = bytes, .count = (int64_t)count, .maximum_pixels = maximum_pixels};
  return cv_make_reader(NULL, given, 1, out, info, message, capacity);
}

cv_status cv_reader_open_source(cv_read *read, void *context, int64_t count, int64_t maximum_pixels, cv_reader **out, cv_info *info,
                                char *message, size_t capacity) {
  cv_reader given = {.read = read, .context = context, .count = count, .maximum_pixels = maximum_pixels};
  return cv_make_reader(NULL, given, 1, out, info, message, capacity);
}

void cv_reader_close(cv_reader *r) {
  avcodec_free_context(&r->codec);
  avformat_close_input(&r->file);
  if (r->source) av_freep(&r->source->buffer);
  avio_context_free(&r->source);
  av_packet_free(&r->packet);
  av_frame_free(&r->frame);
  sws_freeContext(r->scaler);
  av_free(r->rgb);
  free(r);
}

int64_t cv_count_frames(const uint8_t *bytes, size_t count, int64_t maximum_pixels) {
  cv_reader *reader;
  cv_info info;
  int64_t frames = 0;
  char reason[1];
  if (cv_reader_open_bytes(bytes, count, maximum_pixels, &reader, &info, reason, sizeof reason) != cv_status_ok) return 0;
  while (av_read_frame(reader->file, reader->packet) == 0) {
    frames += reader->packet->stream_index == reader->stream;
    av_packet_unref(reader->packet);
  }
  cv_reader_close(reader);
  return frames;
}

// MARK: decoding

static double time_of(const cv_reader *r) {
  const AVStream *stream = r->file->streams[r->stream];
  int64_t stamp = r->frame->best_effort_timestamp;
  if (stamp == AV_NOPTS_VALUE) return -1;
  // In floating point, because a broken file may hold any integers, whose difference may overflow.
  double since = (double)stamp - (stream->start_time != AV_NOPTS_VALUE ? (double)stream->start_time : 0);
  return fmax(0, since * av_q2d(stream->time_base));
}

// Whether the video's packet comes before the first key frame, and is to be passed over.
static bool is_before_key(cv_reader *r) {
  if (!r->waits_for_key) return false;
  if (r->packet->flags & AV_PKT_FLAG_KEY || r->passed_over >= most_failures) r->waits_for_key = false;
  else r->passed_over++;
  return r->waits_for_key;
}

// Gives the decoder one more packet, or signals the end.
static int feed(cv_reader *r) {
  int code;
  do {
    av_packet_unref(r->packet);
    code = cv_next_packet(r);
  } while (code == 0 && (r->packet->stream_index != r->stream || is_before_key(r)));
  if (code == AVERROR_EOF || (code < 0 && r->failures >= most_failures)) {
    r->draining = true;
    return avcodec_send_packet(r->codec, NULL);
  }
  return code < 0 ? code : avcodec_send_packet(r->codec, r->packet);
}

cv_status cv_reader_next(cv_reader *r, cv_frame *out, char *message, size_t capacity) {
  cv_listen();
  cv_report report = {message, capacity};
  r->converted = false;
  for (;;) {
    int code = avcodec_receive_frame(r->codec, r->frame); // releases the previous frame
    // A later frame may be larger than the file's header says.
    if (code == 0 && is_too_large(r->frame->width, r->frame->height, r->maximum_pixels)) {
      snprintf(message, capacity, "a frame of %dx%d exceeds the limit", r->frame->width, r->frame->height);
      if (++r->failures > most_failures) return cv_status_end;
      return cv_status_damaged;
    }
    if (code == 0) {
      r->failures = 0;
      *out = (cv_frame){time_of(r), r->frame->decode_error_flags != 0 || r->frame->flags & AV_FRAME_FLAG_CORRUPT};
      return cv_status_ok;
    }
    if (code == AVERROR_EOF) return cv_status_end;
    if (code == AVERROR(EAGAIN)) {
      bool waited = r->waits_for_key;
      code = feed(r);
      if (waited && !r->waits_for_key && r->passed_over > 0 && code == 0) {
        snprintf(message, capacity, "%d pictures before the first key frame", r->passed_over);
        return cv_status_damaged;
      }
    }
    if (code == 0) continue;
    if (code == AVERROR(ENOMEM)) return cv_fail(code, report);
    if (++r->failures > most_failures && r->draining) return cv_status_end;
    cv_fail(code, report);
    return cv_status_damaged;
  }
}

// MARK: pixels

static bool make_scaler(cv_reader *r, look look) {
  if (r->scaler && memcmp(&r->look, &look, sizeof look) == 0) return true;
  sws_freeContext(r->scaler);
  r->scaler = sws_getContext(look.width, look.height, look.format, r->width, r->height, AV_PIX_FMT_RGB24, SWS_BILINEAR,
                             NULL, NULL, NULL);
  if (!r->scaler) return false;
  r->look = look;
  const int *from = sws_getCoefficients(look.space), *to = sws_getCoefficients(SWS_CS_DEFAULT);
  sws_setColorspaceDetails(r->scaler, from, look.range == AVCOL_RANGE_JPEG, to, 1, 0, 1 << 16, 1 << 16);
  return true;
}

static bool convert(cv_reader *r) {
  const AVFrame *f = r->frame;
  if (r->converted) return true;
  if (!r->rgb) {
    r->stride = (r->width * 3 + row_alignment - 1) / row_alignment * row_alignment;
    r->rgb = av_malloc((size_t)r->stride * (size_t)r->height + row_alignment);
    if (!r->rgb) return false;
  }
  // The convention for files that do not say: high definition uses BT.709.
  int space = f->colorspace != AVCOL_SPC_UNSPECIFIED ? (int)f->colorspace : f->height >= 720 ? SWS_CS_ITU709 : SWS_CS_ITU601;
  if (!make_scaler(r, (look){f->width, f->height, f->format, space, f->color_range})) return false;
  uint8_t *planes[4] = {r->rgb};
  int strides[4] = {r->stride};
  int rows = sws_scale(r->scaler, (const uint8_t *const *)f->data, f->linesize, 0, f->height, planes, strides);
  r->converted = rows == r->height;
  return r->converted;
}

bool cv_reader_copy(cv_reader *r, int32_t left, int32_t top, int32_t width, int32_t height, uint8_t *rgb) {
  if (!convert(r)) return false;
  for (int32_t y = 0; y < height; y++) {
    uint8_t *row = rgb + (size_t)y * (size_t)width * 3;
    if (r->turns == 0) {
      memcpy(row, r->rgb + (size_t)(top + y) * (size_t)r->stride + (size_t)left * 3, (size_t)width * 3);
      continue;
    }
    for (int32_t x = 0; x < width; x++) {
      int column = left + x, line = top + y; // upright coordinates; next, the source before rotation
      int from_x = r->turns == 1 ? line : r->turns == 2 ? r->width - 1 - column : r->width - 1 - line;
      int from_y = r->turns == 1 ? r->height - 1 - column : r->turns == 2 ? r->height - 1 - line : column;
      memcpy(row + (size_t)x * 3, r->rgb + (size_t)from_y * (size_t)r->stride + (size_t)from_x * 3, 3);
    }
  }
  return true;
}
