#if defined(_WIN32)

#include "windows-headers.h"

_Static_assert(portloop_win32_type_unknown == FILE_TYPE_UNKNOWN, "GetFileType");
_Static_assert(portloop_win32_type_disk == FILE_TYPE_DISK, "GetFileType");
_Static_assert(portloop_win32_type_character == FILE_TYPE_CHAR, "GetFileType");
_Static_assert(portloop_win32_type_pipe == FILE_TYPE_PIPE, "GetFileType");
_Static_assert(portloop_win32_skip_port_on_success == FILE_SKIP_COMPLETION_PORT_ON_SUCCESS, "completion modes");
_Static_assert(portloop_win32_skip_set_event == FILE_SKIP_SET_EVENT_ON_HANDLE, "completion modes");

CLOOPWIN32_CALL uint32_t portloop_win32_file_type(intptr_t handle, uint32_t *type) {
    // FILE_TYPE_UNKNOWN is an answer as well as the failure.
    SetLastError(0);
    DWORD found = GetFileType((HANDLE)handle);
    uint32_t code = found == FILE_TYPE_UNKNOWN ? GetLastError() : 0;
    if (code == 0) *type = found;
    return code;
}

// Information of a class that is one 32-bit word.
static uint32_t query_word(intptr_t handle, ULONG information_class, uint32_t *word) {
    typedef NTSTATUS(NTAPI * Query)(HANDLE, IO_STATUS_BLOCK *, void *, ULONG, ULONG);
    static portloop_entry_point point = PORTLOOP_NTDLL("NtQueryInformationFile");
    FARPROC query = portloop_find(&point);
    if (!query) return ERROR_PROC_NOT_FOUND;
    IO_STATUS_BLOCK block;
    ULONG answer = 0;
    NTSTATUS status = PORTLOOP_AS(Query, query)((HANDLE)handle, &block, &answer, sizeof answer, information_class);
    if (status != 0) return portloop_win32_error_of_status((uint32_t)status);
    *word = answer;
    return 0;
}

CLOOPWIN32_CALL uint32_t portloop_win32_file_mode(intptr_t handle, uint32_t *mode) {
    enum { file_mode_information = 16 };
    return query_word(handle, file_mode_information, mode);
}

CLOOPWIN32_CALL uint32_t portloop_win32_completion_modes(intptr_t handle, uint32_t *modes) {
    enum { completion_notification_information = 41 };
    return query_word(handle, completion_notification_information, modes);
}

CLOOPWIN32_CALL uint32_t portloop_win32_set_completion_modes(intptr_t handle, uint32_t modes) {
    return PORTLOOP_CODE(SetFileCompletionNotificationModes((HANDLE)handle, (UCHAR)modes));
}

CLOOPWIN32_CALL uint32_t portloop_win32_console_mode(intptr_t handle, uint32_t *mode) {
    DWORD found = 0;
    if (!GetConsoleMode((HANDLE)handle, &found)) return GetLastError();
    *mode = found;
    return 0;
}

CLOOPWIN32_CALL uint32_t portloop_win32_is_directory(intptr_t handle, int32_t *is_directory) {
    FILE_STANDARD_INFO facts;
    if (!GetFileInformationByHandleEx((HANDLE)handle, FileStandardInfo, &facts, sizeof facts)) return GetLastError();
    *is_directory = facts.Directory != 0;
    return 0;
}

CLOOPWIN32_CALL uint32_t portloop_win32_socket_look(intptr_t socket, portloop_win32_socket_facts *facts) {
    WSAPROTOCOL_INFOW protocol;
    int length = sizeof protocol;
    if (getsockopt((SOCKET)socket, SOL_SOCKET, SO_PROTOCOL_INFOW, (char *)&protocol, &length) != 0) return (uint32_t)WSAGetLastError();
    DWORD is_listening = 0;
    length = sizeof is_listening;
    // Fails for sockets that cannot listen.
    if (getsockopt((SOCKET)socket, SOL_SOCKET, SO_ACCEPTCONN, (char *)&is_listening, &length) != 0) is_listening = 0;
    facts->family = protocol.iAddressFamily;
    facts->type = protocol.iSocketType;
    facts->protocol = protocol.iProtocol;
    facts->is_listening = is_listening != 0;
    facts->provider = protocol.dwCatalogEntryId;
    facts->provider_flags = protocol.dwServiceFlags1;
    return 0;
}

CLOOPWIN32_CALL uint32_t portloop_win32_handle_flags(intptr_t handle, uint32_t *flags) {
    DWORD found = 0;
    if (!GetHandleInformation((HANDLE)handle, &found)) return GetLastError();
    *flags = found;
    return 0;
}

CLOOPWIN32_CALL uint32_t portloop_win32_handle_count(uint32_t *count) {
    DWORD found = 0;
    if (!GetProcessHandleCount(GetCurrentProcess(), &found)) return GetLastError();
    *count = found;
    return 0;
}

CLOOPWIN32_CALL uint32_t portloop_win32_duplicate(intptr_t handle, intptr_t *copy) {
    HANDLE made = NULL;
    HANDLE process = GetCurrentProcess();
    if (!DuplicateHandle(process, (HANDLE)handle, process, &made, 0, FALSE, DUPLICATE_SAME_ACCESS)) return GetLastError();
    *copy = (intptr_t)made;
    return 0;
}

CLOOPWIN32_CALL uint32_t portloop_win32_standard_handle(int32_t which, intptr_t *handle) {
    HANDLE found = GetStdHandle((DWORD)which);
    if (found == INVALID_HANDLE_VALUE) return GetLastError();
    *handle = (intptr_t)found;
    return 0;
}

#endif
