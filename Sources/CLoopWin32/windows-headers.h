// The headers of Windows in the order that they need, and what every .c file of the shim uses. Windows 8.1's interface is the newest that
// is linked; what is newer, or stands in ntdll alone, is looked up at run time.
#ifndef CLOOPWIN32_WINDOWS_HEADERS_H
#define CLOOPWIN32_WINDOWS_HEADERS_H

#define WIN32_LEAN_AND_MEAN
#define _WIN32_WINNT 0x0603

// winsock2.h comes before windows.h, or the first Winsock is declared.
#include <winsock2.h>

#include <windows.h>

#include <mswsock.h>
#include <stddef.h>
#include <winternl.h>
#include <ws2tcpip.h>

#include "CLoopWin32.h"

// What a call of the Win32 interface says.
#define PORTLOOP_CODE(call) ((call) ? 0 : GetLastError())

// What a call of Winsock says.
#define PORTLOOP_SOCKET_CODE(call) ((call) == 0 ? 0 : (uint32_t)WSAGetLastError())

// An entry point that is looked up when it is first needed. The address is the same whoever looks, so two threads may.
typedef struct portloop_entry_point {
    const wchar_t *library;
    const char *name;
    FARPROC address;
} portloop_entry_point;

// NULL where the library has none of that name. The library is one that every process has loaded.
static inline FARPROC portloop_find(portloop_entry_point *point) {
    FARPROC address = __atomic_load_n(&point->address, __ATOMIC_RELAXED);
    if (address) return address;
    HMODULE library = GetModuleHandleW(point->library);
    address = library ? GetProcAddress(library, point->name) : NULL;
    __atomic_store_n(&point->address, address, __ATOMIC_RELAXED);
    return address;
}

#define PORTLOOP_NTDLL(function) {.library = L"ntdll.dll", .name = function, .address = NULL}

// A function pointer of another type: by way of one that fits all, which no compiler warns of.
#define PORTLOOP_AS(type, address) ((type)(void (*)(void))(address))

static inline OVERLAPPED *portloop_native(portloop_win32_overlapped *overlapped) { return (OVERLAPPED *)overlapped; }

#endif
