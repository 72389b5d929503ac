// The calls of Linux that a serial port needs and that Swift's Glibc module does not have: termios2 and its relatives are kernel structures
// that no header of the C library shows.
//
// Every function returns the call's result, or the error number negated. A call that a signal interrupted is made again.
#ifndef CSERIALOPS_H
#define CSERIALOPS_H
#if defined(__linux__)

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define PORTLOOP_SERIAL_CALL(call)                                                                                                        \
    do {                                                                                                                                  \
        for (;;) {                                                                                                                        \
            int32_t portloop_result = (call);                                                                                             \
            if (portloop_result >= 0) return portloop_result;                                                                             \
            if (errno != EINTR) return -errno;                                                                                            \
        }                                                                                                                                 \
    } while (0)

// MARK: structures of the kernel

// struct termios2 of <asm/termbits.h>, which cannot be included beside <termios.h>.
struct portloop_termios {
    uint32_t input_flags;
    uint32_t output_flags;
    uint32_t control_flags;
    uint32_t local_flags;
    uint8_t line;
    uint8_t control_characters[19];
    uint32_t input_speed;
    uint32_t output_speed;
};
_Static_assert(sizeof(struct portloop_termios) == 44, "termios2");
_Static_assert(offsetof(struct portloop_termios, input_speed) == 36, "termios2");

// struct serial_struct of <linux/serial.h>.
struct portloop_serial_info {
    int32_t type;
    int32_t line;
    uint32_t port;
    int32_t irq;
    int32_t flags;
    int32_t transmit_fifo;
    int32_t custom_divisor;
    int32_t baud_base;
    uint16_t close_delay;
    int8_t io_type;
    int8_t reserved_char;
    int32_t hub6;
    uint16_t closing_wait;
    uint16_t closing_wait2;
    uint64_t memory_base;
    uint16_t memory_shift;
    uint32_t port_high;
    uint64_t map_base;
};
_Static_assert(sizeof(struct portloop_serial_info) == 72, "serial_struct");

// struct serial_icounter_struct.
struct portloop_serial_counters {
    int32_t cts, dsr, rng, dcd;
    int32_t received, sent;
    int32_t framing, overrun, parity, breaks;
    int32_t buffer_overrun;
    int32_t reserved[9];
};
_Static_assert(sizeof(struct portloop_serial_counters) == 80, "serial_icounter_struct");

// struct serial_rs485.
struct portloop_serial_rs485 {
    uint32_t flags;
    uint32_t delay_before_send;
    uint32_t delay_after_send;
    uint32_t padding[5];
};
_Static_assert(sizeof(struct portloop_serial_rs485) == 32, "serial_rs485");

// MARK: opening

