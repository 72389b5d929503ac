// Readiness of sockets through the driver below Winsock, as `select` has it. The driver's interface is not documented by Microsoft, but
// has been the same since Windows 2000 and is what wepoll, libuv and mio rely on. The entry points of ntdll are looked up at run time:
// 127 where one is absent.
#ifndef CLOOPWIN32_READINESS_H
#define CLOOPWIN32_READINESS_H

#include "CLoopWin32Base.h"

enum {
    portloop_win32_poll_receive = 0x0001,
    portloop_win32_poll_receive_expedited = 0x0002,
    portloop_win32_poll_send = 0x0004,
    portloop_win32_poll_disconnect = 0x0008,
    portloop_win32_poll_abort = 0x0010,
    portloop_win32_poll_local_close = 0x0020,
    portloop_win32_poll_connect = 0x0040,
    portloop_win32_poll_accept = 0x0080,
    portloop_win32_poll_connect_fail = 0x0100,
};

// AFD_POLL_HANDLE_INFO.
typedef struct portloop_win32_poll_socket {
    intptr_t socket;
    uint32_t events;
    uint32_t status;
} portloop_win32_poll_socket;

// AFD_POLL_INFO for one socket. `timeout` is in 100 ns, INT64_MAX for none; `count` is 1. The driver writes the answer into the same
// memory: `count` 0 says that nothing happened.
typedef struct portloop_win32_poll {
    int64_t timeout;
    uint32_t count;
    uint32_t is_exclusive;
    portloop_win32_poll_socket entry;
} portloop_win32_poll;

// A handle to send polls through, overlapped, to be associated with a port. Some 500 sockets share one: cancelling takes time that grows
// with how many polls a handle has.
CLOOPWIN32_CALL uint32_t portloop_win32_poll_open(intptr_t *helper);

// The socket that the driver knows, below whatever a layered provider made of it. The corresponding codes are SIO_BASE_HANDLE,
// SIO_BSP_HANDLE_SELECT, SIO_BSP_HANDLE_POLL and SIO_BSP_HANDLE.
CLOOPWIN32_CALL uint32_t portloop_win32_poll_base_socket(intptr_t socket, intptr_t *base);

// Owes a packet with `overlapped` on the helper's port when it says 0 or 997. `poll` is the kernel's until then. The corresponding call
// is `NtDeviceIoControlFile` with IOCTL_AFD_POLL.
CLOOPWIN32_CALL uint32_t portloop_win32_poll_submit(
    intptr_t helper, portloop_win32_poll *poll, portloop_win32_overlapped *overlapped);

// The corresponding function is `NtCancelIoFileEx`. 1168 when nothing was found.
CLOOPWIN32_CALL uint32_t portloop_win32_poll_cancel(intptr_t helper, portloop_win32_overlapped *overlapped);

#endif
