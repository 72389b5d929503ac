// What the C and C++ benchmark programs share: failing with a sentence, reading the clock and the arguments, announcing a server's port,
// and the pseudo-random numbers that make every program, also the Swift side, work on the same deadlines. It measures nothing itself.
// Include it first: it selects the GNU interfaces of the system headers.
#ifndef PORTLOOP_BENCHMARKS_COMMON_H
#define PORTLOOP_BENCHMARKS_COMMON_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>

// Prints the sentence and ends the program with a non-zero code. A benchmark that continues after a failure prints a wrong figure.
__attribute__((noreturn, format(printf, 1, 2), unused)) static void die(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "%s: ", program_invocation_short_name);
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    va_end(arguments);
    exit(1);
}

// Ends the program when a system call failed, and names the call. Returns the call's value otherwise.
__attribute__((unused)) static long must(const char *call, long value) {
    if (value < 0) {
        die("%s failed: %s", call, strerror(errno));
    }
    return value;
}

__attribute__((unused)) static uint64_t clock_ns(clockid_t clock) {
    struct timespec time;
    must("clock_gettime", clock_gettime(clock, &time));
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

__attribute__((unused)) static uint64_t now_ns(void) {
    return clock_ns(CLOCK_MONOTONIC);
}

// The clock of the processor time of another process.
__attribute__((unused)) static clockid_t process_clock(pid_t pid) {
    clockid_t clock;
    int error = clock_getcpuclockid(pid, &clock);
    if (error != 0) {
        die("There is no CPU clock of process %d: %s.", pid, strerror(error));
    }
    return clock;
}

__attribute__((unused)) static int compare_doubles(const void *one, const void *other) {
    double a = *(const double *)one;
    double b = *(const double *)other;
    return (a > b) - (a < b);
}

// Sorts the values.
__attribute__((unused)) static double median(double *values, size_t count) {
    qsort(values, count, sizeof *values, compare_doubles);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

__attribute__((unused)) static long parse_number(const char *name, const char *text, long min, long max) {
    char *end = NULL;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < min || value > max) {
        die("%s must be a number from %ld to %ld, but is \"%s\".", name, min, max, text);
    }
    return value;
}

// More connections than the usual soft limit of 1024 descriptors need the hard limit.
__attribute__((unused)) static void raise_descriptor_limit(void) {
    struct rlimit limit;
    must("getrlimit", getrlimit(RLIMIT_NOFILE, &limit));
    limit.rlim_cur = limit.rlim_max;
    must("setrlimit", setrlimit(RLIMIT_NOFILE, &limit));
}

// Makes the server end with its parent, without a thread (a second thread makes every system call on a descriptor count references) and
// without a cost per request. The kernel means the parent *thread*: whoever starts a server must do so from a thread that outlives it.
__attribute__((unused)) static void begin_server(void) {
    must("prctl", prctl(PR_SET_PDEATHSIG, SIGTERM));
    raise_descriptor_limit();
}

// How many bytes an echo server reads at a time: its one argument, or as many as hold a short request.
__attribute__((unused)) static size_t parse_buffer_bytes(int argc, char **argv) {
    if (argc > 2) {
        die("usage: %s [BUFFER_BYTES]", argv[0]);
    }
    return argc == 2 ? (size_t)parse_number("BUFFER_BYTES", argv[1], 1, 16 << 20) : 4096;
}

// If the parent died before `begin_server`, nobody reads this pipe, and SIGPIPE, which is ignored only from here on, ends the program.
__attribute__((unused)) static void announce_port(unsigned port) {
    printf("port %u\n", port);
    fflush(stdout);
    signal(SIGPIPE, SIG_IGN);
}

// Marsaglia's xorshift64 with the shifts 13, 7, 17 and the seed of his paper (https://doi.org/10.18637/jss.v008.i14).
__attribute__((unused)) static uint64_t next_random(void) {
    static uint64_t state = 88172645463325252u;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

// Fills `order` with the numbers 0 to count - 1, shuffled (Fisher-Yates, from the end).
__attribute__((unused)) static void random_order(uint32_t *order, size_t count) {
    for (size_t i = 0; i < count; i++) {
        order[i] = (uint32_t)i;
    }
    for (size_t i = count; i > 1; i--) {
        size_t other = next_random() % i;
        uint32_t swapped = order[i - 1];
        order[i - 1] = order[other];
        order[other] = swapped;
    }
}

#endif
