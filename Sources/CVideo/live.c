#include "reader.h"

#include <libavutil/avstring.h>
#include <libavutil/time.h>
#include <stdio.h>
#include <string.h>

// What an address may be, with the formats and protocols that it may lead to: a playlist or a description
// of a session names further addresses, and must not open a file. "+" adds the usual containers.
static const struct {
  const char *scheme, *formats, *protocols;
} kinds[] = {
  {"rtsp://", "rtsp", "rtsp,rtp,udp,tcp"},
  {"rtsps://", "rtsp", "rtsp,rtp,udp,tls,tcp"},
  {"rtp://", "rtp,sdp", "rtp,udp"},
  {"udp://", "+", "udp"},
  {"tcp://", "+", "tcp"},
  {"srt://", "+", "srt"},
  {"http://", "+hls", "http,https,tls,tcp"},
  {"https://", "+hls", "http,https,tls,tcp"},
};

static int kind_of(const char *address) {
  for (int i = 0; i < (int)(sizeof kinds / sizeof *kinds); i++)
    if (av_stristart(address, kinds[i].scheme, NULL)) return i;
  return -1;
}

bool cv_is_address(const char *text) { return kind_of(text) >= 0; }

static int interrupted(void *reader) {
  cv_reader *r = reader;
  return r->stops(r->context);
}

static int take_bytes(void *reader, uint8_t *to, int count) {
  cv_reader *r = reader;
  int taken = r->take(r->context, to, count);
  return taken > 0 ? taken : taken == 0 ? AVERROR_EOF : AVERROR_EXIT;
}

cv_status cv_open_live(cv_reader *r, AVDictionary **options) {
  r->file = avformat_alloc_context();
  if (!r->file) return cv_status_no_memory;
  if (r->take) {
    enum { portion = 1 << 16 };
    uint8_t *buffer = av_malloc(portion);
    r->source = buffer ? avio_alloc_context(buffer, portion, 0, r, take_bytes, NULL, NULL) : NULL;
    if (!r->source) return av_free(buffer), cv_status_no_memory;
    r->file->pb = r->source;
    av_dict_set(options, "protocol_whitelist", "none", 0);
    return cv_status_ok;
  }
  // Protocols have several options for a limit of time, each in its own way. They all ask here at least ten times
  // a second while they wait.
  r->file->interrupt_callback = (AVIOInterruptCB){interrupted, r};
  int kind = kind_of(r->address);
  const char *formats = kinds[kind].formats;
  char list[600];
  snprintf(list, sizeof list, "%s%s%s", *formats == '+' ? cv_containers : "", *formats == '+' && formats[1] ? "," : "",
           *formats == '+' ? formats + 1 : formats);
  av_dict_set(options, "format_whitelist", list, 0);
  av_dict_set(options, "protocol_whitelist", kinds[kind].protocols, 0);
  av_dict_set(options, "rtsp_flags", "prefer_tcp", 0);  // UDP loses packets where there are many
  av_dict_set(options, "overrun_nonfatal", "1", 0);     // UDP: what comes while we are busy may be lost
  return cv_status_ok;
}

cv_status cv_reader_open_address(const char *address, cv_stops *stops, void *context, int64_t maximum_pixels, cv_reader **out,
                                 cv_info *info, char *message, size_t capacity) {
  cv_reader given = {.address = address, .stops = stops, .context = context, .maximum_pixels = maximum_pixels};
  return cv_make_reader(address, given, 0, out, info, message, capacity);
}

cv_status cv_reader_open_pipe(cv_take *take, void *context, int64_t maximum_pixels, cv_reader **out, cv_info *info, char *message,
                              size_t capacity) {
  cv_reader given = {.take = take, .context = context, .maximum_pixels = maximum_pixels};
  return cv_make_reader(NULL, given, 0, out, info, message, capacity);
}

bool cv_is_live(const cv_reader *r) { return r->take || r->stops; }

int cv_next_packet(cv_reader *r) {
  int64_t start = av_gettime_relative();
  int code = av_read_frame(r->file, r->packet);
  r->waited += (double)(av_gettime_relative() - start) / 1e6;
  // A connection that is lost does not come back by itself; a damaged packet is only one.
  bool is_lost = cv_is_live(r) && code < 0 && code != AVERROR_INVALIDDATA && code != AVERROR(EAGAIN);
  if (!is_lost) return code;
  r->lost = code;
  return AVERROR_EOF;
}

double cv_reader_waited(const cv_reader *r) { return r->waited; }

bool cv_reader_lost(const cv_reader *r, char *message, size_t capacity) {
  if (r->lost == 0 || r->lost == AVERROR_EOF) return false;
  char text[AV_ERROR_MAX_STRING_SIZE];
  av_strerror(r->lost, text, sizeof text);
  snprintf(message, capacity, "%s", r->lost == AVERROR_EXIT ? "nothing came in time" : text);
  return true;
}

void cv_reader_hurry(cv_reader *r, bool hurries) { r->codec->skip_frame = hurries ? AVDISCARD_NONREF : AVDISCARD_DEFAULT; }
