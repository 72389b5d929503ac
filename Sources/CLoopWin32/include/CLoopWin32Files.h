// Files, named pipes and directories. The calls with a control block are overlapped: 997 (pending) and 0 owe a packet.
#ifndef CLOOPWIN32_FILES_H
#define CLOOPWIN32_FILES_H

#include "CLoopWin32Base.h"

// The corresponding function is `CreateFileW`. `security` is a SECURITY_ATTRIBUTES or NULL, `model` a template file or 0.
CLOOPWIN32_CALL uint32_t portloop_win32_file_open(
    const uint16_t *path, uint32_t access, uint32_t share, void *security, uint32_t disposition, uint32_t flags, intptr_t model,
    intptr_t *handle);

// The corresponding functions are `ReadFile` and `WriteFile`. `overlapped` is NULL on a handle opened without FILE_FLAG_OVERLAPPED, and
// `moved` on one opened with it: there the count is the packet's.
CLOOPWIN32_CALL uint32_t portloop_win32_file_read(
    intptr_t handle, void *buffer, uint32_t count, portloop_win32_overlapped *overlapped, uint32_t *moved);
CLOOPWIN32_CALL uint32_t portloop_win32_file_write(
    intptr_t handle, const void *buffer, uint32_t count, portloop_win32_overlapped *overlapped, uint32_t *moved);

// Blocks. The corresponding function is `FlushFileBuffers`.
CLOOPWIN32_CALL uint32_t portloop_win32_file_flush(intptr_t handle);

// The corresponding functions are `GetFileSizeEx` and `SetFileInformationByHandle` with FileEndOfFileInfo.
CLOOPWIN32_CALL uint32_t portloop_win32_file_size(intptr_t handle, uint64_t *bytes);
CLOOPWIN32_CALL uint32_t portloop_win32_file_set_end(intptr_t handle, uint64_t bytes);

CLOOPWIN32_CALL uint32_t portloop_win32_file_delete(const uint16_t *path);
CLOOPWIN32_CALL uint32_t portloop_win32_file_move(const uint16_t *from, const uint16_t *to);

// A folder for temporary files with its trailing backslash. `*length` counts code units without the NUL. 122 when it does not fit.
CLOOPWIN32_CALL uint32_t portloop_win32_temporary_folder(uint16_t *path, uint32_t capacity, uint32_t *length);

// MARK: named pipes

// The corresponding function is `CreateNamedPipeW`.
CLOOPWIN32_CALL uint32_t portloop_win32_pipe_create(
    const uint16_t *name, uint32_t open_mode, uint32_t pipe_mode, uint32_t instances, uint32_t out_bytes, uint32_t in_bytes,
    uint32_t timeout_ms, intptr_t *handle);

// Waits for a client: 535 (somebody is there already) owes no packet. The corresponding function is `ConnectNamedPipe`.
CLOOPWIN32_CALL uint32_t portloop_win32_pipe_connect(intptr_t handle, portloop_win32_overlapped *overlapped);

// What the client has not read is lost. The corresponding function is `DisconnectNamedPipe`.
CLOOPWIN32_CALL uint32_t portloop_win32_pipe_disconnect(intptr_t handle);

// PIPE_READMODE_MESSAGE is 2. The corresponding function is `SetNamedPipeHandleState`.
CLOOPWIN32_CALL uint32_t portloop_win32_pipe_set_state(intptr_t handle, uint32_t mode);

// Blocks until an instance is free. The corresponding function is `WaitNamedPipeW`.
CLOOPWIN32_CALL uint32_t portloop_win32_pipe_wait(const uint16_t *name, uint32_t timeout_ms);

// How many bytes are there to read, and how many of them belong to the first message. The corresponding function is `PeekNamedPipe`.
CLOOPWIN32_CALL uint32_t portloop_win32_pipe_peek(intptr_t handle, uint32_t *bytes, uint32_t *message_bytes);

// A pair of synchronous handles. The corresponding function is `CreatePipe`.
CLOOPWIN32_CALL uint32_t portloop_win32_pipe_anonymous(intptr_t *read_end, intptr_t *write_end);

// MARK: directories

// The corresponding type is `FILE_NOTIFY_INFORMATION`. `next` is the distance to the next record, 0 at the last; the name has no NUL.
typedef struct portloop_win32_change {
    uint32_t next;
    uint32_t action;
    uint32_t name_bytes;
    uint16_t name[2];
} portloop_win32_change;

// Where the name begins; Swift cannot ask.
enum { portloop_win32_change_name_offset = 12 };

// Zero bytes, or STATUS_NOTIFY_ENUM_DIR (0x10C), mean that changes were lost. The corresponding function is `ReadDirectoryChangesW`.
CLOOPWIN32_CALL uint32_t portloop_win32_directory_changes(
    intptr_t directory, void *buffer, uint32_t count, int32_t is_subtree, uint32_t filter, portloop_win32_overlapped *overlapped);

CLOOPWIN32_CALL uint32_t portloop_win32_directory_create(const uint16_t *path);
CLOOPWIN32_CALL uint32_t portloop_win32_directory_remove(const uint16_t *path);

#endif
