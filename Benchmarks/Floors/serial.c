// The floor of a serial client: raw system calls and one epoll. usage: serial rtt ROUNDS PATH... | cycle ROUNDS PATH | sink BYTES PATH
//   rtt    a byte out and the same byte back, on every path at once; so many round trips on each
//   cycle  open, set, close
//   sink   reads so many bytes
#include "common.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static int open_port(const char *path) {
    int fd = (int)must(path, open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
    struct termios raw;
    must("tcgetattr", tcgetattr(fd, &raw));
    cfmakeraw(&raw);
    cfsetspeed(&raw, B115200);
    must("tcsetattr", tcsetattr(fd, TCSANOW, &raw));
    return fd;
}

static void report(const char *what, long count, uint64_t began, uint64_t cpu_began) {
    uint64_t took = now_ns() - began;
    uint64_t cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_began;
    printf("%s=%ld ns_each=%.1f cpu_ns_each=%.1f\n", what, count, (double)took / (double)count, (double)cpu / (double)count);
}

static void round_trips(long rounds, char **paths, int count) {
    int epoll = (int)must("epoll_create1", epoll_create1(EPOLL_CLOEXEC));
    long *left = calloc((size_t)count, sizeof *left);
    int *fds = calloc((size_t)count, sizeof *fds);
    char byte = 'x';
    for (int i = 0; i < count; i++) {
        fds[i] = open_port(paths[i]);
        left[i] = rounds;
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
        must("epoll_ctl", epoll_ctl(epoll, EPOLL_CTL_ADD, fds[i], &event));
    }
    uint64_t began = now_ns(), cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    for (int i = 0; i < count; i++) must("write", write(fds[i], &byte, 1));
    long active = count;
    while (active > 0) {
        struct epoll_event events[64];
        long found = must("epoll_wait", epoll_wait(epoll, events, 64, -1));
        for (long e = 0; e < found; e++) {
            uint32_t i = events[e].data.u32;
            char got[64];
            long bytes = must("read", read(fds[i], got, sizeof got));
            if (bytes != 1 || got[0] != byte) die("a round trip brought %ld bytes", bytes);
            if (--left[i] == 0) {
                active--;
            } else {
                must("write", write(fds[i], &byte, 1));
            }
        }
    }
    report("round_trips", rounds * count, began, cpu);
}

int main(int argc, char **argv) {
    if (argc < 4) die("usage: serial rtt ROUNDS PATH... | cycle ROUNDS PATH | sink BYTES PATH");
    long count = parse_number("COUNT", argv[2], 1, INT64_MAX / 64);
    if (strcmp(argv[1], "rtt") == 0) {
        round_trips(count, argv + 3, argc - 3);
        return 0;
    }
    if (strcmp(argv[1], "cycle") == 0) {
        uint64_t began = now_ns(), cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
        for (long i = 0; i < count; i++) close(open_port(argv[3]));
        report("cycles", count, began, cpu);
        return 0;
    }
    int fd = open_port(argv[3]);
    int epoll = (int)must("epoll_create1", epoll_create1(EPOLL_CLOEXEC));
    struct epoll_event event = {.events = EPOLLIN};
    must("epoll_ctl", epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
    uint64_t began = now_ns(), cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    static char block[65536];
    for (long left = count; left > 0;) {
        must("epoll_wait", epoll_wait(epoll, &event, 1, -1));
        left -= must("read", read(fd, block, sizeof block));
    }
    report("bytes", count, began, cpu);
}
