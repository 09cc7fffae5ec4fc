#pragma once

#include "internal.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libswscale/swscale.h>

// The properties that a conversion depends on.
typedef struct {
  int width, height, format, space, range;
} look;

struct cv_reader {
  AVFormatContext *file;
  AVIOContext *source; // null for a file on disk
  const uint8_t *bytes;
  cv_read *read;       // instead of bytes
  cv_take *take;       // of a pipe
  cv_stops *stops;     // of an address
  void *context;       // of these functions
  const char *address; // while it is opened
  double waited;       // seconds for packets
  int lost;            // why a live video ended
  int64_t count, place;
  int64_t maximum_pixels;
  AVCodecContext *codec;
  AVPacket *packet;
  AVFrame *frame;
  int stream;
  int failures;
  bool draining;
  bool waits_for_key; // HEVC: its decoder makes up grey pictures before the first key frame
  int passed_over;    // packets before the first key frame

  struct SwsContext *scaler;
  look look;
  uint8_t *rgb; // the frame before rotation; null until needed
  int stride;
  bool converted;
  int width, height; // before rotation
  int turns;         // clockwise quarter turns
};

extern const char cv_containers[];

// Makes a reader from what it begins with: a path, or the place of its bytes.
cv_status cv_make_reader(const char *path, cv_reader given, int threads, cv_reader **out, cv_info *info, char *message, size_t capacity);
bool cv_is_live(const cv_reader *r);
// Prepares a live video to be opened, with the options for it.
cv_status cv_open_live(cv_reader *r, AVDictionary **options);
// Reads a packet. The end of a live video is that, for whatever reason.
int cv_next_packet(cv_reader *r);
