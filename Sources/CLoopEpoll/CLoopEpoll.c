#include "CLoopEpoll.h"

#if defined(__linux__)

// Written in a child before its first line of code runs, and otherwise only read.
uint32_t portloop_forks;

static pthread_once_t is_watching = PTHREAD_ONCE_INIT;

static void count_fork(void) { __atomic_fetch_add(&portloop_forks, 1, __ATOMIC_RELAXED); }

static void watch(void) { pthread_atfork(NULL, NULL, count_fork); }

void portloop_watch_forks(void) { pthread_once(&is_watching, watch); }

#endif
