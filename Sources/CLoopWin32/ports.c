#if defined(_WIN32)

#include "windows-headers.h"

#define SAME_PLACE(field, native) \
    _Static_assert(offsetof(portloop_win32_overlapped, field) == offsetof(OVERLAPPED, native), "OVERLAPPED: " #field)
SAME_PLACE(internal, Internal);
SAME_PLACE(internal_high, InternalHigh);
SAME_PLACE(offset, Offset);
SAME_PLACE(offset_high, OffsetHigh);
SAME_PLACE(event, hEvent);
#undef SAME_PLACE
_Static_assert(sizeof(portloop_win32_overlapped) == sizeof(OVERLAPPED), "OVERLAPPED");
_Static_assert(sizeof(OVERLAPPED) == (sizeof(void *) == 8 ? 32 : 20), "OVERLAPPED: the size that Swift reserves");

_Static_assert(offsetof(portloop_win32_overlapped, internal) == offsetof(IO_STATUS_BLOCK, Status), "IO_STATUS_BLOCK: status");
_Static_assert(offsetof(portloop_win32_overlapped, internal_high) == offsetof(IO_STATUS_BLOCK, Information), "IO_STATUS_BLOCK: count");

#define SAME_PLACE(field, native) \
    _Static_assert(offsetof(portloop_win32_entry, field) == offsetof(OVERLAPPED_ENTRY, native), "OVERLAPPED_ENTRY: " #field)
SAME_PLACE(key, lpCompletionKey);
SAME_PLACE(overlapped, lpOverlapped);
SAME_PLACE(internal, Internal);
SAME_PLACE(bytes, dwNumberOfBytesTransferred);
#undef SAME_PLACE
_Static_assert(sizeof(portloop_win32_entry) == sizeof(OVERLAPPED_ENTRY), "OVERLAPPED_ENTRY");
_Static_assert(sizeof(OVERLAPPED_ENTRY) == (sizeof(void *) == 8 ? 32 : 16), "OVERLAPPED_ENTRY: the stride of an array");

_Static_assert(portloop_win32_invalid_handle == ERROR_INVALID_HANDLE, "codes");
_Static_assert(portloop_win32_handle_eof == ERROR_HANDLE_EOF, "codes");
_Static_assert(portloop_win32_not_supported == ERROR_NOT_SUPPORTED, "codes");
_Static_assert(portloop_win32_invalid_parameter == ERROR_INVALID_PARAMETER, "codes");
_Static_assert(portloop_win32_broken_pipe == ERROR_BROKEN_PIPE, "codes");
_Static_assert(portloop_win32_insufficient_buffer == ERROR_INSUFFICIENT_BUFFER, "codes");
_Static_assert(portloop_win32_proc_not_found == ERROR_PROC_NOT_FOUND, "codes");
_Static_assert(portloop_win32_wait_io_completion == WAIT_IO_COMPLETION, "codes");
_Static_assert(portloop_win32_more_data == ERROR_MORE_DATA, "codes");
_Static_assert(portloop_win32_wait_timeout == WAIT_TIMEOUT, "codes");
_Static_assert(portloop_win32_pipe_connected == ERROR_PIPE_CONNECTED, "codes");
_Static_assert(portloop_win32_operation_aborted == ERROR_OPERATION_ABORTED, "codes");
_Static_assert(portloop_win32_io_incomplete == ERROR_IO_INCOMPLETE, "codes");
_Static_assert(portloop_win32_io_pending == ERROR_IO_PENDING, "codes");
_Static_assert(portloop_win32_not_found == ERROR_NOT_FOUND, "codes");
_Static_assert(PORTLOOP_WIN32_INFINITE == INFINITE, "INFINITE");

CLOOPWIN32_CALL uint32_t portloop_win32_port_create(intptr_t *port) {
    HANDLE made = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    if (!made) return GetLastError();
    *port = (intptr_t)made;
    return 0;
}

CLOOPWIN32_CALL uint32_t portloop_win32_port_associate(intptr_t port, intptr_t handle, uintptr_t key) {
    return PORTLOOP_CODE(CreateIoCompletionPort((HANDLE)handle, (HANDLE)port, key, 0));
}

CLOOPWIN32_CALL uint32_t portloop_win32_port_dissociate(intptr_t handle) {
    typedef NTSTATUS(NTAPI * Set)(HANDLE, IO_STATUS_BLOCK *, void *, ULONG, ULONG);
    static portloop_entry_point point = PORTLOOP_NTDLL("NtSetInformationFile");
    // FILE_COMPLETION_INFORMATION, for class FileReplaceCompletionInformation.
    struct {
        HANDLE port;
        void *key;
    } none = {NULL, NULL};
    enum { replace_completion_information = 61 };
    FARPROC set = portloop_find(&point);
    if (!set) return ERROR_PROC_NOT_FOUND;
    IO_STATUS_BLOCK block;
    NTSTATUS status = PORTLOOP_AS(Set, set)((HANDLE)handle, &block, &none, sizeof none, replace_completion_information);
    return portloop_win32_error_of_status((uint32_t)status);
}

CLOOPWIN32_CALL uint32_t portloop_win32_port_wait(
    intptr_t port, portloop_win32_entry *entries, uint32_t capacity, uint32_t timeout_ms, int32_t alertable, uint32_t *count) {
    ULONG taken = 0;
    BOOL ok = GetQueuedCompletionStatusEx((HANDLE)port, (OVERLAPPED_ENTRY *)entries, capacity, &taken, timeout_ms, alertable != 0);
    uint32_t code = ok ? 0 : GetLastError();
    *count = ok ? taken : 0;
    return code;
}

CLOOPWIN32_CALL uint32_t portloop_win32_port_post(
    intptr_t port, uint32_t bytes, uintptr_t key, portloop_win32_overlapped *overlapped) {
    return PORTLOOP_CODE(PostQueuedCompletionStatus((HANDLE)port, bytes, key, portloop_native(overlapped)));
}

CLOOPWIN32_CALL uint32_t portloop_win32_close_handle(intptr_t handle) { return PORTLOOP_CODE(CloseHandle((HANDLE)handle)); }

CLOOPWIN32_CALL uint32_t portloop_win32_cancel(intptr_t handle, portloop_win32_overlapped *overlapped) {
    return PORTLOOP_CODE(CancelIoEx((HANDLE)handle, portloop_native(overlapped)));
}

CLOOPWIN32_CALL uint32_t portloop_win32_overlapped_result(intptr_t handle, portloop_win32_overlapped *overlapped, uint32_t *bytes) {
    DWORD moved = 0;
    BOOL ok = GetOverlappedResult((HANDLE)handle, portloop_native(overlapped), &moved, FALSE);
    uint32_t code = ok ? 0 : GetLastError();
    *bytes = moved;
    return code;
}

CLOOPWIN32_CALL uint32_t portloop_win32_error_of_status(uint32_t status) {
    typedef ULONG(NTAPI * Translate)(NTSTATUS);
    static portloop_entry_point point = PORTLOOP_NTDLL("RtlNtStatusToDosError");
    FARPROC translate = portloop_find(&point);
    return translate ? PORTLOOP_AS(Translate, translate)((NTSTATUS)status) : ERROR_PROC_NOT_FOUND;
}

#endif
