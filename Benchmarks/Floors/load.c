// The load client of the echo benchmark: measures requests per second, the latency of each request, and the CPU time that the server
// spends per request. Every connection plays ping-pong with one request in flight, so the number of connections is the concurrency. The
// CPU time is the kernel's account of the whole server process; on the loopback interface it contains the delivery of the reply to this
// client, because the sender's CPU does it. The latency contains the time a reply waits for this client. The verification is a memcmp
// with the pattern that was sent, and each request sends another part of it.
#include "common.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    events_per_wait_max = 256,
    buffer_bytes = 65536,
    reply_seconds_max = 5,
    // Requests differ in where their bytes start in the pattern; a power of two.
    pattern_starts = 4096,
    // Latencies are counted in buckets of 1/128 of their power of two: the error of a percentile is below 1 %.
    bucket_bits = 7,
    bucket_count = (64 - bucket_bits + 1) << bucket_bits,
};

static const uint64_t second_ns = 1000000000u;

struct client {
    int fd;
    uint32_t pattern_start;
    size_t sent;
    size_t received;
    uint64_t started_ns;
};

static size_t request_bytes;
static char *pattern;
static char buffer[buffer_bytes];
static uint64_t requests;
static uint64_t latency_max_ns;
static uint64_t latencies[bucket_count];

// Values below 2^bucket_bits have a bucket each; above, the leading bits of the value select it.
static size_t bucket_of(uint64_t value) {
    unsigned magnitude = 63 - (unsigned)__builtin_clzll(value | 1);
    unsigned shift = magnitude < bucket_bits ? 0 : magnitude - bucket_bits;
    return ((size_t)shift << bucket_bits) + (size_t)(value >> shift);
}

// The largest value that falls into the bucket, so that a percentile is never reported too low.
static uint64_t bucket_end(size_t bucket) {
    unsigned shift = bucket >> bucket_bits == 0 ? 0 : (unsigned)(bucket >> bucket_bits) - 1;
    return (((uint64_t)bucket - ((uint64_t)shift << bucket_bits) + 1) << shift) - 1;
}

static uint64_t percentile_ns(unsigned per_mille) {
    uint64_t wanted = (requests * per_mille + 999) / 1000;
    uint64_t seen = 0;
    for (size_t bucket = 0; bucket < bucket_count; bucket++) {
        seen += latencies[bucket];
        if (seen >= wanted) {
            return bucket_end(bucket) < latency_max_ns ? bucket_end(bucket) : latency_max_ns;
        }
    }
    return latency_max_ns;
}

static void forget_requests(void) {
    requests = 0;
    latency_max_ns = 0;
    memset(latencies, 0, sizeof latencies);
}

static void record_request(uint64_t latency_ns) {
    requests++;
    latencies[bucket_of(latency_ns)]++;
    if (latency_ns > latency_max_ns) {
        latency_max_ns = latency_ns;
    }
}

static void send_request(struct client *client) {
    while (client->sent < request_bytes) {
        const char *bytes = pattern + client->pattern_start + client->sent;
        ssize_t sent = send(client->fd, bytes, request_bytes - client->sent, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) {
            return;
        }
        client->sent += (size_t)must("send to the server", sent);
    }
}

static void begin_request(struct client *client, uint64_t now) {
    // An odd step visits all starts before one repeats.
    client->pattern_start = (client->pattern_start + 1237) & (pattern_starts - 1);
    client->sent = 0;
    client->received = 0;
    client->started_ns = now;
    send_request(client);
}

// Receives what is there. A new request begins as soon as a reply is complete, and the clock is read once for both.
static void receive_reply(struct client *client) {
    for (;;) {
        ssize_t count = recv(client->fd, buffer, buffer_bytes, 0);
        if (count < 0 && errno == EAGAIN) {
            return;
        }
        must("recv from the server", count);
        if (count == 0) {
            die("The server closed a connection.");
        }
        if ((size_t)count > client->sent - client->received) {
            die("The server sent more bytes than it got.");
        }
        if (memcmp(buffer, pattern + client->pattern_start + client->received, (size_t)count) != 0) {
            die("The server did not send back the bytes it got.");
        }
        client->received += (size_t)count;
        if (client->received == request_bytes) {
            uint64_t now = now_ns();
            record_request(now - client->started_ns);
            begin_request(client, now);
            // The reply to what was just sent is a new edge, and nothing else can be in the socket.
            return;
        }
        if (count < buffer_bytes) {
            // A short read has emptied the socket, and an end of the stream was looked for in the event.
            return;
        }
    }
}

