// The devices at the other end of the serial ports that the suites open: a program of Linux, beside Wine.
//
// usage: peer FOLDER. FOLDER/com5 to com8 become links to pseudo terminals, and FOLDER/com9 to one for orders: a line each, answered by a
// line. A port is made anew by each `open`, so every case has a device of its own. Ends with its standard input.
//
//    open N               a new device at com<N>; what was there is hung up
//    hang N               hangs it up
//    send N HEX           sends these bytes
//    stream N COUNT MAX   sends COUNT bytes of the pattern in pieces of 1 to MAX bytes, with pauses, meanwhile
//    sink N               takes everything from here on, and compares it with the pattern
//    echo N               sends back everything from here on
//    got N                how many bytes were taken by `sink`, and how many of them were wrong
//    take N COUNT MS      takes up to COUNT bytes within MS milliseconds: as hexadecimal digits
//    speed N              the speed that the other side has set, and whether it has set XON/XOFF and RTS/CTS
#define _GNU_SOURCE
#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { first_port = 5, port_count = 4, orders = port_count, terminal_count, line_max = 16384 };

typedef struct {
    // The peer keeps the port's own end open too: it has a hang-up only when it is to have one, and keeps what is sent early.
    int master, slave;
    enum { held, sinking, echoing } mode;
    long to_send, sent, piece_max;
    int64_t next_ms;
    long got, wrong;
} terminal;

static const char *folder;
static terminal terminals[terminal_count];
static uint32_t random_state = 1;

static uint32_t any_number(void) {
    random_state = random_state * 1664525 + 1013904223;
    return random_state >> 8;
}

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// Of a length that no buffer has, so that a piece that is lost or doubled is seen.
static unsigned char pattern(long place) { return (unsigned char)(place % 251 ^ place / 251 % 7); }

static void hang_up(terminal *port) {
    if (port->master >= 0) {
        close(port->slave);
        close(port->master);
    }
    *port = (terminal){.master = -1, .slave = -1};
}

static int make(int index) {
    terminal *port = &terminals[index];
    hang_up(port);
    int unlocked = 0, number = 0;
    int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (master < 0 || ioctl(master, TIOCSPTLCK, &unlocked) < 0 || ioctl(master, TIOCGPTN, &number) < 0) return -1;
    char path[64], name[512], link_name[520];
    snprintf(path, sizeof path, "/dev/pts/%d", number);
    int slave = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
    struct termios2 raw;
    if (slave < 0 || ioctl(slave, TCGETS2, &raw) < 0) return -1;
    raw.c_iflag = raw.c_oflag = raw.c_lflag = 0;
    if (ioctl(slave, TCSETS2, &raw) < 0) return -1;
    snprintf(name, sizeof name, "%s/com%d", folder, first_port + index);
    snprintf(link_name, sizeof link_name, "%s.new", name);
    unlink(link_name);
    if (symlink(path, link_name) < 0 || rename(link_name, name) < 0) return -1;
    *port = (terminal){.master = master, .slave = slave};
    return 0;
}

// MARK: orders

static void answer(const char *text) {
    size_t length = strlen(text), done = 0;
    while (done < length) {
        ssize_t count = write(terminals[orders].master, text + done, length - done);
        if (count > 0) done += (size_t)count;
        else usleep(1000);
    }
}

static void send_bytes(terminal *port, const char *digits) {
    unsigned byte;
    for (; sscanf(digits, "%2x", &byte) == 1; digits += 2) {
        unsigned char value = (unsigned char)byte;
        while (write(port->master, &value, 1) < 0 && errno == EAGAIN) usleep(1000);
    }
}

static void take(terminal *port, long count, long milliseconds) {
    static char digits[line_max];
    int64_t until = now_ms() + milliseconds;
    size_t used = 0;
    long left = count;
    while (left > 0 && used + 3 < sizeof digits) {
        struct pollfd wait = {.fd = port->master, .events = POLLIN};
        int64_t rest = until - now_ms();
        if (rest <= 0 || poll(&wait, 1, (int)rest) <= 0) break;
        unsigned char byte;
        if (read(port->master, &byte, 1) != 1) break;
        used += (size_t)sprintf(digits + used, "%02x", byte);
        left--;
    }
    strcpy(digits + used, "\n");
    answer(digits);
}

static void tell_speed(terminal *port) {
    struct termios2 found = {0};
    char text[128];
    ioctl(port->slave, TCGETS2, &found);
    int is_xon_xoff = (found.c_iflag & (IXON | IXOFF)) == (IXON | IXOFF);
    snprintf(text, sizeof text, "%u %d %d\n", found.c_ospeed, is_xon_xoff, (found.c_cflag & CRTSCTS) != 0);
    answer(text);
}

