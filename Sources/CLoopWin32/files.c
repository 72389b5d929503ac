#if defined(_WIN32)

#include "windows-headers.h"

_Static_assert(sizeof(WCHAR) == sizeof(uint16_t), "a code unit");

static const WCHAR *text(const uint16_t *string) { return (const WCHAR *)string; }

// What an overlapped read or write says. The count of an overlapped one is its packet's: the system may write it late.
static uint32_t moved_code(BOOL ok, DWORD count, uint32_t *moved) {
    if (!ok) return GetLastError();
    if (moved) *moved = count;
    return 0;
}

CLOOPWIN32_CALL uint32_t portloop_win32_file_open(
    const uint16_t *path, uint32_t access, uint32_t share, void *security, uint32_t disposition, uint32_t flags, intptr_t model,
    intptr_t *handle) {
    HANDLE made = CreateFileW(text(path), access, share, security, disposition, flags, (HANDLE)model);
    if (made == INVALID_HANDLE_VALUE) return GetLastError();
    *handle = (intptr_t)made;
    return 0;
}

CLOOPWIN32_CALL uint32_t portloop_win32_file_read(
    intptr_t handle, void *buffer, uint32_t count, portloop_win32_overlapped *overlapped, uint32_t *moved) {
    DWORD done = 0;
    BOOL ok = ReadFile((HANDLE)handle, buffer, count, overlapped ? NULL : &done, portloop_native(overlapped));
    return moved_code(ok, done, moved);
}

CLOOPWIN32_CALL uint32_t portloop_win32_file_write(
    intptr_t handle, const void *buffer, uint32_t count, portloop_win32_overlapped *overlapped, uint32_t *moved) {
    DWORD done = 0;
    BOOL ok = WriteFile((HANDLE)handle, buffer, count, overlapped ? NULL : &done, portloop_native(overlapped));
    return moved_code(ok, done, moved);
}

CLOOPWIN32_CALL uint32_t portloop_win32_file_flush(intptr_t handle) { return PORTLOOP_CODE(FlushFileBuffers((HANDLE)handle)); }

CLOOPWIN32_CALL uint32_t portloop_win32_file_size(intptr_t handle, uint64_t *bytes) {
    LARGE_INTEGER size;
    if (!GetFileSizeEx((HANDLE)handle, &size)) return GetLastError();
    *bytes = (uint64_t)size.QuadPart;
    return 0;
}

CLOOPWIN32_CALL uint32_t portloop_win32_file_set_end(intptr_t handle, uint64_t bytes) {
    FILE_END_OF_FILE_INFO end = {.EndOfFile = {.QuadPart = (LONGLONG)bytes}};
    return PORTLOOP_CODE(SetFileInformationByHandle((HANDLE)handle, FileEndOfFileInfo, &end, sizeof end));
}

CLOOPWIN32_CALL uint32_t portloop_win32_file_delete(const uint16_t *path) { return PORTLOOP_CODE(DeleteFileW(text(path))); }

CLOOPWIN32_CALL uint32_t portloop_win32_file_move(const uint16_t *from, const uint16_t *to) {
    return PORTLOOP_CODE(MoveFileExW(text(from), text(to), MOVEFILE_REPLACE_EXISTING));
}

CLOOPWIN32_CALL uint32_t portloop_win32_temporary_folder(uint16_t *path, uint32_t capacity, uint32_t *length) {
    DWORD units = GetTempPathW(capacity, (WCHAR *)path);
    if (units == 0) return GetLastError();
    if (units >= capacity) return ERROR_INSUFFICIENT_BUFFER;
    *length = units;
    return 0;
}

// MARK: named pipes

CLOOPWIN32_CALL uint32_t portloop_win32_pipe_create(
    const uint16_t *name, uint32_t open_mode, uint32_t pipe_mode, uint32_t instances, uint32_t out_bytes, uint32_t in_bytes,
    uint32_t timeout_ms, intptr_t *handle) {
    HANDLE made = CreateNamedPipeW(text(name), open_mode, pipe_mode, instances, out_bytes, in_bytes, timeout_ms, NULL);
    if (made == INVALID_HANDLE_VALUE) return GetLastError();
    *handle = (intptr_t)made;
    return 0;
}

