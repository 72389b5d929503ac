// What LoopCore asks the Swift runtime, and Swift has no word for: the compiler lets no Swift code name the runtime's functions.
#ifndef CLOOPCORE_H
#define CLOOPCORE_H

#include <stdint.h>

__attribute__((swiftcall)) void *swift_task_getCurrent(void);

// The address of the current task, which nobody retains for it; zero where no task runs.
static inline __attribute__((always_inline)) uintptr_t portloop_current_task(void) { return (uintptr_t)swift_task_getCurrent(); }

#endif
