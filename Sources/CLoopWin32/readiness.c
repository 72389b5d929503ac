#if defined(_WIN32)

#include "windows-headers.h"

// The driver's own layouts, as it has them: one LARGE_INTEGER, two ULONGs, then an array of HANDLE, ULONG, NTSTATUS.
_Static_assert(offsetof(portloop_win32_poll, timeout) == 0, "AFD_POLL_INFO");
_Static_assert(offsetof(portloop_win32_poll, count) == 8, "AFD_POLL_INFO");
_Static_assert(offsetof(portloop_win32_poll, is_exclusive) == 12, "AFD_POLL_INFO");
_Static_assert(offsetof(portloop_win32_poll, entry) == 16, "AFD_POLL_INFO");
_Static_assert(sizeof(portloop_win32_poll) == 32, "AFD_POLL_INFO: padded to the alignment of its first field on 32 bits too");
_Static_assert(offsetof(portloop_win32_poll_socket, events) == sizeof(HANDLE), "AFD_POLL_HANDLE_INFO");
_Static_assert(offsetof(portloop_win32_poll_socket, status) == sizeof(HANDLE) + sizeof(ULONG), "AFD_POLL_HANDLE_INFO");
_Static_assert(sizeof(portloop_win32_poll_socket) == (sizeof(HANDLE) == 8 ? 16 : 12), "AFD_POLL_HANDLE_INFO");

// CTL code of the driver: device 0x12, request 9, buffered.
enum { ioctl_afd_poll = 0x00012024 };

enum { status_pending = 0x103 };

#ifndef FILE_OPEN
#define FILE_OPEN 1
#endif

static uint32_t code_of(NTSTATUS status) {
    if (status == 0) return 0;
    return status == status_pending ? ERROR_IO_PENDING : portloop_win32_error_of_status((uint32_t)status);
}

CLOOPWIN32_CALL uint32_t portloop_win32_poll_open(intptr_t *helper) {
    typedef NTSTATUS(NTAPI * Create)(
        HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *, IO_STATUS_BLOCK *, LARGE_INTEGER *, ULONG, ULONG, ULONG, ULONG, void *, ULONG);
    static portloop_entry_point point = PORTLOOP_NTDLL("NtCreateFile");
    FARPROC create = portloop_find(&point);
    if (!create) return ERROR_PROC_NOT_FOUND;
    // What follows the device's name is anybody's choice.
    static WCHAR name[] = L"\\Device\\Afd\\Portloop";
    UNICODE_STRING path = {.Length = sizeof name - sizeof name[0], .MaximumLength = sizeof name, .Buffer = name};
    OBJECT_ATTRIBUTES attributes = {.Length = sizeof attributes, .ObjectName = &path};
    IO_STATUS_BLOCK block;
    HANDLE made = NULL;
    NTSTATUS status = PORTLOOP_AS(Create, create)(
        &made, SYNCHRONIZE, &attributes, &block, NULL, 0, FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN, 0, NULL, 0);
    if (status != 0) return portloop_win32_error_of_status((uint32_t)status);
    // Saves the kernel the work of setting the file's own event. Where it is refused nothing is lost.
    SetFileCompletionNotificationModes(made, FILE_SKIP_SET_EVENT_ON_HANDLE);
    *helper = (intptr_t)made;
    return 0;
}

// MARK: base sockets

#ifndef SIO_BSP_HANDLE
#define SIO_BSP_HANDLE _WSAIOR(IOC_WS2, 27)
#endif
#ifndef SIO_BSP_HANDLE_SELECT
#define SIO_BSP_HANDLE_SELECT _WSAIOR(IOC_WS2, 28)
#endif
#ifndef SIO_BSP_HANDLE_POLL
#define SIO_BSP_HANDLE_POLL _WSAIOR(IOC_WS2, 29)
#endif
#ifndef SIO_BASE_HANDLE
#define SIO_BASE_HANDLE _WSAIOR(IOC_WS2, 34)
#endif

static uint32_t ask_for_socket(SOCKET socket, DWORD question, SOCKET *answer) {
    DWORD bytes = 0;
    return PORTLOOP_SOCKET_CODE(WSAIoctl(socket, question, NULL, 0, answer, sizeof *answer, &bytes, NULL, NULL));
}

// The socket one layer below, by the first question that finds another one.
static int one_below(SOCKET socket, SOCKET *below) {
    static const DWORD questions[] = {SIO_BSP_HANDLE_SELECT, SIO_BSP_HANDLE_POLL, SIO_BSP_HANDLE};
    for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++)
        if (ask_for_socket(socket, questions[i], below) == 0 && *below != socket) return 1;
    return 0;
}

CLOOPWIN32_CALL uint32_t portloop_win32_poll_base_socket(intptr_t socket, intptr_t *base) {
    // Layered providers must not answer SIO_BASE_HANDLE themselves, and some do, with a failure. They answer the older questions, by
    // which `select` works over them: go down with those, a layer at a time. No real chain of layers is longer than this.
    enum { layers_max = 8 };
    SOCKET current = (SOCKET)socket;
    for (int layer = 0;; layer++) {
        SOCKET answer = INVALID_SOCKET;
        uint32_t code = ask_for_socket(current, SIO_BASE_HANDLE, &answer);
        if (code == 0 && answer != INVALID_SOCKET) {
            *base = (intptr_t)answer;
            return 0;
        }
        if (code == 0) code = WSAENOTSOCK;
        if (code == WSAENOTSOCK || layer == layers_max || !one_below(current, &answer)) return code;
        current = answer;
    }
}

// MARK: polls

CLOOPWIN32_CALL uint32_t portloop_win32_poll_submit(
    intptr_t helper, portloop_win32_poll *poll, portloop_win32_overlapped *overlapped) {
    typedef NTSTATUS(NTAPI * Control)(HANDLE, HANDLE, PIO_APC_ROUTINE, void *, IO_STATUS_BLOCK *, ULONG, void *, ULONG, void *, ULONG);
    static portloop_entry_point point = PORTLOOP_NTDLL("NtDeviceIoControlFile");
    FARPROC control = portloop_find(&point);
    if (!control) return ERROR_PROC_NOT_FOUND;
    // This interface leaves it to the caller to say that the work is pending.
    overlapped->internal = status_pending;
    // With a port, the context of the APC is what the packet carries as its control block.
    NTSTATUS status = PORTLOOP_AS(Control, control)(
        (HANDLE)helper, NULL, NULL, overlapped, (IO_STATUS_BLOCK *)overlapped, ioctl_afd_poll, poll, sizeof *poll, poll, sizeof *poll);
    return code_of(status);
}

CLOOPWIN32_CALL uint32_t portloop_win32_poll_cancel(intptr_t helper, portloop_win32_overlapped *overlapped) {
    typedef NTSTATUS(NTAPI * Cancel)(HANDLE, IO_STATUS_BLOCK *, IO_STATUS_BLOCK *);
    static portloop_entry_point point = PORTLOOP_NTDLL("NtCancelIoFileEx");
    FARPROC cancel = portloop_find(&point);
    if (!cancel) return ERROR_PROC_NOT_FOUND;
    IO_STATUS_BLOCK block;
    return code_of(PORTLOOP_AS(Cancel, cancel)((HANDLE)helper, (IO_STATUS_BLOCK *)overlapped, &block));
}

#endif
