// The system calls of Linux that LoopEpoll makes and that Swift's Glibc module does not export, or not in a form that keeps `errno`.
//
// Every function returns the call's result, or the error number negated: nothing can clobber `errno` in between. A call that a signal
// interrupted is made again, unless the comment says otherwise. The file is a header of inline functions, so that a call costs what it
// costs in C; what needs one place in the process is in CLoopEpoll.c.
#ifndef CLOOPEPOLL_H
#define CLOOPEPOLL_H
#if defined(__linux__)

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

// GNU's own, declared here: with _GNU_SOURCE the headers would give types another shape than the Glibc module has them in (fd_set), and a
// program that imports both modules would not compile.
extern int accept4(int, struct sockaddr *__restrict, socklen_t *__restrict, int);
extern int pthread_setname_np(pthread_t, const char *);
extern int pthread_clockjoin_np(pthread_t, void **, clockid_t, const struct timespec *);

// Makes the call until no signal interrupts it, and gives its result or the negated error number.
#define PORTLOOP_CALL(type, call)                                                                                                         \
    do {                                                                                                                                  \
        for (;;) {                                                                                                                        \
            type portloop_result = (call);                                                                                                \
            if (portloop_result >= 0) return portloop_result;                                                                             \
            if (errno != EINTR) return -(type)errno;                                                                                      \
        }                                                                                                                                 \
    } while (0)

// MARK: forks

// How many forks lie between this process and the one that loaded the library. Counted by a handler of pthread_atfork, so that knowing
// it costs no system call. `portloop_watch_forks` must have been called.
extern uint32_t portloop_forks;
void portloop_watch_forks(void);

static inline uint32_t portloop_fork_count(void) { return __atomic_load_n(&portloop_forks, __ATOMIC_RELAXED); }

// MARK: epoll

static inline int32_t portloop_epoll_create(void) { PORTLOOP_CALL(int32_t, epoll_create1(EPOLL_CLOEXEC)); }

// `operation` is EPOLL_CTL_ADD, MOD or DEL.
static inline int32_t portloop_epoll_control(int32_t epoll, int32_t operation, int32_t fd, uint32_t events, uint64_t word) {
    struct epoll_event event = {.events = events, .data = {.u64 = word}};
    PORTLOOP_CALL(int32_t, epoll_ctl(epoll, operation, fd, &event));
}

// Whether an epoll descriptor watches this very open file under this number: kcmp(2) with KCMP_EPOLL_TFD (Linux 4.13). The calling
// thread stands for the process. A kernel without it, or a filter that forbids it, says no.
static inline int32_t portloop_epoll_watches(int32_t epoll, int32_t fd) {
    struct {
        uint32_t epoll, fd, index;
    } slot = {(uint32_t)epoll, (uint32_t)fd, 0};
    long self = syscall(SYS_gettid);
    return syscall(SYS_kcmp, self, self, 7, (long)fd, &slot) == 0;
}

// The array of events is opaque to Swift, because the kernel's layout of an event is packed on x86-64.
enum { portloop_event_bytes = sizeof(struct epoll_event) };

static inline uint32_t portloop_event_flags(const void *events, uint32_t index) {
    return ((const struct epoll_event *)events)[index].events;
}

static inline uint64_t portloop_event_word(const void *events, uint32_t index) {
    return ((const struct epoll_event *)events)[index].data.u64;
}

// Waits for at most `milliseconds`, -1 meaning for ever. A signal ends the wait with -EINTR: how much of the bound is left is the
// caller's to know.
static inline int32_t portloop_epoll_wait(int32_t epoll, void *events, int32_t events_max, int32_t milliseconds) {
    int32_t count = epoll_wait(epoll, (struct epoll_event *)events, events_max, milliseconds);
    return count >= 0 ? count : -errno;
}

#ifdef SYS_epoll_pwait2
enum { portloop_sys_epoll_pwait2 = SYS_epoll_pwait2 };
#else
// One number on every architecture: calls added since Linux 5.0 share theirs (arch/*/syscalls, "common").
enum { portloop_sys_epoll_pwait2 = 441 };
#endif

