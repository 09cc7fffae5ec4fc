// Divides work among threads.
#include <ATen/Parallel.h>
#include <dlfcn.h>

#include <atomic>
#include <chrono>
#include <exception>
#include <thread>

#include "support.h"

int32_t ct_use_threads(int32_t count) {
    // at::set_num_threads would also change what threads started later inherit. The first time
    // libtorch looks at the thread count, it sets it to that of at::set_num_threads. Make it look
    // now, or it would undo our setting.
    const int32_t before = at::get_num_threads();
    static const auto set = reinterpret_cast<void (*)(int)>(dlsym(RTLD_DEFAULT, "omp_set_num_threads"));
    // MKL has its own count, which at::set_num_threads sets too.
    static const auto set_mkl = reinterpret_cast<int (*)(int)>(dlsym(RTLD_DEFAULT, "MKL_Set_Num_Threads_Local"));
    if (set) set(count);
    if (set_mkl) set_mkl(count);
    return before;
}

int64_t usable_threads(void) { return at::in_parallel_region() ? 1 : at::get_num_threads(); }

namespace {
using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

/// Detects whether other programs compete for the processors. At the end of a region, OpenMP's
/// threads spin until all have finished, so they also wait for a thread that the system has given
/// no processor. With one busy program on two cores, two threads take twice as long as one.
class ContentionDetector {
    std::atomic<Clock::rep> end = 0, length = 0;

    static Clock::rep now() { return Clock::now().time_since_epoch().count(); }
    static constexpr Clock::rep ticks(Clock::duration span) { return span.count(); }

public:
    bool is_present() const { return now() < end; }

    /// The work was done by one thread until now, so it is not known whether the contention is
    /// over.
    void extend_to_now() { end = std::max(end.load(), now()); }

    /// - Parameters:
    ///   - start: when the region started.
    ///   - worked: how long this thread worked on its share.
    ///   - waited: how long it then waited for the other threads.
    ///   - threads: how many threads had a share.
    void record(Clock::time_point start, Clock::duration worked, Clock::duration waited, int64_t threads) {
        // The region took worked + waited; one thread would have taken threads · worked. Allow half
        // as much again, because shares differ: of three frames, one of two threads gets two. If
        // shares differ little, the wait is shorter than the time slices that the system gives
        // other programs.
        if (waited < 2ms || 2 * waited < 3 * (threads - 1) * worked) return;
        const auto since = start.time_since_epoch().count() - end;
        // Another thread's region ran at the same time, and has recorded the contention.
        if (since < 0) return;
        // Extend the time if the contention persists, so that detecting it costs little. Keep it
        // short if it may have been a single event.
        length = since < ticks(60ms) ? std::min(4 * length, ticks(1s)) : ticks(4ms);
        end = now() + length;
    }
} contention;

/// Tasks that any number of threads take until none is left.
struct Tasks {
    const std::function<void(int64_t)> &task;
    const int64_t count;
    std::atomic<int64_t> next = 0;
    std::atomic<bool> failed = false;
    std::exception_ptr failure = nullptr;

    // No exception may leave a thread of the OpenMP runtime.
    void run() noexcept {
        try {
            for (int64_t i; (i = next++) < count && !failed;) task(i);
        } catch (...) {
            if (!failed.exchange(true)) failure = std::current_exception();
        }
    }
};

/// Runs an OpenMP parallel region, by the entry point that GCC's code calls, in the runtime that
/// libtorch has loaded. Null if there is none.
const auto region = reinterpret_cast<void (*)(void (*)(void *), void *, unsigned, unsigned)>(dlsym(RTLD_DEFAULT, "GOMP_parallel"));
}  // namespace

void in_parallel(int64_t count, const std::function<void(int64_t)> &task) {
    Tasks tasks{task, count};
    const int64_t usable = usable_threads();
    if (usable > 1 && contention.is_present()) {
        ct_use_threads(1);
        tasks.run();
        ct_use_threads(usable);
        contention.extend_to_now();
    } else if (std::min(usable, count) < 2 || !region) {
        tasks.run();
    } else {
        struct Mine {
            Tasks &tasks;
            const std::thread::id thread = std::this_thread::get_id();
            const Clock::time_point start = Clock::now();
            Clock::time_point end = {};
        } mine{tasks};
        // All threads, even for fewer tasks. GCC's OpenMP ends threads that a region leaves out,
        // and would have to start them again.
        region(
            [](void *context) {
                auto &mine = *static_cast<Mine *>(context);
                mine.tasks.run();
                if (std::this_thread::get_id() == mine.thread) mine.end = Clock::now();
            },
            &mine, usable, 0);
        contention.record(mine.start, mine.end - mine.start, Clock::now() - mine.end, std::min(usable, count));
    }
    if (tasks.failure) std::rethrow_exception(tasks.failure);
}

void ct_in_parallel(int64_t count, void *context, void (*body)(void *, int64_t)) {
    in_parallel(count, [&](int64_t index) { body(context, index); });
}
