// The part of a raw epoll TCP server that is the same for the level- and the edge-triggered floor: the listening socket, accepting, and
// the connection record. It is not on the measured path.
#ifndef PORTLOOP_BENCHMARKS_LISTENER_H
#define PORTLOOP_BENCHMARKS_LISTENER_H

#include "common.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    events_per_wait_max = 256,
    // The kernel cuts this to net.core.somaxconn.
    backlog_max = 4096,
};

// All connections read into this one buffer: it stays in the cache, and only what a write refused is copied into the connection.
static char *shared_buffer;
static size_t buffer_bytes;

struct connection {
    int fd;
    // The bytes rest[rest_start ..< rest_end] are read, but not yet accepted by the kernel for sending.
    uint32_t rest_start;
    uint32_t rest_end;
    char rest[];
};

static void make_buffer(int argc, char **argv) {
    buffer_bytes = parse_buffer_bytes(argc, argv);
    shared_buffer = malloc(buffer_bytes);
    if (shared_buffer == NULL) {
        die("No memory for a buffer.");
    }
}

static bool has_rest(const struct connection *connection) {
    return connection->rest_start < connection->rest_end;
}

// Nothing else refers to the connection: a descriptor is at most once in a batch of events, and closing it removes it from epoll.
static void close_connection(struct connection *connection) {
    close(connection->fd);
    free(connection);
}

// Listens on a free port of the loopback interface, registers the listener with a null pointer as its data, and announces the port.
static int open_listener(int epoll, uint32_t events) {
    int listener = (int)must("socket", socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    must("bind", bind(listener, (struct sockaddr *)&address, length));
    must("listen", listen(listener, backlog_max));
    must("getsockname", getsockname(listener, (struct sockaddr *)&address, &length));
    struct epoll_event event = {.events = events, .data.ptr = NULL};
    must("epoll_ctl", epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event));
    announce_port(ntohs(address.sin_port));
    return listener;
}

// Accepts all connections that wait, which also serves an edge-triggered listener, and registers each for the given events.
static void accept_connections(int epoll, int listener, uint32_t events) {
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0 && errno == EAGAIN) {
            return;
        }
        if (fd < 0 && errno == ECONNABORTED) {
            // The client gave up before it was accepted; the next one is behind it.
            continue;
        }
        // What remains is a lack of descriptors or memory, with which no figure would be worth printing.
        must("accept4", fd);
        int one = 1;
        must("setsockopt", setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one));
        struct connection *connection = malloc(sizeof *connection + buffer_bytes);
        if (connection == NULL) {
            die("No memory for a connection.");
        }
        connection->fd = fd;
        connection->rest_start = 0;
        connection->rest_end = 0;
        struct epoll_event event = {.events = events, .data.ptr = connection};
        must("epoll_ctl", epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
    }
}

#endif
