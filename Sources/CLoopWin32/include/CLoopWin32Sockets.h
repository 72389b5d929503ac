// Sockets. Codes are Winsock's (10004 and up) also where the system documents a Win32 one; 997 is WSA_IO_PENDING.
#ifndef CLOOPWIN32_SOCKETS_H
#define CLOOPWIN32_SOCKETS_H

#include "CLoopWin32Base.h"

enum {
    portloop_win32_unix = 1,
    portloop_win32_inet = 2,
    portloop_win32_inet6 = 23,
    portloop_win32_stream = 1,
    portloop_win32_datagram = 2,
    portloop_win32_tcp = 6,
    portloop_win32_udp = 17,
    portloop_win32_address_bytes = 128,
    // What `AcceptEx` wants at each of its two places for an address.
    portloop_win32_accept_address_bytes = portloop_win32_address_bytes + 16,
    portloop_win32_not_socket = 10038,
    portloop_win32_message_size = 10040,
    portloop_win32_not_connected = 10057,
    portloop_win32_connection_reset = 10054,
    portloop_win32_would_block = 10035,
};

// The corresponding types are `sockaddr_in` and `sockaddr_in6`. Ports and addresses are in network order.
typedef struct portloop_win32_address4 {
    uint16_t family;
    uint16_t port;
    uint8_t address[4];
    uint8_t zero[8];
} portloop_win32_address4;

typedef struct portloop_win32_address6 {
    uint16_t family;
    uint16_t port;
    uint32_t flow;
    uint8_t address[16];
    uint32_t scope;
} portloop_win32_address6;

// The corresponding type is `WSABUF`.
typedef struct portloop_win32_segment {
    uint32_t count;
    void *base;
} portloop_win32_segment;

// Makes Winsock 2.2 ready, once for the process. Other socket calls fail with 10093 before.
CLOOPWIN32_CALL uint32_t portloop_win32_sockets_start(void);

// Overlapped and not inherited. The corresponding function is `WSASocketW`.
CLOOPWIN32_CALL uint32_t portloop_win32_socket_open(int32_t family, int32_t type, int32_t protocol, intptr_t *socket);
// The same without the overlapped flag: what a library may hand us.
CLOOPWIN32_CALL uint32_t portloop_win32_socket_open_synchronous(int32_t family, int32_t type, int32_t protocol, intptr_t *socket);

CLOOPWIN32_CALL uint32_t portloop_win32_socket_close(intptr_t socket);
// The peer sees a reset: SO_LINGER of zero seconds, then `closesocket`.
CLOOPWIN32_CALL uint32_t portloop_win32_socket_abort(intptr_t socket);

CLOOPWIN32_CALL uint32_t portloop_win32_socket_bind(intptr_t socket, const void *address, uint32_t length);
CLOOPWIN32_CALL uint32_t portloop_win32_socket_listen(intptr_t socket, int32_t backlog);
// `*length` is the room, then the length of the address.
CLOOPWIN32_CALL uint32_t portloop_win32_socket_name(intptr_t socket, void *address, uint32_t *length);
CLOOPWIN32_CALL uint32_t portloop_win32_socket_peer(intptr_t socket, void *address, uint32_t *length);
CLOOPWIN32_CALL uint32_t portloop_win32_socket_option(intptr_t socket, int32_t level, int32_t option, void *value, uint32_t *length);
CLOOPWIN32_CALL uint32_t portloop_win32_socket_set_option(
    intptr_t socket, int32_t level, int32_t option, const void *value, uint32_t length);
// SD_RECEIVE 0, SD_SEND 1, SD_BOTH 2.
CLOOPWIN32_CALL uint32_t portloop_win32_socket_shutdown(intptr_t socket, int32_t how);
// FIONBIO.
CLOOPWIN32_CALL uint32_t portloop_win32_socket_set_nonblocking(intptr_t socket, int32_t is_nonblocking);
// SIO_UDP_CONNRESET and SIO_UDP_NETRESET: whether an ICMP answer to one datagram fails the next receive, with 10054 where nobody took it and
// 10052 where it did not get there. It does unless that is switched off.
CLOOPWIN32_CALL uint32_t portloop_win32_socket_tell_udp_resets(intptr_t socket, int32_t is_told);

// MARK: names

// One address of a name; the layout is that of LoopCore's SocketAddress.
typedef struct portloop_win32_name_address {
    uint32_t length;
    uint32_t zero;
    uint64_t storage[portloop_win32_address_bytes / 8];
} portloop_win32_name_address;

// Looks a name up, blocking as long as that takes: at most `capacity` addresses, `*count` of them. Both names are UTF-8. `family` is 0,
// AF_INET or AF_INET6. Codes are Winsock's: 11001 no such name, 11002 try again, 11003 a server's failure, 11004 no address. The
// corresponding function is `GetAddrInfoW`.
CLOOPWIN32_CALL uint32_t portloop_win32_resolve(
    const char *host, const char *service, int32_t family, int32_t numeric_only, portloop_win32_name_address *addresses,
    uint32_t capacity, uint32_t *count);

