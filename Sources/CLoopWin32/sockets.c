#if defined(_WIN32)

#include "windows-headers.h"

_Static_assert(portloop_win32_unix == AF_UNIX, "address families");
_Static_assert(portloop_win32_inet == AF_INET, "address families");
_Static_assert(portloop_win32_inet6 == AF_INET6, "address families");
_Static_assert(portloop_win32_stream == SOCK_STREAM, "socket types");
_Static_assert(portloop_win32_datagram == SOCK_DGRAM, "socket types");
_Static_assert(portloop_win32_tcp == IPPROTO_TCP, "protocols");
_Static_assert(portloop_win32_udp == IPPROTO_UDP, "protocols");
_Static_assert(portloop_win32_not_socket == WSAENOTSOCK, "codes");
_Static_assert(portloop_win32_message_size == WSAEMSGSIZE, "codes");
_Static_assert(portloop_win32_not_connected == WSAENOTCONN, "codes");
_Static_assert(portloop_win32_connection_reset == WSAECONNRESET, "codes");
_Static_assert(portloop_win32_would_block == WSAEWOULDBLOCK, "codes");
_Static_assert(portloop_win32_io_pending == WSA_IO_PENDING, "codes");
_Static_assert(portloop_win32_address_bytes == sizeof(struct sockaddr_storage), "sockaddr_storage");

#define SAME_PLACE(mirror, field, type, native) _Static_assert(offsetof(mirror, field) == offsetof(type, native), #type)
SAME_PLACE(portloop_win32_address4, family, struct sockaddr_in, sin_family);
SAME_PLACE(portloop_win32_address4, port, struct sockaddr_in, sin_port);
SAME_PLACE(portloop_win32_address4, address, struct sockaddr_in, sin_addr);
SAME_PLACE(portloop_win32_address6, family, struct sockaddr_in6, sin6_family);
SAME_PLACE(portloop_win32_address6, port, struct sockaddr_in6, sin6_port);
SAME_PLACE(portloop_win32_address6, flow, struct sockaddr_in6, sin6_flowinfo);
SAME_PLACE(portloop_win32_address6, address, struct sockaddr_in6, sin6_addr);
SAME_PLACE(portloop_win32_address6, scope, struct sockaddr_in6, sin6_scope_id);
SAME_PLACE(portloop_win32_segment, count, WSABUF, len);
SAME_PLACE(portloop_win32_segment, base, WSABUF, buf);
#undef SAME_PLACE
_Static_assert(sizeof(portloop_win32_address4) == sizeof(struct sockaddr_in), "sockaddr_in");
_Static_assert(sizeof(portloop_win32_address6) == sizeof(struct sockaddr_in6), "sockaddr_in6");
_Static_assert(sizeof(portloop_win32_segment) == sizeof(WSABUF), "WSABUF");
_Static_assert(sizeof(WSABUF) == 2 * sizeof(void *), "WSABUF: the stride of an array");

// What the headers of Windows 7 do not have.
#ifndef WSA_FLAG_NO_HANDLE_INHERIT
#define WSA_FLAG_NO_HANDLE_INHERIT 0x80
#endif
#ifndef SIO_UDP_CONNRESET
#define SIO_UDP_CONNRESET _WSAIOW(IOC_VENDOR, 12)
#endif
#ifndef SIO_UDP_NETRESET
#define SIO_UDP_NETRESET _WSAIOW(IOC_VENDOR, 15)
#endif

// WSAStartup counts its calls: one is enough.
static SRWLOCK start_lock = SRWLOCK_INIT;
static int is_started;

CLOOPWIN32_CALL uint32_t portloop_win32_sockets_start(void) {
    if (__atomic_load_n(&is_started, __ATOMIC_ACQUIRE)) return 0;
    WSADATA data;
    AcquireSRWLockExclusive(&start_lock);
    uint32_t code = is_started ? 0 : (uint32_t)WSAStartup(MAKEWORD(2, 2), &data);
    if (code == 0) __atomic_store_n(&is_started, 1, __ATOMIC_RELEASE);
    ReleaseSRWLockExclusive(&start_lock);
    return code;
}

static uint32_t open_socket(int32_t family, int32_t type, int32_t protocol, DWORD flags, intptr_t *socket) {
    SOCKET made = WSASocketW(family, type, protocol, NULL, 0, flags | WSA_FLAG_NO_HANDLE_INHERIT);
    if (made == INVALID_SOCKET) return (uint32_t)WSAGetLastError();
    *socket = (intptr_t)made;
    return 0;
}

CLOOPWIN32_CALL uint32_t portloop_win32_socket_open(int32_t family, int32_t type, int32_t protocol, intptr_t *socket) {
    return open_socket(family, type, protocol, WSA_FLAG_OVERLAPPED, socket);
}