// The same with a bound in nanoseconds (Linux 5.11); -ENOSYS where the kernel lacks it.
static inline int32_t portloop_epoll_wait_nanoseconds(int32_t epoll, void *events, int32_t events_max, uint64_t nanoseconds) {
    // __kernel_timespec: 64 bits each, also where the C library's time_t has 32.
    struct {
        int64_t seconds;
        int64_t nanoseconds;
    } bound = {(int64_t)(nanoseconds / 1000000000u), (int64_t)(nanoseconds % 1000000000u)};
    long count = syscall(portloop_sys_epoll_pwait2, epoll, events, events_max, &bound, (void *)0, (size_t)0);
    return count >= 0 ? (int32_t)count : -errno;
}

// MARK: eventfd, timerfd, clock

static inline int32_t portloop_eventfd_create(void) { PORTLOOP_CALL(int32_t, eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)); }

static inline int32_t portloop_eventfd_add_one(int32_t fd) {
    uint64_t one = 1;
    PORTLOOP_CALL(int32_t, (int32_t)write(fd, &one, sizeof one));
}

static inline int32_t portloop_timerfd_create(void) { PORTLOOP_CALL(int32_t, timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)); }

// Arms the timer for one instant of the monotonic clock; zero disarms it.
static inline int32_t portloop_timerfd_arm(int32_t fd, uint64_t nanoseconds) {
    struct itimerspec when = {.it_value = {.tv_sec = (time_t)(nanoseconds / 1000000000u), .tv_nsec = (long)(nanoseconds % 1000000000u)}};
    PORTLOOP_CALL(int32_t, timerfd_settime(fd, TFD_TIMER_ABSTIME, &when, NULL));
}

static inline uint64_t portloop_monotonic_nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

// MARK: descriptors

// Never made again: on Linux the number is free even when the call says EINTR.
static inline int32_t portloop_close(int32_t fd) { return close(fd) == 0 ? 0 : -errno; }

struct portloop_identity {
    uint64_t device;
    uint64_t inode;
    uint32_t mode;
};

static inline int32_t portloop_identify(int32_t fd, struct portloop_identity *identity) {
    struct stat facts;
    if (fstat(fd, &facts) != 0) return -errno;
    identity->device = facts.st_dev;
    identity->inode = facts.st_ino;
    identity->mode = facts.st_mode;
    return 0;
}

static inline int32_t portloop_status_flags(int32_t fd) { PORTLOOP_CALL(int32_t, fcntl(fd, F_GETFL)); }

static inline int32_t portloop_set_status_flags(int32_t fd, int32_t flags) { PORTLOOP_CALL(int32_t, fcntl(fd, F_SETFL, flags)); }

// What the descriptor is ready for at this moment; `events` and the result are those of poll(2).
static inline int32_t portloop_poll_now(int32_t fd, int32_t events) {
    struct pollfd entry = {.fd = fd, .events = (short)events};
    for (;;) {
        int count = poll(&entry, 1, 0);
        if (count >= 0) return (unsigned short)entry.revents;
        if (errno != EINTR) return -errno;
    }
}

// MARK: bytes

static inline int64_t portloop_read(int32_t fd, void *buffer, size_t count) { PORTLOOP_CALL(int64_t, read(fd, buffer, count)); }

// What a read does, on a socket, without the detour through the file layer: 3 % of an exchange (measured).
static inline int64_t portloop_receive_bytes(int32_t fd, void *buffer, size_t count) { PORTLOOP_CALL(int64_t, recv(fd, buffer, count, 0)); }

static inline int64_t portloop_read_at(int32_t fd, void *buffer, size_t count, int64_t offset) {
    PORTLOOP_CALL(int64_t, pread(fd, buffer, count, offset));
}

static inline int64_t portloop_write(int32_t fd, const void *buffer, size_t count) { PORTLOOP_CALL(int64_t, write(fd, buffer, count)); }

static inline int64_t portloop_write_at(int32_t fd, const void *buffer, size_t count, int64_t offset) {
    PORTLOOP_CALL(int64_t, pwrite(fd, buffer, count, offset));
}

static inline int64_t portloop_gather(int32_t fd, const struct iovec *pieces, uint32_t count) {
    PORTLOOP_CALL(int64_t, writev(fd, pieces, (int)count));
}

static inline int64_t portloop_gather_at(int32_t fd, const struct iovec *pieces, uint32_t count, int64_t offset) {
    PORTLOOP_CALL(int64_t, pwritev(fd, pieces, (int)count, offset));
}

// MARK: sockets

// SO_DOMAIN, SO_TYPE, SO_PROTOCOL, SO_ERROR: options of one int. The value, or the negated error number of the question itself.
static inline int32_t portloop_socket_option(int32_t fd, int32_t option) {
    int value = 0;
    socklen_t length = sizeof value;
    return getsockopt(fd, SOL_SOCKET, option, &value, &length) == 0 ? value : -errno;
}