// Connects with the default blocking call; the send time limit is the one that connect obeys.
static void open_client(struct client *client, unsigned port) {
    client->fd = (int)must("socket", socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    int one = 1;
    must("setsockopt", setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one));
    struct timeval limit = {.tv_sec = reply_seconds_max};
    must("setsockopt", setsockopt(client->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit));
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int status = connect(client->fd, (struct sockaddr *)&address, sizeof address);
    if (status < 0 && errno == EINPROGRESS) {
        die("A connection took more than %d s.", reply_seconds_max);
    }
    must("connect", status);
    must("fcntl", fcntl(client->fd, F_SETFL, O_NONBLOCK));
}

static void check_reply_times(const struct client *clients, size_t count, uint64_t now) {
    for (size_t i = 0; i < count; i++) {
        // A reply may have begun after `now` was read, which makes the difference negative.
        if ((int64_t)(now - clients[i].started_ns) > reply_seconds_max * (int64_t)second_ns) {
            die("A reply took more than %d s.", reply_seconds_max);
        }
    }
}

// Handles what the server sends until `end_ns`, and returns the time at which it really stopped. Wakes each second for the time limit.
static uint64_t play(int epoll, const struct client *clients, size_t count, uint64_t end_ns) {
    struct epoll_event events[events_per_wait_max];
    uint64_t now = now_ns();
    uint64_t next_check_ns = now + second_ns;
    while (now < end_ns) {
        uint64_t left_ns = end_ns - now;
        int timeout_milliseconds = left_ns < second_ns ? (int)(left_ns / 1000000) + 1 : 1000;
        int ready = epoll_wait(epoll, events, events_per_wait_max, timeout_milliseconds);
        if (ready < 0 && errno != EINTR) {
            must("epoll_wait", ready);
        }
        for (int i = 0; i < ready; i++) {
            if ((events[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
                die("The server closed a connection.");
            }
            struct client *client = events[i].data.ptr;
            if (client->sent < request_bytes) {
                send_request(client);
            }
            receive_reply(client);
        }
        now = now_ns();
        if (now > next_check_ns) {
            check_reply_times(clients, count, now);
            next_check_ns = now + second_ns;
        }
    }
    return now;
}

int main(int argc, char **argv) {
    if (argc != 6) {
        die("usage: load PORT CONNECTIONS BYTES SECONDS PID");
    }
    unsigned port = (unsigned)parse_number("PORT", argv[1], 1, 65535);
    size_t count = (size_t)parse_number("CONNECTIONS", argv[2], 1, 60000);
    request_bytes = (size_t)parse_number("BYTES", argv[3], 1, 16 << 20);
    uint64_t duration_ns = (uint64_t)parse_number("SECONDS", argv[4], 1, 3600) * second_ns;
    clockid_t server_clock;
    int error = clock_getcpuclockid((pid_t)parse_number("PID", argv[5], 1, INT32_MAX), &server_clock);
    if (error != 0) {
        die("There is no CPU clock of process %s: %s.", argv[5], strerror(error));
    }

    raise_descriptor_limit();
    pattern = malloc(pattern_starts + request_bytes);
    struct client *clients = calloc(count, sizeof *clients);
    if (pattern == NULL || clients == NULL) {
        die("No memory for %zu connections.", count);
    }
    for (size_t i = 0; i < pattern_starts + request_bytes; i++) {
        pattern[i] = (char)(next_random() >> 32);
    }
    int epoll = (int)must("epoll_create1", epoll_create1(EPOLL_CLOEXEC));
    for (size_t i = 0; i < count; i++) {
        open_client(&clients[i], port);
        clients[i].pattern_start = (uint32_t)next_random() & (pattern_starts - 1);
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = &clients[i]};
        must("epoll_ctl", epoll_ctl(epoll, EPOLL_CTL_ADD, clients[i].fd, &event));
    }

    uint64_t begin = now_ns();
    for (size_t i = 0; i < count; i++) {
        begin_request(&clients[i], now_ns());
    }
    uint64_t warm = play(epoll, clients, count, begin + duration_ns / 5);
    forget_requests();
    // The account of a running process is brought up to date by the scheduler's tick: each of the two figures can be one tick old.
    uint64_t warm_cpu_ns = clock_ns(server_clock);
    uint64_t end = play(epoll, clients, count, warm + duration_ns);
    uint64_t cpu_ns = clock_ns(server_clock) - warm_cpu_ns;
    if (requests == 0) {
        die("No reply came in the measured time.");
    }
    printf("requests=%lu seconds=%.3f server_cpu_ns_per_request=%.1f", requests, (double)(end - warm) / 1e9,
           (double)cpu_ns / (double)requests);
    printf(" p50_ns=%lu p99_ns=%lu p999_ns=%lu max_ns=%lu\n", percentile_ns(500), percentile_ns(990), percentile_ns(999), latency_max_ns);
}
