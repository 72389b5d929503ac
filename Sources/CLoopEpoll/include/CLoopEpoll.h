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
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// GNU's own, declared here: with _GNU_SOURCE the headers would give types another shape than the Glibc module has them in (fd_set), and a
// program that imports both modules would not compile.
extern int accept4(int, struct sockaddr *__restrict, socklen_t *__restrict, int);
extern int pthread_setname_np(pthread_t, const char *);
extern int pthread_clockjoin_np(pthread_t, void **, clockid_t, const struct timespec *);
extern int pthread_timedjoin_np(pthread_t, void **, const struct timespec *);

// Makes the call until no signal interrupts it, and gives its result or the negated error number.
#define PORTLOOP_CALL(type, call)                                                                                                         \
    do {                                                                                                                                  \
        for (;;) {                                                                                                                        \
            type portloop_result = (call);                                                                                                \
            if (portloop_result >= 0) return portloop_result;                                                                             \
            if (errno != EINTR) return -(type)errno;                                                                                      \
        }                                                                                                                                 \
    } while (0)

// Every operation makes these calls: without a frame of their own.
#define PORTLOOP_HOT static inline __attribute__((always_inline))

// MARK: forks

// How many forks lie between this process and the one that loaded the library. Counted by a handler of pthread_atfork, so that knowing
// it costs no system call. `portloop_watch_forks` must have been called.
extern uint32_t portloop_forks;
void portloop_watch_forks(void);

static inline uint32_t portloop_fork_count(void) { return __atomic_load_n(&portloop_forks, __ATOMIC_RELAXED); }

// MARK: threads

// A number of the calling thread: no other thread's that is alive. The address of its own variables, which is in a register: a turn and
// most calls of the loop ask whose they are.
PORTLOOP_HOT uintptr_t portloop_current_thread(void) { return (uintptr_t)__builtin_thread_pointer(); }

// MARK: memory

