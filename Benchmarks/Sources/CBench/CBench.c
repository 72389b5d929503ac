#define _GNU_SOURCE
#include <malloc.h>
#include "CBench.h"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>

void bench_die_with_parent(void) { prctl(PR_SET_PDEATHSIG, SIGTERM); }

void bench_pin(int32_t processor) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    sched_setaffinity(0, sizeof set, &set);
}

uint64_t bench_heap_bytes(void) { return mallinfo2().uordblks; }
