#if defined(__linux__)
#define _GNU_SOURCE
#include "CTestSupport.h"

#include <pthread.h>
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

int32_t portloop_test_unshare_descriptors(uint32_t first) {
    // close_range with CLOSE_RANGE_UNSHARE (Linux 5.9): unlike unshare(2) it makes no copies of what it closes.
    return syscall(436, first, ~0u, 2u) == 0 ? 0 : errno;
}

int32_t portloop_test_in_child(int32_t (*function)(void *), void *argument) {
    pid_t child = fork();
    if (child == 0) _exit(function(argument));
    if (child < 0) return -errno;
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int32_t portloop_test_holding_child(void) {
    pid_t child = fork();
    if (child == 0) {
        for (;;) pause();
    }
    return child;
}

void portloop_test_end_child(int32_t child) {
    kill(child, SIGKILL);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {}
}

static _Thread_local uint64_t allocations, epoll_controls, waits, reads, writes, others;

int64_t portloop_test_waits_of_this_thread(void) {
    struct rusage usage;
    return getrusage(RUSAGE_THREAD, &usage) < 0 ? -1 : usage.ru_nvcsw;
}

struct portloop_test_counts portloop_test_counts(void) {
    return (struct portloop_test_counts){allocations, epoll_controls, waits, reads, writes, others};
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define PORTLOOP_SANITIZED
#endif
#endif

#ifdef PORTLOOP_SANITIZED
int32_t portloop_test_can_count(void) { return 0; }
#else
int32_t portloop_test_can_count(void) { return 1; }

#define COUNT(counter) ((counter)++)
// The C library's own function, found once: looking it up allocates nothing that could come back here.
#define REAL(type, name, ...)                                                                                                             \
    static type (*real)(__VA_ARGS__);                                                                                                     \
    if (!real) real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size) {
    COUNT(allocations);
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    COUNT(allocations);
    return __libc_calloc(count, size);
}

void *realloc(void *block, size_t size) {
    COUNT(allocations);
    return __libc_realloc(block, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    COUNT(allocations);
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **block, size_t alignment, size_t size) {
    COUNT(allocations);
    *block = __libc_memalign(alignment, size);
    return *block ? 0 : ENOMEM;
}

int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event) {
    COUNT(epoll_controls);
    return (int)syscall(SYS_epoll_ctl, epoll, operation, fd, event);
}

int epoll_wait(int epoll, struct epoll_event *events, int count, int milliseconds) {
    COUNT(waits);
    REAL(int, "epoll_wait", int, struct epoll_event *, int, int);
    return real(epoll, events, count, milliseconds);
}

ssize_t read(int fd, void *buffer, size_t count) {
    COUNT(reads);
    REAL(ssize_t, "read", int, void *, size_t);
    return real(fd, buffer, count);
}

ssize_t write(int fd, const void *buffer, size_t count) {
    COUNT(writes);
    REAL(ssize_t, "write", int, const void *, size_t);
    return real(fd, buffer, count);
}

ssize_t recv(int fd, void *buffer, size_t count, int flags) {
    COUNT(reads);
    REAL(ssize_t, "recv", int, void *, size_t, int);
    return real(fd, buffer, count, flags);
}

ssize_t send(int fd, const void *buffer, size_t count, int flags) {
    COUNT(writes);
    REAL(ssize_t, "send", int, const void *, size_t, int);
    return real(fd, buffer, count, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
    COUNT(writes);
    REAL(ssize_t, "sendmsg", int, const struct msghdr *, int);
    return real(fd, message, flags);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags) {
    COUNT(reads);
    REAL(ssize_t, "recvmsg", int, struct msghdr *, int);
    return real(fd, message, flags);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    COUNT(writes);
    REAL(ssize_t, "writev", int, const struct iovec *, int);
    return real(fd, parts, count);
}

long syscall(long number, ...) {
    va_list list;
    va_start(list, number);
    long a = va_arg(list, long), b = va_arg(list, long), c = va_arg(list, long);
    long d = va_arg(list, long), e = va_arg(list, long), f = va_arg(list, long);
    va_end(list);
    if (number == 441) {
        COUNT(waits);  // epoll_pwait2
    } else if (number != SYS_epoll_ctl) {
        COUNT(others);
    }
    REAL(long, "syscall", long, long, long, long, long, long, long);
    return real(number, a, b, c, d, e, f);
}
#endif
#endif

int32_t portloop_test_on_thread(void *(*function)(void *), void *argument) {
    pthread_t thread;
    int32_t code = pthread_create(&thread, NULL, function, argument);
    if (code == 0) pthread_detach(thread);
    return code;
}
