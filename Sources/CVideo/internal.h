#pragma once

#include "cvideo.h"

// The buffer for an error message.
typedef struct {
  char *message;
  size_t capacity;
} cv_report;

// Silences the libraries on standard error, and records their messages for this thread.
void cv_listen(void);
// Writes the library's last message on this thread, or else the meaning of `code`, and returns the
// matching status.
cv_status cv_fail(int code, cv_report report);
