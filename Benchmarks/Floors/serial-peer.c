// The devices at the other end of the serial benchmarks: so many pseudo terminals for each client, whose paths it prints in one line for
// each. They answer each byte they get with that byte, or, with `source`, send as fast as the other side reads. It ends with its input.
//
// With `turns` several clients run side by side, and take turns: those of one are answered for some milliseconds, while the others wait for
// an answer. So a slow stretch of the machine meets all of them. It reads the clients' process numbers in one line, and prints of each
// client the median of its turns, a line for each: what a round trip took, by the wall and of the client's processor time.
#include "common.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static const char usage[] = "usage: serial-peer COUNT [source | turns TURNS MILLISECONDS CLIENTS]";

// One turn is until the clock says so, and ends for want of an answer after so long.
enum { answer_seconds_max = 20 };

static char block[4096];

struct client {
    int epoll;
    clockid_t clock;
    // Of each turn.
    double *ns_each;
    double *cpu_ns_each;
};

// Returns how many times it answered.
static uint64_t echo(int fd) {
    for (uint64_t answers = 0;; answers++) {
        ssize_t count = read(fd, block, sizeof block);
        // EIO: nobody has the other end open.
        if (count <= 0) return answers;
        if (write(fd, block, (size_t)count) != count) return answers;
        // A short read has emptied it: what comes now is told of anew.
        if (count < (ssize_t)sizeof block) return answers + 1;
    }
}

static void fill(int fd) {
    while (write(fd, block, sizeof block) > 0) {
    }
}

// Opens a terminal, prints its path, and returns its side of the device.
static int open_terminal(void) {
    int fd = (int)must("open", open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
    int locked = 0;
    must("TIOCSPTLCK", ioctl(fd, TIOCSPTLCK, &locked));
    char path[64];
    must("ptsname_r", -ptsname_r(fd, path, sizeof path));
    // Held open for as long as it takes to make it raw: a new terminal echoes.
    int slave = (int)must("open", open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
    struct termios raw;
    must("tcgetattr", tcgetattr(slave, &raw));
    cfmakeraw(&raw);
    must("tcsetattr", tcsetattr(slave, TCSANOW, &raw));
    close(slave);
    printf("%s ", path);
    return fd;
}

static int open_terminals(long count, uint32_t events) {
    int epoll = (int)must("epoll_create1", epoll_create1(EPOLL_CLOEXEC));
    for (long i = 0; i < count; i++) {
        struct epoll_event event = {.events = events | EPOLLET, .data.fd = open_terminal()};
        must("epoll_ctl", epoll_ctl(epoll, EPOLL_CTL_ADD, event.data.fd, &event));
    }
    printf("\n");
    return epoll;
}

// Waits for what the client has sent, and answers it.
static uint64_t answer(const struct client *client) {
    struct epoll_event events[64];
    long found = epoll_wait(client->epoll, events, 64, answer_seconds_max * 1000);
    if (found == 0) die("A client sent nothing for %d s.", answer_seconds_max);
    uint64_t answers = 0;
    for (long i = 0; i < found; i++) answers += echo(events[i].data.fd);
    return answers;
}

static void take_turn(struct client *client, long turn, uint64_t turn_ns) {
    uint64_t begin = now_ns();
    while (now_ns() < begin + turn_ns / 4) answer(client);
    begin = now_ns();
    uint64_t now, answers = 0, cpu = clock_ns(client->clock);
    do {
        answers += answer(client);
        now = now_ns();
    } while (now < begin + turn_ns);
    if (answers == 0) die("No byte came in a turn.");
    client->ns_each[turn] = (double)(now - begin) / (double)answers;
    client->cpu_ns_each[turn] = (double)(clock_ns(client->clock) - cpu) / (double)answers;
}

static void take_turns(long ports, long turns, uint64_t turn_ns, long count) {
    struct client *clients = calloc((size_t)count, sizeof *clients);
    for (long i = 0; i < count; i++) {
        clients[i].epoll = open_terminals(ports, EPOLLIN);
        clients[i].ns_each = calloc((size_t)turns, sizeof(double));
        clients[i].cpu_ns_each = calloc((size_t)turns, sizeof(double));
    }
    fflush(stdout);
    for (long i = 0; i < count; i++) {
        int pid;
        if (scanf("%d", &pid) != 1) die("A client's process number is missing.");
        clients[i].clock = process_clock(pid);
    }
    // Until each is warm.
    for (long i = 0; i < count; i++) {
        for (uint64_t answers = 0; answers < 10 * (uint64_t)ports;) answers += answer(&clients[i]);
    }
    for (long turn = 0; turn < turns; turn++) {
        // There and back again, so that nobody always comes behind the same neighbour.
        for (long i = 0; i < count; i++) take_turn(&clients[turn % 2 == 0 ? i : count - 1 - i], turn, turn_ns);
    }
    for (long i = 0; i < count; i++) {
        double ns_each = median(clients[i].ns_each, (size_t)turns);
        printf("ns_each=%.1f cpu_ns_each=%.1f\n", ns_each, median(clients[i].cpu_ns_each, (size_t)turns));
    }
    fflush(stdout);
    // The clients go first.
    while (getchar() != EOF) {
    }
}

static void serve(int epoll, int is_source) {
    struct epoll_event ends = {.events = EPOLLIN, .data.fd = 0};
    must("epoll_ctl", epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &ends));
    for (;;) {
        struct epoll_event events[64];
        int found = epoll_wait(epoll, events, 64, -1);
        for (int i = 0; i < found; i++) {
            if (events[i].data.fd == 0) return;
            if (is_source) {
                fill(events[i].data.fd);
            } else {
                echo(events[i].data.fd);
            }
        }
    }
}

int main(int argc, char **argv) {
    if (argc < 2) die("%s", usage);
    long ports = parse_number("COUNT", argv[1], 1, 1000);
    if (argc == 6 && strcmp(argv[2], "turns") == 0) {
        long milliseconds = parse_number("MILLISECONDS", argv[4], 1, 60000);
        take_turns(ports, parse_number("TURNS", argv[3], 1, 100000), (uint64_t)milliseconds * 1000000u,
                   parse_number("CLIENTS", argv[5], 1, 100));
        return 0;
    }
    int is_source = argc == 3 && strcmp(argv[2], "source") == 0;
    if (argc > 2 && !is_source) die("%s", usage);
    int epoll = open_terminals(ports, EPOLLIN | (is_source ? EPOLLOUT : 0u));
    fflush(stdout);
    serve(epoll, is_source);
}