static inline int32_t portloop_serial_open(const char *path) {
    PORTLOOP_SERIAL_CALL(open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
}

static inline int32_t portloop_serial_close(int32_t fd) { return close(fd) < 0 ? -errno : 0; }

// How many bytes a device that does not block has taken.
static inline int64_t portloop_serial_write(int32_t fd, const void *bytes, size_t count) {
    for (;;) {
        ssize_t written = write(fd, bytes, count);
        if (written >= 0) return written;
        if (errno != EINTR) return -errno;
    }
}

// 1 for a character device, 0 for anything else.
static inline int32_t portloop_serial_is_character_device(const char *path) {
    struct stat status;
    if (stat(path, &status) < 0) return -errno;
    return S_ISCHR(status.st_mode) ? 1 : 0;
}

// The major number of an open device: which driver it is.
static inline int32_t portloop_serial_major(int32_t fd) {
    struct stat status;
    if (fstat(fd, &status) < 0) return -errno;
    return (int32_t)major(status.st_rdev);
}

// The group that a device's node belongs to, and whether that group may read and write it.
static inline int32_t portloop_serial_group(const char *path, uint32_t *group) {
    struct stat status;
    if (stat(path, &status) < 0) return -errno;
    *group = status.st_gid;
    return (status.st_mode & (S_IRGRP | S_IWGRP)) == (S_IRGRP | S_IWGRP) ? 1 : 0;
}

static inline int32_t portloop_serial_lock(int32_t fd) { PORTLOOP_SERIAL_CALL(flock(fd, LOCK_EX | LOCK_NB)); }

static inline int32_t portloop_serial_unlock(int32_t fd) { PORTLOOP_SERIAL_CALL(flock(fd, LOCK_UN)); }

static inline int32_t portloop_serial_set_exclusive(int32_t fd, int32_t is_exclusive) {
    PORTLOOP_SERIAL_CALL(ioctl(fd, is_exclusive ? 0x540C : 0x540D));
}

// MARK: settings

static inline int32_t portloop_termios_get(int32_t fd, struct portloop_termios *termios) {
    PORTLOOP_SERIAL_CALL(ioctl(fd, 0x802C542A, termios));
}

static inline int32_t portloop_termios_set(int32_t fd, const struct portloop_termios *termios) {
    PORTLOOP_SERIAL_CALL(ioctl(fd, 0x402C542B, termios));
}

static inline int32_t portloop_serial_info_get(int32_t fd, struct portloop_serial_info *info) {
    PORTLOOP_SERIAL_CALL(ioctl(fd, 0x541E, info));
}

static inline int32_t portloop_serial_info_set(int32_t fd, const struct portloop_serial_info *info) {
    PORTLOOP_SERIAL_CALL(ioctl(fd, 0x541F, info));
}

static inline int32_t portloop_serial_rs485_get(int32_t fd, struct portloop_serial_rs485 *rs485) {
    PORTLOOP_SERIAL_CALL(ioctl(fd, 0x542E, rs485));
}

static inline int32_t portloop_serial_rs485_set(int32_t fd, struct portloop_serial_rs485 *rs485) {
    PORTLOOP_SERIAL_CALL(ioctl(fd, 0x542F, rs485));
}

// MARK: lines, queues, counters

static inline int32_t portloop_serial_lines_get(int32_t fd, int32_t *lines) { PORTLOOP_SERIAL_CALL(ioctl(fd, 0x5415, lines)); }

// All of `raised` and none of `dropped`: one call where only one of them names lines.
static inline int32_t portloop_serial_lines_raise(int32_t fd, int32_t lines) { PORTLOOP_SERIAL_CALL(ioctl(fd, 0x5416, &lines)); }

static inline int32_t portloop_serial_lines_drop(int32_t fd, int32_t lines) { PORTLOOP_SERIAL_CALL(ioctl(fd, 0x5417, &lines)); }

static inline int32_t portloop_serial_lines_set(int32_t fd, int32_t lines) { PORTLOOP_SERIAL_CALL(ioctl(fd, 0x5418, &lines)); }

static inline int32_t portloop_serial_break(int32_t fd, int32_t is_on) { PORTLOOP_SERIAL_CALL(ioctl(fd, is_on ? 0x5427 : 0x5428)); }

static inline int32_t portloop_serial_queued_output(int32_t fd, int32_t *bytes) { PORTLOOP_SERIAL_CALL(ioctl(fd, 0x5411, bytes)); }

static inline int32_t portloop_serial_queued_input(int32_t fd, int32_t *bytes) { PORTLOOP_SERIAL_CALL(ioctl(fd, 0x541B, bytes)); }

// What the line status register says: 1 when the transmitter has sent everything.
static inline int32_t portloop_serial_line_status(int32_t fd, int32_t *status) { PORTLOOP_SERIAL_CALL(ioctl(fd, 0x5459, status)); }

static inline int32_t portloop_serial_counters_get(int32_t fd, struct portloop_serial_counters *counters) {
    PORTLOOP_SERIAL_CALL(ioctl(fd, 0x545D, counters));
}

// 0 input, 1 output, 2 both.
static inline int32_t portloop_serial_flush(int32_t fd, int32_t queue) { PORTLOOP_SERIAL_CALL(ioctl(fd, 0x540B, queue)); }

// MARK: news of devices

// A socket that hears what the kernel says of devices: group 1, where udev's own messages are group 2.
static inline int32_t portloop_uevents_open(void) {
    int32_t fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
    if (fd < 0) return -errno;
    struct sockaddr_nl name = {.nl_family = AF_NETLINK, .nl_groups = 1};
    if (bind(fd, (const struct sockaddr *)&name, sizeof name) < 0) {
        int32_t code = -errno;
        close(fd);
        return code;
    }
    return fd;
}

// The next message of the kernel's; what another process sends is dropped.
static inline int32_t portloop_uevents_receive(int32_t fd, void *buffer, uint32_t size) {
    for (;;) {
        struct sockaddr_nl sender;
        socklen_t length = sizeof sender;
        ssize_t count = recvfrom(fd, buffer, size, 0, (struct sockaddr *)&sender, &length);
        if (count < 0 && errno != EINTR) return -errno;
        if (count >= 0 && length == sizeof sender && sender.nl_pid == 0) return (int32_t)count;
    }
}

// MARK: pseudo terminals

// The master of a new pair, unlocked, non-blocking and not inherited.
static inline int32_t portloop_pty_open(void) {
    int32_t fd = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return -errno;
    int locked = 0;
    if (ioctl(fd, 0x40045431, &locked) < 0) {
        int32_t code = -errno;
        close(fd);
        return code;
    }
    return fd;
}

// The number of the master's other end: /dev/pts/N.
static inline int32_t portloop_pty_number(int32_t fd, uint32_t *number) { PORTLOOP_SERIAL_CALL(ioctl(fd, 0x80045430, number)); }

#endif
#endif
