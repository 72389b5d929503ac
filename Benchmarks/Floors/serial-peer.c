// The devices at the other end of the serial benchmarks: so many pseudo terminals, whose paths it prints in one line, served by one epoll.
// It answers each byte it gets with that byte, or, with `source`, sends as fast as the other side reads. It ends with its standard input.
// usage: serial-peer COUNT [source]
#include "common.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static char block[4096];

static void echo(int fd) {
    for (;;) {
        ssize_t count = read(fd, block, sizeof block);
        // EIO: nobody has the other end open.
        if (count <= 0) return;
        if (write(fd, block, (size_t)count) != count) return;
    }
}

static void fill(int fd) {
    while (write(fd, block, sizeof block) > 0) {
    }
}

int main(int argc, char **argv) {
    if (argc < 2) die("usage: serial-peer COUNT [source]");
    long count = parse_number("COUNT", argv[1], 1, 1000);
    int is_source = argc > 2 && strcmp(argv[2], "source") == 0;
    int epoll = (int)must("epoll_create1", epoll_create1(EPOLL_CLOEXEC));
    struct epoll_event ends = {.events = EPOLLIN, .data.fd = 0};
    must("epoll_ctl", epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &ends));
    for (long i = 0; i < count; i++) {
        int fd = (int)must("open", open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
        int locked = 0;
        must("TIOCSPTLCK", ioctl(fd, TIOCSPTLCK, &locked));
        char path[64];
        must("ptsname_r", -ptsname_r(fd, path, sizeof path));
        printf("%s%s", i == 0 ? "" : " ", path);
        // Held open for as long as it takes to make it raw: a new terminal echoes.
        int slave = (int)must("open", open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
        struct termios raw;
        must("tcgetattr", tcgetattr(slave, &raw));
        cfmakeraw(&raw);
        must("tcsetattr", tcsetattr(slave, TCSANOW, &raw));
        close(slave);
        struct epoll_event event = {.events = EPOLLIN | (is_source ? EPOLLOUT : 0u) | EPOLLET, .data.fd = fd};
        must("epoll_ctl", epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
    }
    printf("\n");
    fflush(stdout);
    for (;;) {
        struct epoll_event events[64];
        int found = epoll_wait(epoll, events, 64, -1);
        for (int i = 0; i < found; i++) {
            if (events[i].data.fd == 0) return 0;
            if (is_source) {
                fill(events[i].data.fd);
            } else {
                echo(events[i].data.fd);
            }
        }
    }
}
