// Sandboxing of a process before it reads untrusted data. Linux only. Nothing can be undone.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma clang assume_nonnull begin

/// Gives up everything except memory, CPU time and the descriptors 0 to 2: no files, no network,
/// no programs, no new processes.
///
/// - `memory`: private memory in bytes beyond what is already in use (RLIMIT_DATA).
/// - `nice`: the nice value, 0 to 19.
///
/// Returns null on success. Otherwise returns what failed, and the process must exit.
const char *_Nullable cs_enter(int64_t memory, int nice);

/// Limits further CPU time, in seconds. Beyond it the kernel kills the process (SIGXCPU).
bool cs_limit_cpu(int64_t seconds);

/// CPU time used by a child process so far, in seconds; negative if it is gone.
double cs_cpu_seconds(int32_t process);

/// Makes a pipe that child processes do not inherit, with the given buffer size if permitted.
/// Returns 0 or an errno.
int cs_pipe(int32_t ends[_Nonnull 2], int bytes);

/// Starts `program` with only these arguments, this environment, and descriptors 0 and 1 as given.
/// Standard error goes to /dev/null, and signals are reset. Returns the process id, or minus an
/// errno.
int32_t cs_spawn(const char *program, char *const _Nullable *_Nonnull arguments, char *const _Nullable *_Nonnull environment, int input,
                 int output);

/// Waits for a process to end, and returns the signal that killed it, or 0 if it exited.
int cs_wait(int32_t process);

/// A value for the socket option SO_ATTACH_FILTER (of SOL_SOCKET).
typedef struct {
  uint16_t count;
  const void *rules;
} cs_filter;

/// A filter that drops all packets to a socket. A listening socket then gets no new connections,
/// but those in its backlog can still be accepted; closing the socket would reset them.
cs_filter cs_no_packets(void);

#pragma clang assume_nonnull end
#ifdef __cplusplus
}
#endif
