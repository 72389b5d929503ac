#if defined(_WIN32)

#include "windows-headers.h"

// Winsock's later functions are the provider's own: each provider is asked once for each, and its answers are kept.

typedef enum { accept_ex, connect_ex, disconnect_ex, accept_addresses, extension_count } extension;

static const GUID identifiers[extension_count] = {
    [accept_ex] = WSAID_ACCEPTEX,
    [connect_ex] = WSAID_CONNECTEX,
    [disconnect_ex] = WSAID_DISCONNECTEX,
    [accept_addresses] = WSAID_GETACCEPTEXSOCKADDRS,
};

// TCP and UDP over IPv4 and IPv6, Unix, Hyper-V, Bluetooth, and some that are layered over them. Past these a provider is asked each time.
enum { providers_max = 16 };

typedef struct provider {
    DWORD number;
    void *functions[extension_count];
} provider;

static SRWLOCK lock = SRWLOCK_INIT;
static provider providers[providers_max];
static size_t provider_count;

static provider *known(DWORD number) {
    for (size_t i = 0; i < provider_count; i++)
        if (providers[i].number == number) return &providers[i];
    return NULL;
}

static void *recall(DWORD number, extension which) {
    AcquireSRWLockShared(&lock);
    provider *found = known(number);
    void *function = found ? found->functions[which] : NULL;
    ReleaseSRWLockShared(&lock);
    return function;
}

static void keep(DWORD number, extension which, void *function) {
    AcquireSRWLockExclusive(&lock);
    provider *place = known(number);
    if (!place && provider_count < providers_max) {
        place = &providers[provider_count++];
        place->number = number;
    }
    if (place) place->functions[which] = function;
    ReleaseSRWLockExclusive(&lock);
}

static uint32_t ask(SOCKET socket, extension which, void **function) {
    GUID identifier = identifiers[which];
    DWORD bytes = 0;
    return PORTLOOP_SOCKET_CODE(WSAIoctl(
        socket, SIO_GET_EXTENSION_FUNCTION_POINTER, &identifier, sizeof identifier, function, sizeof *function, &bytes, NULL, NULL));
}

static uint32_t find(SOCKET socket, extension which, void **function) {
    WSAPROTOCOL_INFOW protocol;
    int length = sizeof protocol;
    if (getsockopt(socket, SOL_SOCKET, SO_PROTOCOL_INFOW, (char *)&protocol, &length) != 0) return (uint32_t)WSAGetLastError();
    *function = recall(protocol.dwCatalogEntryId, which);
    if (*function) return 0;
    uint32_t code = ask(socket, which, function);
    if (code == 0) keep(protocol.dwCatalogEntryId, which, *function);
    return code;
}

CLOOPWIN32_CALL uint32_t portloop_win32_socket_accept(
    intptr_t listener, intptr_t accepted, void *addresses, portloop_win32_overlapped *overlapped) {
    void *function;
    uint32_t code = find((SOCKET)listener, accept_ex, &function);
    if (code != 0) return code;
    DWORD bytes = 0;
    BOOL ok = ((LPFN_ACCEPTEX)function)(
        (SOCKET)listener, (SOCKET)accepted, addresses, 0, portloop_win32_accept_address_bytes, portloop_win32_accept_address_bytes, &bytes,
        portloop_native(overlapped));
    return ok ? 0 : (uint32_t)WSAGetLastError();
}

CLOOPWIN32_CALL uint32_t portloop_win32_socket_accepted_peer(
    intptr_t listener, const void *addresses, void *address, uint32_t *length) {
    void *function;
    uint32_t code = find((SOCKET)listener, accept_addresses, &function);
    if (code != 0) return code;
    struct sockaddr *local = NULL, *remote = NULL;
    INT local_length = 0, remote_length = 0;
    ((LPFN_GETACCEPTEXSOCKADDRS)function)(
        (void *)(uintptr_t)addresses, 0, portloop_win32_accept_address_bytes, portloop_win32_accept_address_bytes, &local, &local_length,
        &remote, &remote_length);
    if (!remote || remote_length < 0) return WSAENOTCONN;
    if ((uint32_t)remote_length > *length) return WSAEFAULT;
    memcpy(address, remote, (size_t)remote_length);
    *length = (uint32_t)remote_length;
    return 0;
}

CLOOPWIN32_CALL uint32_t portloop_win32_socket_connect(
    intptr_t socket, const void *address, uint32_t length, portloop_win32_overlapped *overlapped) {
    void *function;
    uint32_t code = find((SOCKET)socket, connect_ex, &function);
    if (code != 0) return code;
    BOOL ok = ((LPFN_CONNECTEX)function)((SOCKET)socket, address, (int)length, NULL, 0, NULL, portloop_native(overlapped));
    return ok ? 0 : (uint32_t)WSAGetLastError();
}

CLOOPWIN32_CALL uint32_t portloop_win32_socket_disconnect(intptr_t socket, uint32_t flags, portloop_win32_overlapped *overlapped) {
    void *function;
    uint32_t code = find((SOCKET)socket, disconnect_ex, &function);
    if (code != 0) return code;
    BOOL ok = ((LPFN_DISCONNECTEX)function)((SOCKET)socket, portloop_native(overlapped), flags, 0);
    return ok ? 0 : (uint32_t)WSAGetLastError();
}

#endif
