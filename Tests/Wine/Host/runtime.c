// Part of the image: where it begins, and what Swift's embedded runtime leaves to its host. Compiled for Linux, without a C library.
#include <stdint.h>

#define SWIFTCALL __attribute__((swiftcall))

// MARK: the entry

typedef void (*function)(void);

// In the generated thunks: one slot for each function that the image imports.
extern volatile function portloop_wine_imports[];

// The linker's: the constructors of the C++ in the runtime.
extern void (*const __init_array_start[])(void) __attribute__((visibility("hidden")));
extern void (*const __init_array_end[])(void) __attribute__((visibility("hidden")));

int32_t portloop_wine_main(void);

// The host calls this first, with the functions in the order of their slots.
int32_t portloop_wine_start(const function *imports, uint64_t count) {
    for (uint64_t i = 0; i < count; i++) portloop_wine_imports[i] = imports[i];
    for (void (*const *constructor)(void) = __init_array_start; constructor != __init_array_end; constructor++) (*constructor)();
    return portloop_wine_main();
}

// MARK: what the concurrency runtime asks of its host
//
// The runtime is a single-threaded one. A job without an executor of its own goes to `portloop_wine_enqueue`, in Swift.

typedef struct {
    void *identity, *implementation;
} executor;

void portloop_wine_enqueue(void *job);

int _swift_shouldReportFatalErrorsToDebugger;
void _swift_reportToDebugger(void) {}
SWIFTCALL void swift_createDefaultExecutors(void) {}

SWIFTCALL void swift_task_enqueueGlobalImpl(void *job) { portloop_wine_enqueue(job); }
SWIFTCALL void swift_task_enqueueMainExecutorImpl(void *job) { portloop_wine_enqueue(job); }
SWIFTCALL executor swift_task_getMainExecutorImpl(void) { return (executor){0, 0}; }
SWIFTCALL _Bool swift_task_isMainExecutorImpl(executor which) {
    (void)which;
    return 0;
}
SWIFTCALL void swift_task_checkIsolatedImpl(executor which) { (void)which; }
SWIFTCALL signed char swift_task_isIsolatingCurrentContextImpl(executor which) {
    (void)which;
    return 1;
}

// Nobody has a clock or a queue to run these on: a loop has its own.
SWIFTCALL void swift_task_enqueueGlobalWithDelayImpl(uint64_t delay, void *job) {
    (void)delay;
    (void)job;
    __builtin_trap();
}
SWIFTCALL void swift_task_enqueueGlobalWithDeadlineImpl(
    int64_t seconds, int64_t nanoseconds, int64_t tolerance_seconds, int64_t tolerance_nanoseconds, int clock, void *job) {
    (void)seconds;
    (void)nanoseconds;
    (void)tolerance_seconds;
    (void)tolerance_nanoseconds;
    (void)clock;
    (void)job;
    __builtin_trap();
}
SWIFTCALL void swift_task_donateThreadToGlobalExecutorUntilImpl(void *condition, void *context) {
    (void)condition;
    (void)context;
    __builtin_trap();
}
SWIFTCALL void swift_task_asyncMainDrainQueueImpl(void) { __builtin_trap(); }
