// The calls of Linux that sockets need.
//
// Every function returns the call's result, or the error number negated: nothing can clobber `errno` in between. A call that a signal
// interrupted is made again.
#ifndef CSOCKETOPS_H
#define CSOCKETOPS_H
#if defined(__linux__)

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#define PORTLOOP_SOCKET_CALL(type, call)                                                                                                  \
    do {                                                                                                                                  \
        for (;;) {                                                                                                                        \
            type portloop_result = (call);                                                                                                \
            if (portloop_result >= 0) return portloop_result;                                                                             \
            if (errno != EINTR) return -(type)errno;                                                                                      \
        }                                                                                                                                 \
    } while (0)

// MARK: making

// Non-blocking and not inherited.
static inline int32_t portloop_socket_open(int32_t family, int32_t type) {
    PORTLOOP_SOCKET_CALL(int32_t, socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

static inline int32_t portloop_socket_pair(int32_t *first, int32_t *second) {
    int both[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, both) != 0) return -errno;
    *first = both[0];
    *second = both[1];
    return 0;
}

static inline int32_t portloop_socket_bind(int32_t fd, const void *address, uint32_t length) {
    PORTLOOP_SOCKET_CALL(int32_t, bind(fd, (const struct sockaddr *)address, length));
}

static inline int32_t portloop_socket_listen(int32_t fd, int32_t backlog) { PORTLOOP_SOCKET_CALL(int32_t, listen(fd, backlog)); }

// Never made again: on Linux the number is free even when the call says EINTR.
static inline int32_t portloop_socket_close(int32_t fd) { return close(fd) == 0 ? 0 : -errno; }

// The peer sees a reset.
static inline int32_t portloop_socket_abort(int32_t fd) {
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    return portloop_socket_close(fd);
}

static inline int32_t portloop_socket_shutdown(int32_t fd, int32_t how) { PORTLOOP_SOCKET_CALL(int32_t, shutdown(fd, how)); }

// Removes the name of a Unix socket, and nothing that is no socket.
int32_t portloop_socket_unlink(const char *path);

// MARK: asking

// `*length` is the room at `address`, and then the address's own length.
static inline int32_t portloop_socket_name(int32_t fd, void *address, uint32_t *length) {
    PORTLOOP_SOCKET_CALL(int32_t, getsockname(fd, (struct sockaddr *)address, length));
}

static inline int32_t portloop_socket_peer(int32_t fd, void *address, uint32_t *length) {
    PORTLOOP_SOCKET_CALL(int32_t, getpeername(fd, (struct sockaddr *)address, length));
}

static inline int32_t portloop_socket_set_option(int32_t fd, int32_t level, int32_t option, int32_t value) {
    PORTLOOP_SOCKET_CALL(int32_t, setsockopt(fd, level, option, &value, sizeof value));
}

static inline int32_t portloop_socket_option(int32_t fd, int32_t level, int32_t option, int32_t *value) {
    socklen_t length = sizeof *value;
    PORTLOOP_SOCKET_CALL(int32_t, getsockopt(fd, level, option, value, &length));
}

// Who connected: SO_PEERCRED. GNU's structure, declared here because _GNU_SOURCE would change others.
static inline int32_t portloop_socket_credentials(int32_t fd, int32_t *process, uint32_t *user, uint32_t *group) {
    struct {
        int32_t process;
        uint32_t user, group;
    } found;
    socklen_t length = sizeof found;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &found, &length) != 0) return -errno;
    *process = found.process;
    *user = found.user;
    *group = found.group;
    return 0;
}

// MARK: bytes

static inline int64_t portloop_socket_receive(int32_t fd, void *buffer, size_t count) {
    PORTLOOP_SOCKET_CALL(int64_t, recv(fd, buffer, count, 0));
}

static inline int64_t portloop_socket_send(int32_t fd, const void *buffer, size_t count) {
    PORTLOOP_SOCKET_CALL(int64_t, send(fd, buffer, count, MSG_NOSIGNAL));
}

static inline int64_t portloop_socket_send_pieces(int32_t fd, const struct iovec *pieces, size_t count) {
    struct msghdr message = {.msg_iov = (struct iovec *)pieces, .msg_iovlen = count};
    PORTLOOP_SOCKET_CALL(int64_t, sendmsg(fd, &message, MSG_NOSIGNAL));
}

static inline int64_t portloop_socket_send_to(int32_t fd, const void *buffer, size_t count, const void *address, uint32_t length) {
    PORTLOOP_SOCKET_CALL(int64_t, sendto(fd, buffer, count, MSG_NOSIGNAL, (const struct sockaddr *)(length ? address : NULL), length));
}

// One datagram. `*length` is the room at `address` and then the address's own length; `*is_cut` says that it did not fit.
static inline int64_t portloop_socket_receive_from(
    int32_t fd, void *buffer, size_t count, void *address, uint32_t *length, int32_t *is_cut) {
    struct iovec piece = {.iov_base = buffer, .iov_len = count};
    for (;;) {
        struct msghdr message = {.msg_name = address, .msg_namelen = *length, .msg_iov = &piece, .msg_iovlen = 1};
        ssize_t result = recvmsg(fd, &message, 0);
        if (result >= 0) {
            *length = message.msg_namelen;
            *is_cut = (message.msg_flags & MSG_TRUNC) != 0;
            return result;
        }
        if (errno != EINTR) return -(int64_t)errno;
    }
}

#endif
#endif