static inline int64_t portloop_send(int32_t fd, const void *buffer, size_t count, const void *address, uint32_t length) {
    if (length == 0) PORTLOOP_CALL(int64_t, send(fd, buffer, count, MSG_NOSIGNAL));
    PORTLOOP_CALL(int64_t, sendto(fd, buffer, count, MSG_NOSIGNAL, (const struct sockaddr *)address, length));
}

static inline int64_t portloop_gather_send(int32_t fd, const struct iovec *pieces, uint32_t count) {
    struct msghdr message = {.msg_iov = (struct iovec *)pieces, .msg_iovlen = count};
    PORTLOOP_CALL(int64_t, sendmsg(fd, &message, MSG_NOSIGNAL));
}

// One message. `*length` is the room at `address` and then the address's own length; `*is_cut` says that the message did not fit.
static inline int64_t portloop_receive(int32_t fd, void *buffer, size_t count, void *address, uint32_t *length, int32_t *is_cut) {
    struct iovec piece = {.iov_base = buffer, .iov_len = count};
    for (;;) {
        struct msghdr message = {.msg_name = address, .msg_namelen = address ? *length : 0, .msg_iov = &piece, .msg_iovlen = 1};
        ssize_t result = recvmsg(fd, &message, 0);
        if (result >= 0) {
            *length = message.msg_namelen;
            *is_cut = (message.msg_flags & MSG_TRUNC) != 0;
            return result;
        }
        if (errno != EINTR) return -(int64_t)errno;
    }
}

static inline int32_t portloop_accept(int32_t fd, void *address, uint32_t *length) {
    PORTLOOP_CALL(int32_t, accept4(fd, (struct sockaddr *)address, address ? length : NULL, SOCK_NONBLOCK | SOCK_CLOEXEC));
}

// Never made again: a connect that a signal interrupted goes on by itself, as after EINPROGRESS (connect(2)).
static inline int32_t portloop_connect(int32_t fd, const void *address, uint32_t length) {
    if (connect(fd, (const struct sockaddr *)address, length) == 0) return 0;
    return errno == EINTR ? -EINPROGRESS : -errno;
}

// Zero if the socket has a peer.
static inline int32_t portloop_has_peer(int32_t fd) {
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    return getpeername(fd, (struct sockaddr *)&address, &length) == 0 ? 0 : -errno;
}

// MARK: SIGPIPE

static inline void portloop_only_broken_pipe(sigset_t *set) {
    sigemptyset(set);
    sigaddset(set, SIGPIPE);
}

// Blocks SIGPIPE on the calling thread. 1 if it was blocked before, else 0.
static inline int32_t portloop_block_broken_pipe(void) {
    sigset_t set, before;
    portloop_only_broken_pipe(&set);
    pthread_sigmask(SIG_BLOCK, &set, &before);
    return sigismember(&before, SIGPIPE);
}

static inline void portloop_unblock_broken_pipe(void) {
    sigset_t set;
    portloop_only_broken_pipe(&set);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

// Takes a SIGPIPE that is pending on the calling thread, if there is one.
static inline void portloop_take_broken_pipe(void) {
    sigset_t set;
    portloop_only_broken_pipe(&set);
    struct timespec at_once = {0, 0};
    while (sigtimedwait(&set, NULL, &at_once) < 0 && errno == EINTR) {
    }
}

// MARK: threads

// Starts a thread that blocks every signal. A thread starts with the mask of the one that makes it, so that one wears it meanwhile.
static inline int32_t portloop_start_thread(pthread_t *thread, void *(*body)(void *), void *context) {
    sigset_t everything, before;
    sigfillset(&everything);
    pthread_sigmask(SIG_SETMASK, &everything, &before);
    int code = pthread_create(thread, NULL, body, context);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -code;
}

// Joins a thread that ends before an instant of the monotonic clock; -ETIMEDOUT if it does not. The last instant is no bound.
static inline int32_t portloop_join_thread(pthread_t thread, uint64_t nanoseconds) {
    if (nanoseconds == UINT64_MAX) return -pthread_join(thread, NULL);
    struct timespec when = {.tv_sec = (time_t)(nanoseconds / 1000000000u), .tv_nsec = (long)(nanoseconds % 1000000000u)};
    return -pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &when);
}

#endif
#endif
