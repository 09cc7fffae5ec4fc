#define _GNU_SOURCE
#include "csandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "add this processor's system calls here"
#endif

// MARK: system calls

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define ALLOW(name) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_##name, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
// Refuses executable memory; the third argument holds the protection.
#define ALLOW_DATA(name) \
  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_##name, 0, 4), LOAD(args[2]), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 4 /* PROT_EXEC */, 0, 1), \
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
// Allows a call only on the process itself, for which the first argument is 0.
#define ALLOW_OWN(name) \
  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_##name, 0, 4), LOAD(args[0]), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1), \
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)

static struct sock_filter rules[] = {
  LOAD(arch),
  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
  BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
  LOAD(nr),
  ALLOW_DATA(mmap),
  ALLOW_DATA(mprotect),
  ALLOW_OWN(prlimit64),
  // Calls on what the process already has.
  ALLOW(read), ALLOW(write), ALLOW(readv), ALLOW(writev), ALLOW(close), ALLOW(fstat), ALLOW(ppoll),
  ALLOW(munmap), ALLOW(mremap), ALLOW(madvise), ALLOW(brk),
  ALLOW(futex), ALLOW(sched_yield), ALLOW(sched_getaffinity), ALLOW(getpid), ALLOW(gettid), ALLOW(set_robust_list),
  ALLOW(rt_sigaction), ALLOW(rt_sigprocmask), ALLOW(rt_sigreturn), ALLOW(sigaltstack), ALLOW(restart_syscall),
  ALLOW(clock_gettime), ALLOW(clock_getres), ALLOW(clock_nanosleep), ALLOW(nanosleep), ALLOW(gettimeofday), ALLOW(getrandom), ALLOW(getrusage),
  ALLOW(setrlimit), ALLOW(getrlimit), ALLOW(exit), ALLOW(exit_group),
#if defined(__x86_64__)
  ALLOW(poll), ALLOW(time),
#endif
  // Libraries continue without any other call.
  BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
};

static const char *filter_calls(void) {
  struct sock_fprog program = {sizeof rules / sizeof *rules, rules};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return "no new privileges";
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) != 0) return "a filter of system calls (seccomp)";
  return NULL;
}

static bool is_refused(long result) { return result == -1 && errno == EPERM; }

// MARK: limits

static bool limit(__rlimit_resource_t resource, rlim_t value) {
  struct rlimit now;
  if (getrlimit(resource, &now) != 0) return false;
  if (now.rlim_max != RLIM_INFINITY && value > now.rlim_max) value = now.rlim_max;
  return setrlimit(resource, &(struct rlimit){value, value}) == 0;
}

// Private memory in use, in bytes.
static int64_t data_size(void) {
  long total, resident, shared, text, unused, data = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (!file) return -1;
  int count = fscanf(file, "%ld %ld %ld %ld %ld %ld", &total, &resident, &shared, &text, &unused, &data);
  fclose(file);
  return count == 6 ? (int64_t)data * sysconf(_SC_PAGESIZE) : -1;
}

const char *cs_enter(int64_t memory, int nice) {
  int64_t there = data_size();
  if (there < 0 || !limit(RLIMIT_DATA, (rlim_t)(there + memory))) return "a limit of memory";
  if (!limit(RLIMIT_FSIZE, 0) || !limit(RLIMIT_CORE, 0) || !limit(RLIMIT_NPROC, 0)) return "limits of files and processes";
  if (nice > 0 && setpriority(PRIO_PROCESS, 0, nice) != 0) return "a lower priority";
  if (syscall(SYS_close_range, 3u, ~0u, 0u) != 0)
    for (int file = 3; file < 4096; file++) close(file);
  if (!limit(RLIMIT_NOFILE, 0)) return "a limit of open files";
  // Hides the process from debuggers, and ends it with its parent.
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) return "an end with its parent";
  pid_t parent = getppid();
  const char *missing = filter_calls();
  if (missing) return missing;
  // Proves that other processes are out of reach.
  if (!is_refused(syscall(SYS_tgkill, parent, parent, 0)) || !is_refused(syscall(SYS_prlimit64, parent, RLIMIT_NOFILE, NULL, NULL)))
    return "a filter of system calls that holds";
  return NULL;
}

bool cs_limit_cpu(int64_t seconds) {
  struct rusage used;
  struct rlimit now;
  if (getrusage(RUSAGE_SELF, &used) != 0 || getrlimit(RLIMIT_CPU, &now) != 0) return false;
  // Rounds up both fractions and adds a second.
  now.rlim_cur = (rlim_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec + 2 + seconds);
  if (now.rlim_max != RLIM_INFINITY && now.rlim_cur > now.rlim_max) now.rlim_cur = now.rlim_max;
  return setrlimit(RLIMIT_CPU, &now) == 0;
}

// MARK: the other side

double cs_cpu_seconds(int32_t process) {
  clockid_t clock;
  struct timespec time;
  if (clock_getcpuclockid(process, &clock) != 0 || clock_gettime(clock, &time) != 0) return -1;
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int cs_pipe(int32_t ends[2], int bytes) {
  if (pipe2(ends, O_CLOEXEC) != 0) return errno;
  (void)fcntl(ends[1], F_SETPIPE_SZ, bytes);
  return 0;
}

int32_t cs_spawn(const char *program, char *const *arguments, char *const *environment, int input, int output) {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  int code = posix_spawn_file_actions_init(&files);
  if (code != 0) return -code;
  pid_t process = 0;
  code = posix_spawnattr_init(&attributes);
  if (code == 0) {
    // The process gets its own group: a terminal's signals are for the service, which ends this
    // process.
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawn_file_actions_adddup2(&files, input, 0);
    posix_spawn_file_actions_adddup2(&files, output, 1);
    posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
    // SwiftNIO's sockets are handed down to programs that are started. One that is still loading when the service ends
    // would hold the service's port, and the connections of its clients.
    posix_spawn_file_actions_addclosefrom_np(&files, 3);
    code = posix_spawn(&process, program, &files, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
  }
  posix_spawn_file_actions_destroy(&files);
  return code == 0 ? process : -code;
}

int cs_wait(int32_t process) {
  int status = 0;
  while (waitpid(process, &status, 0) < 0)
    if (errno != EINTR) return 0;
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

cs_filter cs_no_packets(void) {
  static const struct sock_filter none = BPF_STMT(BPF_RET | BPF_K, 0);
  return (cs_filter){1, &none};
}