CLOOPWIN32_CALL uint32_t portloop_win32_pipe_connect(intptr_t handle, portloop_win32_overlapped *overlapped) {
    return PORTLOOP_CODE(ConnectNamedPipe((HANDLE)handle, portloop_native(overlapped)));
}

CLOOPWIN32_CALL uint32_t portloop_win32_pipe_disconnect(intptr_t handle) { return PORTLOOP_CODE(DisconnectNamedPipe((HANDLE)handle)); }

CLOOPWIN32_CALL uint32_t portloop_win32_pipe_set_state(intptr_t handle, uint32_t mode) {
    DWORD wanted = mode;
    return PORTLOOP_CODE(SetNamedPipeHandleState((HANDLE)handle, &wanted, NULL, NULL));
}

CLOOPWIN32_CALL uint32_t portloop_win32_pipe_wait(const uint16_t *name, uint32_t timeout_ms) {
    return PORTLOOP_CODE(WaitNamedPipeW(text(name), timeout_ms));
}

CLOOPWIN32_CALL uint32_t portloop_win32_pipe_peek(intptr_t handle, uint32_t *bytes, uint32_t *message_bytes) {
    DWORD all = 0, message = 0;
    if (!PeekNamedPipe((HANDLE)handle, NULL, 0, NULL, &all, &message)) return GetLastError();
    *bytes = all;
    *message_bytes = message;
    return 0;
}

CLOOPWIN32_CALL uint32_t portloop_win32_pipe_anonymous(intptr_t *read_end, intptr_t *write_end) {
    HANDLE ends[2];
    if (!CreatePipe(&ends[0], &ends[1], NULL, 0)) return GetLastError();
    *read_end = (intptr_t)ends[0];
    *write_end = (intptr_t)ends[1];
    return 0;
}

// MARK: directories

_Static_assert(offsetof(portloop_win32_change, next) == offsetof(FILE_NOTIFY_INFORMATION, NextEntryOffset), "FILE_NOTIFY_INFORMATION");
_Static_assert(offsetof(portloop_win32_change, action) == offsetof(FILE_NOTIFY_INFORMATION, Action), "FILE_NOTIFY_INFORMATION");
_Static_assert(offsetof(portloop_win32_change, name_bytes) == offsetof(FILE_NOTIFY_INFORMATION, FileNameLength), "FILE_NOTIFY_INFORMATION");
_Static_assert(offsetof(portloop_win32_change, name) == offsetof(FILE_NOTIFY_INFORMATION, FileName), "FILE_NOTIFY_INFORMATION");
_Static_assert(portloop_win32_change_name_offset == offsetof(FILE_NOTIFY_INFORMATION, FileName), "FILE_NOTIFY_INFORMATION");
_Static_assert(sizeof(portloop_win32_change) == sizeof(FILE_NOTIFY_INFORMATION), "FILE_NOTIFY_INFORMATION");

CLOOPWIN32_CALL uint32_t portloop_win32_directory_changes(
    intptr_t directory, void *buffer, uint32_t count, int32_t is_subtree, uint32_t filter, portloop_win32_overlapped *overlapped) {
    return PORTLOOP_CODE(ReadDirectoryChangesW(
        (HANDLE)directory, buffer, count, is_subtree != 0, filter, NULL, portloop_native(overlapped), NULL));
}

CLOOPWIN32_CALL uint32_t portloop_win32_directory_create(const uint16_t *path) { return PORTLOOP_CODE(CreateDirectoryW(text(path), NULL)); }

CLOOPWIN32_CALL uint32_t portloop_win32_directory_remove(const uint16_t *path) { return PORTLOOP_CODE(RemoveDirectoryW(text(path))); }

#endif
