#include "internal.h"

#include <libavutil/avutil.h>
#include <libavutil/error.h>
#include <libavutil/log.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

// The libraries log what is wrong ("moov atom not found"), and return only a less specific number.
static _Thread_local char complaint[256];

static void hear(void *context, int level, const char *format, va_list arguments) {
  (void)context;
  if (level > AV_LOG_ERROR) return;
  vsnprintf(complaint, sizeof complaint, format, arguments);
  size_t end = strlen(complaint);
  while (end > 0 && (complaint[end - 1] == '\n' || complaint[end - 1] == '.')) complaint[--end] = 0;
}

static void install(void) { av_log_set_callback(hear); }

void cv_listen(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, install);
  complaint[0] = 0;
}

cv_status cv_fail(int code, cv_report report) {
  char meaning[AV_ERROR_MAX_STRING_SIZE];
  av_strerror(code, meaning, sizeof meaning);
  snprintf(report.message, report.capacity, "%s", complaint[0] ? complaint : meaning);
  return code == AVERROR(ENOMEM) ? cv_status_no_memory : cv_status_failed;
}

const char *cv_version(void) { return av_version_info(); }
