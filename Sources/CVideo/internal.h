#pragma once

#include "cvideo.h"

// Where a failure is written.
typedef struct {
  char *message;
  size_t capacity;
} cv_report;

// Silences the libraries on standard error, and starts to listen to what they say on this thread.
void cv_listen(void);
// Writes the library's last complaint on this thread, or else what `code` means, and tells which status that is.
cv_status cv_fail(int code, cv_report report);
