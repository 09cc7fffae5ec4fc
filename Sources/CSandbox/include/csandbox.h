// What a process gives up before it looks at what strangers have sent. Linux only; nothing of it can be taken back.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma clang assume_nonnull begin

/// Gives up everything but memory, time, and the descriptors 0 to 2: no files, no network, no programs, no further processes.
///
/// - `memory`: bytes of private memory that may come on top of what is there (RLIMIT_DATA).
/// - `nice`: how far to stand behind others for a processor, 0 to 19.
///
/// Null when all of it holds; otherwise what could not be had, and the process must end.
const char *_Nullable cs_enter(int64_t memory, int nice);

/// Processor time from here on, in seconds, after which the kernel ends the process (SIGXCPU).
bool cs_limit_cpu(int64_t seconds);

/// Processor time so far of another process that was started from here, in seconds; below 0 when it is gone.
double cs_cpu_seconds(int32_t process);

/// A pipe that programs which are started do not get, of so many bytes where a user may have them. 0, or an errno.
int cs_pipe(int32_t ends[_Nonnull 2], int bytes);

/// Starts `program` with the arguments and the environment, and nothing else of ours; descriptors 0 and 1 as given, standard error to
/// nowhere. Signals are as in a fresh process. Its process number, or minus an errno.
int32_t cs_spawn(const char *program, char *const _Nullable *_Nonnull arguments, char *const _Nullable *_Nonnull environment, int input,
                 int output);

/// Waits for a process to be gone, and tells the signal that ended it; 0 for an end of its own.
int cs_wait(int32_t process);

/// A value of the socket option SO_ATTACH_FILTER (of SOL_SOCKET).
typedef struct {
  uint16_t count;
  const void *rules;
} cs_filter;

/// Lets nothing more come to a socket. At one that listens no new connections are made, while those that wait there can still be taken;
/// what is closed with connections waiting in it would reset them.
cs_filter cs_no_packets(void);

#pragma clang assume_nonnull end
#ifdef __cplusplus
}
#endif
