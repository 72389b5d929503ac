// The load client of the echo benchmark: measures the latency of each request, and the CPU time that the server spends per request. Every
// connection plays ping-pong with one request in flight, so the number of connections is the concurrency.
//
// Several servers take turns: each is played with for a few milliseconds, again and again, while the others sleep. The machine under a
// virtual one is another every few seconds, by more than what is to be told apart; within a turn it is the same for all of them. The figure
// of a server is the median of its turns. The beginning of a turn, until the server's memory is in the caches again, does not count.
//
// The CPU time is the kernel's account of the whole server process; on the loopback interface it contains the delivery of the reply to this
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

struct server {
    clockid_t clock;
    int epoll;
    struct client *clients;
    size_t waiting;
    // The CPU time per request of each turn.
    double *turns;
    uint64_t requests;
    uint64_t latency_max_ns;
    uint64_t latencies[bucket_count];
};

static size_t connections;
static size_t request_bytes;
static char *pattern;
static char buffer[buffer_bytes];

// What the present moment is part of.
enum phase { warming, measuring, draining };
static enum phase phase;

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

static uint64_t percentile_ns(const struct server *server, unsigned per_mille) {
    uint64_t wanted = (server->requests * per_mille + 999) / 1000;
    uint64_t seen = 0;
    for (size_t bucket = 0; bucket < bucket_count; bucket++) {
        seen += server->latencies[bucket];
        if (seen >= wanted) {
            return bucket_end(bucket) < server->latency_max_ns ? bucket_end(bucket) : server->latency_max_ns;
        }
    }
    return server->latency_max_ns;
}

static void record_request(struct server *server, uint64_t latency_ns) {
    if (phase != measuring) {
        return;
    }
    server->requests++;
    server->latencies[bucket_of(latency_ns)]++;
    if (latency_ns > server->latency_max_ns) {
        server->latency_max_ns = latency_ns;
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

static void begin_request(struct server *server, struct client *client, uint64_t now) {
    server->waiting++;
    // An odd step visits all starts before one repeats.
    client->pattern_start = (client->pattern_start + 1237) & (pattern_starts - 1);
    client->sent = 0;
    client->received = 0;
    client->started_ns = now;
    send_request(client);
}

// Receives what is there. A new request begins as soon as a reply is complete, and the clock is read once for both.
static void receive_reply(struct server *server, struct client *client) {
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
            record_request(server, now - client->started_ns);
            server->waiting--;
            if (phase != draining) {
                begin_request(server, client, now);
            }
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

static void check_reply_times(const struct server *server, uint64_t now) {
    for (size_t i = 0; i < connections; i++) {
        const struct client *client = &server->clients[i];
        // A reply may have begun after `now` was read, which makes the difference negative.
        if (client->received < request_bytes && (int64_t)(now - client->started_ns) > reply_seconds_max * (int64_t)second_ns) {
            die("A reply took more than %d s.", reply_seconds_max);
        }
    }
}

// Handles what the server sends until `end_ns`, or until nothing is waited for. Wakes each second for the time limit.
static void play(struct server *server, enum phase part, uint64_t end_ns) {
    struct epoll_event events[events_per_wait_max];
    uint64_t now = now_ns();
    uint64_t next_check_ns = now + second_ns;
    phase = part;
    while (part == draining ? server->waiting > 0 : now < end_ns) {
        int ready = epoll_wait(server->epoll, events, events_per_wait_max, 1000);
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
            receive_reply(server, client);
        }
        now = now_ns();
        if (now > next_check_ns) {
            check_reply_times(server, now);
            next_check_ns = now + second_ns;
        }
    }
}

static void take_turn(struct server *server, size_t turn, uint64_t turn_ns) {
    uint64_t begin = now_ns();
    for (size_t i = 0; i < connections; i++) {
        begin_request(server, &server->clients[i], begin);
    }
    play(server, warming, begin + turn_ns / 4);
    // On the one processor that both are on the server does not run now, so its account is complete.
    uint64_t requests_before = server->requests;
    uint64_t cpu_before_ns = clock_ns(server->clock);
    play(server, measuring, now_ns() + turn_ns);
    uint64_t cpu_ns = clock_ns(server->clock) - cpu_before_ns;
    if (server->requests == requests_before) {
        die("No reply came in the measured time.");
    }
    server->turns[turn] = (double)cpu_ns / (double)(server->requests - requests_before);
    play(server, draining, 0);
}

static void open_server(struct server *server, char *name, size_t turns) {
    char *pid = strchr(name, ':');
    if (pid == NULL) {
        die("A server is named PORT:PID, but here is \"%s\".", name);
    }
    *pid++ = '\0';
    unsigned port = (unsigned)parse_number("PORT", name, 1, 65535);
    server->clock = process_clock((pid_t)parse_number("PID", pid, 1, INT32_MAX));
    server->epoll = (int)must("epoll_create1", epoll_create1(EPOLL_CLOEXEC));
    server->clients = calloc(connections, sizeof *server->clients);
    server->turns = calloc(turns, sizeof *server->turns);
    if (server->clients == NULL || server->turns == NULL) {
        die("No memory for %zu connections.", connections);
    }
    for (size_t i = 0; i < connections; i++) {
        struct client *client = &server->clients[i];
        open_client(client, port);
        client->pattern_start = (uint32_t)next_random() & (pattern_starts - 1);
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = client};
        must("epoll_ctl", epoll_ctl(server->epoll, EPOLL_CTL_ADD, client->fd, &event));
    }
}

static void report(struct server *server, size_t turns) {
    printf("requests=%lu server_cpu_ns_per_request=%.1f", server->requests, median(server->turns, turns));
    printf(" p50_ns=%lu p99_ns=%lu p999_ns=%lu max_ns=%lu\n", percentile_ns(server, 500), percentile_ns(server, 990),
           percentile_ns(server, 999), server->latency_max_ns);
}

int main(int argc, char **argv) {
    if (argc < 6) {
        die("usage: load CONNECTIONS BYTES TURNS MILLISECONDS PORT:PID...");
    }
    connections = (size_t)parse_number("CONNECTIONS", argv[1], 1, 60000);
    request_bytes = (size_t)parse_number("BYTES", argv[2], 1, 16 << 20);
    size_t turns = (size_t)parse_number("TURNS", argv[3], 1, 100000);
    uint64_t turn_ns = (uint64_t)parse_number("MILLISECONDS", argv[4], 1, 60000) * 1000000u;
    size_t count = (size_t)(argc - 5);

    raise_descriptor_limit();
    pattern = malloc(pattern_starts + request_bytes);
    struct server *servers = calloc(count, sizeof *servers);
    if (pattern == NULL || servers == NULL) {
        die("No memory for requests of %zu bytes.", request_bytes);
    }
    for (size_t i = 0; i < pattern_starts + request_bytes; i++) {
        pattern[i] = (char)(next_random() >> 32);
    }
    for (size_t i = 0; i < count; i++) {
        open_server(&servers[i], argv[5 + i], turns);
    }
    for (size_t turn = 0; turn < turns; turn++) {
        for (size_t i = 0; i < count; i++) {
            // There and back again, so that nobody always comes behind the same neighbour.
            take_turn(&servers[turn % 2 == 0 ? i : count - 1 - i], turn, turn_ns);
        }
    }
    for (size_t i = 0; i < count; i++) {
        report(&servers[i], turns);
    }
}
