// The edge-triggered floor of the echo benchmark: one registration per connection for its life, one read and one write per request, plus
// its share of an epoll_wait, and no read that only finds EAGAIN. That last point is what makes this form fast, and its conditions are
// what makes it correct; they are written at `must_drain`.
#include "listener.h"

// EPOLLOUT from the start costs TCP nothing: the kernel wakes for it only after a write that found no space (SOCK_NOSPACE).
static const uint32_t registered_events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET;

// A read shorter than the buffer has emptied the socket, so what arrives later is a new edge. Two things break this rule, and each shows
// in the event: the end of the stream can share the edge of the last data (RDHUP, HUP, ERR), and a read stops in front of urgent data
// though more follows (PRI). If one of them happens after this event was fetched, it brings an edge of its own.
static bool must_drain(uint32_t events) {
    return (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI)) != 0;
}

enum sending { sending_done, sending_blocked, sending_failed };

// Sends until EAGAIN, because only the write that fails with it asks for the edge that will follow.
static enum sending send_bytes(struct connection *connection, const char *bytes, size_t count, size_t *accepted) {
    *accepted = 0;
    while (*accepted < count) {
        ssize_t sent = send(connection->fd, bytes + *accepted, count - *accepted, MSG_NOSIGNAL);
        if (sent < 0) {
            return errno == EAGAIN ? sending_blocked : sending_failed;
        }
        *accepted += (size_t)sent;
    }
    return sending_done;
}

static enum sending send_rest(struct connection *connection) {
    size_t accepted = 0;
    size_t count = connection->rest_end - connection->rest_start;
    enum sending end = send_bytes(connection, connection->rest + connection->rest_start, count, &accepted);
    connection->rest_start += (uint32_t)accepted;
    return end;
}

// The client does not read as fast as it writes: what the kernel refuses is kept, and nothing is read until it is sent.
static enum sending send_or_keep(struct connection *connection, size_t count) {
    size_t accepted = 0;
    enum sending end = send_bytes(connection, shared_buffer, count, &accepted);
    if (end == sending_blocked) {
        memcpy(connection->rest, shared_buffer + accepted, count - accepted);
        connection->rest_start = 0;
        connection->rest_end = (uint32_t)(count - accepted);
    }
    return end;
}

// Reads on every event, also on one that says only OUT: after a blocked write, the edge of the unread data is long gone. A client that
// always fills the buffer keeps the server to itself until a read is short; a server for the public would need a bound and a list here.
static void serve(struct connection *connection, uint32_t events) {
    enum sending end = has_rest(connection) ? send_rest(connection) : sending_done;
    while (end == sending_done) {
        ssize_t count = recv(connection->fd, shared_buffer, buffer_bytes, 0);
        if (count < 0 && errno == EAGAIN) {
            return;
        }
        if (count <= 0) {
            end = sending_failed;
            break;
        }
        end = send_or_keep(connection, (size_t)count);
        if (end == sending_done && (size_t)count < buffer_bytes && !must_drain(events)) {
            return;
        }
    }
    if (end == sending_failed) {
        close_connection(connection);
    }
}

int main(int argc, char **argv) {
    begin_server();
    make_buffer(argc, argv);
    int epoll = (int)must("epoll_create1", epoll_create1(EPOLL_CLOEXEC));
    int listener = open_listener(epoll, EPOLLIN | EPOLLET);
    struct epoll_event events[events_per_wait_max];
    for (;;) {
        int count = epoll_wait(epoll, events, events_per_wait_max, -1);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        must("epoll_wait", count);
        for (int i = 0; i < count; i++) {
            struct connection *connection = events[i].data.ptr;
            if (connection == NULL) {
                accept_connections(epoll, listener, registered_events);
            } else {
                serve(connection, events[i].events);
            }
        }
    }
}