static void obey(char *line) {
    char verb[16] = "";
    int number = 0, used = 0;
    sscanf(line, "%15s %d %n", verb, &number, &used);
    int index = number - first_port;
    if (index < 0 || index >= port_count) return answer("what?\n");
    terminal *port = &terminals[index];
    const char *rest = line + used;
    if (strcmp(verb, "open") == 0) return answer(make(index) == 0 ? "ok\n" : "failed\n");
    if (port->master < 0) return answer("closed\n");
    if (strcmp(verb, "take") == 0) {
        char *next;
        long count = strtol(rest, &next, 10);
        return take(port, count, strtol(next, NULL, 10));
    }
    if (strcmp(verb, "speed") == 0) return tell_speed(port);
    if (strcmp(verb, "got") == 0) {
        char text[64];
        snprintf(text, sizeof text, "%ld %ld\n", port->got, port->wrong);
        return answer(text);
    }
    if (strcmp(verb, "hang") == 0) hang_up(port);
    else if (strcmp(verb, "send") == 0) send_bytes(port, rest);
    else if (strcmp(verb, "sink") == 0) port->mode = sinking;
    else if (strcmp(verb, "echo") == 0) port->mode = echoing;
    else if (strcmp(verb, "stream") == 0) {
        char *next;
        port->to_send = strtol(rest, &next, 10);
        port->piece_max = strtol(next, NULL, 10);
        port->sent = 0;
    } else return answer("what?\n");
    answer("ok\n");
}

static void hear_orders(void) {
    static char line[line_max];
    static size_t used;
    char byte;
    while (read(terminals[orders].master, &byte, 1) == 1) {
        if (byte != '\n' && used + 1 < sizeof line) {
            line[used++] = byte;
            continue;
        }
        line[used] = 0;
        used = 0;
        obey(line);
    }
}

// MARK: bytes

static void receive(terminal *port) {
    unsigned char bytes[4096];
    ssize_t count = read(port->master, bytes, sizeof bytes);
    for (ssize_t i = 0; i < count; i++) {
        if (port->mode == sinking) port->wrong += bytes[i] != pattern(port->got++);
        else
            while (write(port->master, &bytes[i], 1) < 0 && errno == EAGAIN) usleep(1000);
    }
}

static void stream(terminal *port) {
    unsigned char bytes[4096];
    long piece = 1 + (long)(any_number() % (uint32_t)port->piece_max);
    if (piece > port->to_send - port->sent) piece = port->to_send - port->sent;
    if (piece > (long)sizeof bytes) piece = sizeof bytes;
    for (long i = 0; i < piece; i++) bytes[i] = pattern(port->sent + i);
    ssize_t count = write(port->master, bytes, (size_t)piece);
    if (count > 0) port->sent += count;
    // Some pieces come at once, some after a while, and a full terminal is given time.
    port->next_ms = now_ms() + (count <= 0 ? 1 : any_number() % 16 == 0 ? 1 + any_number() % 3 : 0);
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: peer FOLDER\n");
        return 2;
    }
    folder = argv[1];
    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < terminal_count; i++) terminals[i] = (terminal){.master = -1, .slave = -1};
    for (int i = 0; i < terminal_count; i++) {
        if (make(i) == 0) continue;
        perror("peer: a pseudo terminal");
        return 1;
    }
    puts("ready");
    fflush(stdout);
    for (;;) {
        struct pollfd waits[terminal_count + 1] = {{.fd = STDIN_FILENO, .events = POLLIN}};
        int64_t now = now_ms();
        int patience = -1;
        for (int i = 0; i < terminal_count; i++) {
            terminal *port = &terminals[i];
            short events = i == orders || port->mode != held ? POLLIN : 0;
            int is_streaming = port->sent < port->to_send;
            if (is_streaming && port->next_ms <= now) events |= POLLOUT;
            else if (is_streaming && (patience < 0 || port->next_ms - now < patience)) patience = (int)(port->next_ms - now);
            waits[i + 1] = (struct pollfd){.fd = events ? port->master : -1, .events = events};
        }
        if (poll(waits, terminal_count + 1, patience) < 0) return 1;
        if (waits[0].revents) return 0;
        for (int i = 0; i < port_count; i++) {
            if (waits[i + 1].revents & POLLIN) receive(&terminals[i]);
            if (waits[i + 1].revents & POLLOUT) stream(&terminals[i]);
        }
        if (waits[orders + 1].revents & POLLIN) hear_orders();
    }
}
