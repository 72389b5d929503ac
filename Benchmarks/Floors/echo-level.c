// The level-triggered floor of the echo benchmark: the least that a TCP echo server over epoll does per request, which is one read and
// one write, plus its share of an epoll_wait. It never reads twice per event: the kernel reports again what is left. The price is that
// the kernel looks at each reported socket once more in the next epoll_wait, to find that it is drained.
#include "listener.h"

static void wait_for(int epoll, struct connection *connection, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = connection};
    must("epoll_ctl", epoll_ctl(epoll, EPOLL_CTL_MOD, connection->fd, &event));
}

// The client does not read as fast as it writes: keeps what the kernel refused, and reads no more until it is sent.
static void keep_rest(int epoll, struct connection *connection, const char *bytes, size_t count) {
    memcpy(connection->rest, bytes, count);
    connection->rest_start = 0;
    connection->rest_end = (uint32_t)count;
    wait_for(epoll, connection, EPOLLOUT);
}

static void send_rest(int epoll, struct connection *connection) {
    size_t count = connection->rest_end - connection->rest_start;
    ssize_t sent = send(connection->fd, connection->rest + connection->rest_start, count, MSG_NOSIGNAL);
    if (sent < 0) {
        if (errno != EAGAIN) {
            close_connection(connection);
        }
        return;
    }
    connection->rest_start += (uint32_t)sent;
    if (!has_rest(connection)) {
        wait_for(epoll, connection, EPOLLIN);
    }
}

static void echo(int epoll, struct connection *connection) {
    ssize_t count = recv(connection->fd, shared_buffer, buffer_bytes, 0);
    if (count <= 0) {
        if (count == 0 || errno != EAGAIN) {
            close_connection(connection);
        }
        return;
    }
    ssize_t sent = send(connection->fd, shared_buffer, (size_t)count, MSG_NOSIGNAL);
    if (sent == count) {
        return;
    }
    if (sent < 0 && errno != EAGAIN) {
        close_connection(connection);
        return;
    }
    size_t accepted = sent < 0 ? 0 : (size_t)sent;
    keep_rest(epoll, connection, shared_buffer + accepted, (size_t)count - accepted);
}

int main(int argc, char **argv) {
    begin_server();
    make_buffer(argc, argv);
    int epoll = (int)must("epoll_create1", epoll_create1(EPOLL_CLOEXEC));
    int listener = open_listener(epoll, EPOLLIN);
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
                accept_connections(epoll, listener, EPOLLIN);
            } else if (has_rest(connection)) {
                send_rest(epoll, connection);
            } else {
                echo(epoll, connection);
            }
        }
    }
}