// Asks the processor for the cache line at an address, to write to it soon. Any address will do.
static inline void portloop_prefetch(const void *address) { __builtin_prefetch(address, 1, 3); }

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
PORTLOOP_HOT int32_t portloop_epoll_wait(int32_t epoll, void *events, int32_t events_max, int32_t milliseconds) {
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

PORTLOOP_HOT uint64_t portloop_monotonic_nanoseconds(void) {
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

PORTLOOP_HOT int64_t portloop_read(int32_t fd, void *buffer, size_t count) { PORTLOOP_CALL(int64_t, read(fd, buffer, count)); }

// What a read does, on a socket, without the detour through the file layer: 3 % of an exchange (measured).
PORTLOOP_HOT int64_t portloop_receive_bytes(int32_t fd, void *buffer, size_t count) { PORTLOOP_CALL(int64_t, recv(fd, buffer, count, 0)); }

static inline int64_t portloop_read_at(int32_t fd, void *buffer, size_t count, int64_t offset) {
    PORTLOOP_CALL(int64_t, pread(fd, buffer, count, offset));
}

PORTLOOP_HOT int64_t portloop_write(int32_t fd, const void *buffer, size_t count) { PORTLOOP_CALL(int64_t, write(fd, buffer, count)); }

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

PORTLOOP_HOT int64_t portloop_send(int32_t fd, const void *buffer, size_t count, const void *address, uint32_t length) {
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
#ifdef PORTLOOP_THREAD_SANITIZER
    // It does not know the call below, and would take the thread for alive for ever. It knows this one, which goes by the time of day.
    struct timespec now, today;
    clock_gettime(CLOCK_MONOTONIC, &now);
    clock_gettime(CLOCK_REALTIME, &today);
    // Rounded up to whole seconds.
    when.tv_sec += today.tv_sec - now.tv_sec + 2;
    return -pthread_timedjoin_np(thread, NULL, &when);
#else
    return -pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &when);
#endif
}

// MARK: processes

#ifdef SYS_pidfd_open
enum { portloop_sys_pidfd_open = SYS_pidfd_open };
#else
enum { portloop_sys_pidfd_open = 434 };
#endif

// A descriptor that polls readable when the process has ended (Linux 5.3).
static inline int32_t portloop_pidfd_open(int32_t process) { PORTLOOP_CALL(int32_t, (int32_t)syscall(portloop_sys_pidfd_open, process, 0)); }

// A second descriptor of the same open file.
static inline int32_t portloop_duplicate(int32_t fd) { PORTLOOP_CALL(int32_t, fcntl(fd, F_DUPFD_CLOEXEC, 3)); }

// How a child ended, by its pidfd (P_PIDFD, Linux 5.4), without waiting: 0 while it runs, or one of CLD_EXITED, CLD_KILLED and
// CLD_DUMPED with its code or signal in `*status`. The child is reaped where `takes` is not 0.
static inline int32_t portloop_reap(int32_t pidfd, int32_t takes, int32_t *status) {
    siginfo_t facts;
    memset(&facts, 0, sizeof facts);
    int options = WEXITED | WNOHANG | (takes ? 0 : WNOWAIT);
    for (;;) {
        if (waitid((idtype_t)3, (id_t)pidfd, &facts, options) == 0) break;
        if (errno == EAGAIN) return 0;  // What a descriptor in non-blocking mode says while the child runs (Linux 5.10).
        if (errno != EINTR) return -errno;
    }
    if (facts.si_pid == 0) return 0;
    *status = facts.si_status;
    return facts.si_code;
}

// MARK: signals

// Sets of signals are words here: signal `n` is bit `n - 1`, as in the kernel.
static inline void portloop_make_signal_set(uint64_t bits, sigset_t *set) {
    sigemptyset(set);
    for (int number = 1; number <= 64; number++)
        if (bits >> (number - 1) & 1) sigaddset(set, number);
}

// A descriptor from which these signals are read instead of being delivered, or, where `fd` is one, other signals for it.
static inline int32_t portloop_signalfd(int32_t fd, uint64_t bits) {
    sigset_t set;
    portloop_make_signal_set(bits, &set);
    PORTLOOP_CALL(int32_t, signalfd(fd, &set, SFD_NONBLOCK | SFD_CLOEXEC));
}

// The number of one signal that has come, or -EAGAIN.
static inline int32_t portloop_take_signal(int32_t fd) {
    struct signalfd_siginfo facts;
    for (;;) {
        if (read(fd, &facts, sizeof facts) == (ssize_t)sizeof facts) return (int32_t)facts.ssi_signo;
        if (errno != EINTR) return -errno;
    }
}

// Blocks signals on the calling thread. Those that were not blocked before.
static inline uint64_t portloop_block_signals(uint64_t bits) {
    sigset_t set, before;
    portloop_make_signal_set(bits, &set);
    pthread_sigmask(SIG_BLOCK, &set, &before);
    uint64_t added = 0;
    for (int number = 1; number <= 64; number++)
        if (bits >> (number - 1) & 1 && sigismember(&before, number) == 0) added |= UINT64_C(1) << (number - 1);
    return added;
}

static inline void portloop_unblock_signals(uint64_t bits) {
    sigset_t set;
    portloop_make_signal_set(bits, &set);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

// MARK: names

// One address of a name; the layout is that of LoopCore's SocketAddress.
struct portloop_address {
    uint32_t length;
    uint32_t zero;
    uint64_t storage[16];
};

// Looks a name up: a count of addresses, at most `capacity`, or what getaddrinfo(3) said, which is negative here (EAI_NONAME is -2).
// `*error` is the error number that stands behind EAI_SYSTEM (-11). `family` is AF_UNSPEC, AF_INET or AF_INET6.
static inline int32_t portloop_resolve(
    const char *host, const char *service, int32_t family, int32_t numeric_only, struct portloop_address *addresses, uint32_t capacity,
    int32_t *error) {
    // One kind of socket, or each address comes once for every kind.
    struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_STREAM};
    if (numeric_only) hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
    struct addrinfo *list = NULL;
    int code = getaddrinfo(host, service, &hints, &list);
    *error = code == -11 ? errno : 0;
    if (code != 0) return code;
    uint32_t count = 0;
    for (struct addrinfo *entry = list; entry && count < capacity; entry = entry->ai_next) {
        if (entry->ai_addrlen > sizeof addresses[count].storage) continue;
        memset(&addresses[count], 0, sizeof addresses[count]);
        addresses[count].length = entry->ai_addrlen;
        memcpy(addresses[count].storage, entry->ai_addr, entry->ai_addrlen);
        count++;
    }
    freeaddrinfo(list);
    return (int32_t)count;
}

#endif
#endif
