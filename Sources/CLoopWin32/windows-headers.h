// The headers of Windows, in the order that they need. Windows 8.1's is the newest interface that is linked; what is newer, or in ntdll
// only, is looked up at run time.
#define WIN32_LEAN_AND_MEAN
#ifndef _WIN32_WINNT
#define _WIN32_WINNT 0x0603
#endif

#include <winsock2.h>
#include <ws2tcpip.h>
#include <mswsock.h>
#include <windows.h>
#include <winternl.h>