CLOOPWIN32_CALL uint32_t portloop_win32_socket_open_synchronous(int32_t family, int32_t type, int32_t protocol, intptr_t *socket) {
    return open_socket(family, type, protocol, 0, socket);
}

CLOOPWIN32_CALL uint32_t portloop_win32_socket_close(intptr_t socket) { return PORTLOOP_SOCKET_CODE(closesocket((SOCKET)socket)); }

CLOOPWIN32_CALL uint32_t portloop_win32_socket_abort(intptr_t socket) {
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    setsockopt((SOCKET)socket, SOL_SOCKET, SO_LINGER, (const char *)&at_once, sizeof at_once);
    return PORTLOOP_SOCKET_CODE(closesocket((SOCKET)socket));
}

CLOOPWIN32_CALL uint32_t portloop_win32_socket_bind(intptr_t socket, const void *address, uint32_t length) {
    return PORTLOOP_SOCKET_CODE(bind((SOCKET)socket, address, (int)length));
}

CLOOPWIN32_CALL uint32_t portloop_win32_socket_listen(intptr_t socket, int32_t backlog) {
    return PORTLOOP_SOCKET_CODE(listen((SOCKET)socket, backlog));
}

CLOOPWIN32_CALL uint32_t portloop_win32_socket_name(intptr_t socket, void *address, uint32_t *length) {
    return PORTLOOP_SOCKET_CODE(getsockname((SOCKET)socket, address, (int *)length));
}

CLOOPWIN32_CALL uint32_t portloop_win32_socket_peer(intptr_t socket, void *address, uint32_t *length) {
    return PORTLOOP_SOCKET_CODE(getpeername((SOCKET)socket, address, (int *)length));
}

CLOOPWIN32_CALL uint32_t portloop_win32_socket_option(intptr_t socket, int32_t level, int32_t option, void *value, uint32_t *length) {
    return PORTLOOP_SOCKET_CODE(getsockopt((SOCKET)socket, level, option, value, (int *)length));
}

CLOOPWIN32_CALL uint32_t portloop_win32_socket_set_option(
    intptr_t socket, int32_t level, int32_t option, const void *value, uint32_t length) {
    return PORTLOOP_SOCKET_CODE(setsockopt((SOCKET)socket, level, option, value, (int)length));
}

CLOOPWIN32_CALL uint32_t portloop_win32_socket_shutdown(intptr_t socket, int32_t how) {
    return PORTLOOP_SOCKET_CODE(shutdown((SOCKET)socket, how));
}

CLOOPWIN32_CALL uint32_t portloop_win32_socket_set_nonblocking(intptr_t socket, int32_t is_nonblocking) {
    u_long value = is_nonblocking != 0;
    return PORTLOOP_SOCKET_CODE(ioctlsocket((SOCKET)socket, (long)FIONBIO, &value));
}

static uint32_t tell(SOCKET socket, DWORD what, BOOL is_told) {
    DWORD bytes = 0;
    return PORTLOOP_SOCKET_CODE(WSAIoctl(socket, what, &is_told, sizeof is_told, NULL, 0, &bytes, NULL, NULL));
}

CLOOPWIN32_CALL uint32_t portloop_win32_socket_tell_udp_resets(intptr_t socket, int32_t is_told) {
    uint32_t code = tell((SOCKET)socket, SIO_UDP_CONNRESET, is_told != 0);
    // Younger, and not everywhere: what it is about is rare.
    if (code == 0) tell((SOCKET)socket, SIO_UDP_NETRESET, is_told != 0);
    return code;
}

static WSABUF *pieces(const portloop_win32_segment *segments) { return (WSABUF *)(uintptr_t)segments; }

// MARK: without a control block

static uint32_t count_code(int result, uint32_t *moved) {
    if (result == SOCKET_ERROR) return (uint32_t)WSAGetLastError();
    *moved = (uint32_t)result;
    return 0;
}

CLOOPWIN32_CALL uint32_t portloop_win32_socket_receive_now(intptr_t socket, void *buffer, uint32_t count, int32_t flags, uint32_t *moved) {
    return count_code(recv((SOCKET)socket, buffer, (int)count, flags), moved);
}

CLOOPWIN32_CALL uint32_t portloop_win32_socket_send_now(
    intptr_t socket, const void *buffer, uint32_t count, int32_t flags, uint32_t *moved) {
    return count_code(send((SOCKET)socket, buffer, (int)count, flags), moved);
}

CLOOPWIN32_CALL uint32_t portloop_win32_socket_send_to_now(
    intptr_t socket, const void *buffer, uint32_t count, const void *address, uint32_t length, uint32_t *moved) {
    return count_code(sendto((SOCKET)socket, buffer, (int)count, 0, address, (int)length), moved);
}

