// Completion ports, and asking for an operation to end.
#ifndef CLOOPWIN32_PORTS_H
#define CLOOPWIN32_PORTS_H

#include "CLoopWin32Base.h"

// A port that one thread waits on. The corresponding function is `CreateIoCompletionPort` with no handle.
CLOOPWIN32_CALL uint32_t portloop_win32_port_create(intptr_t *port);

// Binds a handle to a port until the handle is closed. The corresponding function is `CreateIoCompletionPort`. Its 87 means three
// things: bound to this port, bound to another one, opened without FILE_FLAG_OVERLAPPED (`portloop_win32_file_mode` tells).
CLOOPWIN32_CALL uint32_t portloop_win32_port_associate(intptr_t port, intptr_t handle, uintptr_t key);

// Unbinds a handle from whatever port has it: FileReplaceCompletionInformation with no port, Windows 8.1. An error where the system
// cannot; the binding then lasts until the handle is closed.
CLOOPWIN32_CALL uint32_t portloop_win32_port_dissociate(intptr_t handle);

// Takes up to `capacity` packets, blocking for at most `timeout_ms` while there is none. The corresponding function is
// `GetQueuedCompletionStatusEx`. 258 when the time is up, 192 when an APC ran (`alertable` not 0); `*count` is written always.
CLOOPWIN32_CALL uint32_t portloop_win32_port_wait(
    intptr_t port, portloop_win32_entry *entries, uint32_t capacity, uint32_t timeout_ms, int32_t alertable, uint32_t *count);

// Queues a packet, from any thread. The corresponding function is `PostQueuedCompletionStatus`, which looks at nothing it is given.
CLOOPWIN32_CALL uint32_t portloop_win32_port_post(
    intptr_t port, uint32_t bytes, uintptr_t key, portloop_win32_overlapped *overlapped);

// The corresponding function is `CloseHandle`; not for sockets.
CLOOPWIN32_CALL uint32_t portloop_win32_close_handle(intptr_t handle);

// Asks for one operation to end, or for all of this process on the handle where `overlapped` is NULL. The corresponding function is
// `CancelIoEx`. 1168 when nothing was found to cancel. The packet comes in any case.
CLOOPWIN32_CALL uint32_t portloop_win32_cancel(intptr_t handle, portloop_win32_overlapped *overlapped);

// What a finished operation says of itself, without waiting: the code and the count. 996 while it is pending. The corresponding function
// is `GetOverlappedResult`. Sockets have their own, `portloop_win32_socket_result`.
CLOOPWIN32_CALL uint32_t portloop_win32_overlapped_result(intptr_t handle, portloop_win32_overlapped *overlapped, uint32_t *bytes);

// The Win32 code of an NTSTATUS: the value itself, not a result. 317 (ERROR_MR_MID_NOT_FOUND) for a status that nobody knows. The
// corresponding function is `RtlNtStatusToDosError`.
CLOOPWIN32_CALL uint32_t portloop_win32_error_of_status(uint32_t status);

#endif