// MARK: without a control block, at once or blocking

CLOOPWIN32_CALL uint32_t portloop_win32_socket_receive_now(intptr_t socket, void *buffer, uint32_t count, int32_t flags, uint32_t *moved);
CLOOPWIN32_CALL uint32_t portloop_win32_socket_send_now(
    intptr_t socket, const void *buffer, uint32_t count, int32_t flags, uint32_t *moved);
CLOOPWIN32_CALL uint32_t portloop_win32_socket_send_to_now(
    intptr_t socket, const void *buffer, uint32_t count, const void *address, uint32_t length, uint32_t *moved);
// The segments as one write. The corresponding function is `WSASend` without a control block.
CLOOPWIN32_CALL uint32_t portloop_win32_socket_send_pieces_now(
    intptr_t socket, const portloop_win32_segment *segments, uint32_t segment_count, uint32_t *moved);
// `*length` is the room, then the length of the sender's address. A datagram that is longer than the buffer is success, and cut.
CLOOPWIN32_CALL uint32_t portloop_win32_socket_receive_from_now(
    intptr_t socket, void *buffer, uint32_t count, void *address, uint32_t *length, int32_t *is_cut, uint32_t *moved);
CLOOPWIN32_CALL uint32_t portloop_win32_socket_connect_now(intptr_t socket, const void *address, uint32_t length);
CLOOPWIN32_CALL uint32_t portloop_win32_socket_accept_now(intptr_t socket, intptr_t *accepted);

// MARK: overlapped
//
// The array of segments is read before the call returns; `flags`, `address` and `length` are the kernel's until the packet.

CLOOPWIN32_CALL uint32_t portloop_win32_socket_receive(
    intptr_t socket, const portloop_win32_segment *segments, uint32_t segment_count, uint32_t *flags,
    portloop_win32_overlapped *overlapped);
CLOOPWIN32_CALL uint32_t portloop_win32_socket_send(
    intptr_t socket, const portloop_win32_segment *segments, uint32_t segment_count, portloop_win32_overlapped *overlapped);
CLOOPWIN32_CALL uint32_t portloop_win32_socket_receive_from(
    intptr_t socket, const portloop_win32_segment *segments, uint32_t segment_count, uint32_t *flags, void *address, int32_t *length,
    portloop_win32_overlapped *overlapped);
CLOOPWIN32_CALL uint32_t portloop_win32_socket_send_to(
    intptr_t socket, const portloop_win32_segment *segments, uint32_t segment_count, const void *address, uint32_t length,
    portloop_win32_overlapped *overlapped);

// `accepted` is an open, unbound socket. `addresses` has room for two times `portloop_win32_accept_address_bytes`. No first data is
// waited for. The corresponding function is `AcceptEx`.
CLOOPWIN32_CALL uint32_t portloop_win32_socket_accept(
    intptr_t listener, intptr_t accepted, void *addresses, portloop_win32_overlapped *overlapped);
// The peer's address in what a finished accept left at `addresses`. The corresponding function is `GetAcceptExSockaddrs`.
CLOOPWIN32_CALL uint32_t portloop_win32_socket_accepted_peer(
    intptr_t listener, const void *addresses, void *address, uint32_t *length);
// Makes the accepted socket an ordinary one. The corresponding option is SO_UPDATE_ACCEPT_CONTEXT.
CLOOPWIN32_CALL uint32_t portloop_win32_socket_finish_accept(intptr_t accepted, intptr_t listener);

// The socket must be bound. The corresponding function is `ConnectEx`.
CLOOPWIN32_CALL uint32_t portloop_win32_socket_connect(
    intptr_t socket, const void *address, uint32_t length, portloop_win32_overlapped *overlapped);
// Makes the connected socket an ordinary one. The corresponding option is SO_UPDATE_CONNECT_CONTEXT.
CLOOPWIN32_CALL uint32_t portloop_win32_socket_finish_connect(intptr_t socket);

// TF_REUSE_SOCKET is 2. The corresponding function is `DisconnectEx`.
CLOOPWIN32_CALL uint32_t portloop_win32_socket_disconnect(intptr_t socket, uint32_t flags, portloop_win32_overlapped *overlapped);

// What Winsock says of a finished operation: a reset is 10054 here and 64 elsewhere. 996 while it is pending. The corresponding function
// is `WSAGetOverlappedResult`, which does not wait.
CLOOPWIN32_CALL uint32_t portloop_win32_socket_result(
    intptr_t socket, portloop_win32_overlapped *overlapped, uint32_t *bytes, uint32_t *flags);

#endif