CLOOPWIN32_CALL uint32_t portloop_win32_socket_send_pieces_now(
    intptr_t socket, const portloop_win32_segment *segments, uint32_t segment_count, uint32_t *moved) {
    DWORD done = 0;
    if (WSASend((SOCKET)socket, pieces(segments), segment_count, &done, 0, NULL, NULL) != 0) return (uint32_t)WSAGetLastError();
    *moved = done;
    return 0;
}

// What did not fit is an error to Winsock, with the room full: to callers here it is a datagram, and a word about it.
CLOOPWIN32_CALL uint32_t portloop_win32_socket_receive_from_now(
    intptr_t socket, void *buffer, uint32_t count, void *address, uint32_t *length, int32_t *is_cut, uint32_t *moved) {
    int result = recvfrom((SOCKET)socket, buffer, (int)count, 0, address, (int *)length);
    *is_cut = result == SOCKET_ERROR && WSAGetLastError() == WSAEMSGSIZE;
    return count_code(*is_cut ? (int)count : result, moved);
}

CLOOPWIN32_CALL uint32_t portloop_win32_socket_connect_now(intptr_t socket, const void *address, uint32_t length) {
    return PORTLOOP_SOCKET_CODE(connect((SOCKET)socket, address, (int)length));
}

CLOOPWIN32_CALL uint32_t portloop_win32_socket_accept_now(intptr_t socket, intptr_t *accepted) {
    SOCKET made = accept((SOCKET)socket, NULL, NULL);
    if (made == INVALID_SOCKET) return (uint32_t)WSAGetLastError();
    *accepted = (intptr_t)made;
    return 0;
}

// MARK: overlapped

CLOOPWIN32_CALL uint32_t portloop_win32_socket_receive(
    intptr_t socket, const portloop_win32_segment *segments, uint32_t segment_count, uint32_t *flags,
    portloop_win32_overlapped *overlapped) {
    return PORTLOOP_SOCKET_CODE(
        WSARecv((SOCKET)socket, pieces(segments), segment_count, NULL, (DWORD *)flags, portloop_native(overlapped), NULL));
}

CLOOPWIN32_CALL uint32_t portloop_win32_socket_send(
    intptr_t socket, const portloop_win32_segment *segments, uint32_t segment_count, portloop_win32_overlapped *overlapped) {
    return PORTLOOP_SOCKET_CODE(WSASend((SOCKET)socket, pieces(segments), segment_count, NULL, 0, portloop_native(overlapped), NULL));
}

CLOOPWIN32_CALL uint32_t portloop_win32_socket_receive_from(
    intptr_t socket, const portloop_win32_segment *segments, uint32_t segment_count, uint32_t *flags, void *address, int32_t *length,
    portloop_win32_overlapped *overlapped) {
    return PORTLOOP_SOCKET_CODE(WSARecvFrom(
        (SOCKET)socket, pieces(segments), segment_count, NULL, (DWORD *)flags, address, (INT *)length, portloop_native(overlapped), NULL));
}

CLOOPWIN32_CALL uint32_t portloop_win32_socket_send_to(
    intptr_t socket, const portloop_win32_segment *segments, uint32_t segment_count, const void *address, uint32_t length,
    portloop_win32_overlapped *overlapped) {
    return PORTLOOP_SOCKET_CODE(WSASendTo(
        (SOCKET)socket, pieces(segments), segment_count, NULL, 0, address, (int)length, portloop_native(overlapped), NULL));
}

CLOOPWIN32_CALL uint32_t portloop_win32_socket_finish_accept(intptr_t accepted, intptr_t listener) {
    SOCKET from = (SOCKET)listener;
    return PORTLOOP_SOCKET_CODE(setsockopt((SOCKET)accepted, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, (const char *)&from, sizeof from));
}

CLOOPWIN32_CALL uint32_t portloop_win32_socket_finish_connect(intptr_t socket) {
    return PORTLOOP_SOCKET_CODE(setsockopt((SOCKET)socket, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, NULL, 0));
}

CLOOPWIN32_CALL uint32_t portloop_win32_socket_result(
    intptr_t socket, portloop_win32_overlapped *overlapped, uint32_t *bytes, uint32_t *flags) {
    DWORD moved = 0, what = 0;
    BOOL ok = WSAGetOverlappedResult((SOCKET)socket, portloop_native(overlapped), &moved, FALSE, &what);
    uint32_t code = ok ? 0 : (uint32_t)WSAGetLastError();
    *bytes = moved;
    *flags = what;
    return code;
}

#endif
