// What every theme of the shim needs: the calling convention, the control block, the usual codes.
#ifndef CLOOPWIN32_BASE_H
#define CLOOPWIN32_BASE_H

#include <stddef.h>
#include <stdint.h>

// The calling convention of the shim. Empty on Windows; System V's where a host of our own calls it from code built for Linux.
#ifndef CLOOPWIN32_CALL
#define CLOOPWIN32_CALL
#endif

// The corresponding type is `OVERLAPPED`; its first two words are an `IO_STATUS_BLOCK`.
typedef struct portloop_win32_overlapped {
    uintptr_t internal;       // the NTSTATUS; STATUS_PENDING (0x103) until the work is done
    uintptr_t internal_high;  // the byte count
    uint32_t offset;
    uint32_t offset_high;
    intptr_t event;
} portloop_win32_overlapped;

// The corresponding type is `OVERLAPPED_ENTRY`. `internal` is reserved: the status stands in the control block.
typedef struct portloop_win32_entry {
    uintptr_t key;
    portloop_win32_overlapped *overlapped;
    uintptr_t internal;
    uint32_t bytes;
} portloop_win32_entry;

// The codes that the shim itself gives, and those that its comments name. winerror.h has the rest.
enum {
    portloop_win32_success = 0,
    portloop_win32_invalid_handle = 6,
    portloop_win32_handle_eof = 38,
    portloop_win32_not_supported = 50,
    portloop_win32_invalid_parameter = 87,
    portloop_win32_broken_pipe = 109,
    portloop_win32_insufficient_buffer = 122,
    portloop_win32_proc_not_found = 127,
    portloop_win32_wait_io_completion = 192,
    portloop_win32_more_data = 234,
    portloop_win32_wait_timeout = 258,
    portloop_win32_pipe_connected = 535,
    portloop_win32_operation_aborted = 995,
    portloop_win32_io_incomplete = 996,
    portloop_win32_io_pending = 997,
    portloop_win32_not_found = 1168,
};

// INVALID_HANDLE_VALUE and INVALID_SOCKET.
enum { portloop_win32_invalid = -1 };

// INFINITE, for every bound in milliseconds.
#define PORTLOOP_WIN32_INFINITE UINT32_C(0xFFFFFFFF)

#endif
