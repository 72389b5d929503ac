#if defined(_WIN32)

#include "windows-headers.h"

// LoopCore bounds names to 1,024 bytes, which are at most as many code units.
enum { units_max = 1025 };

CLOOPWIN32_CALL uint32_t portloop_win32_resolve(
    const char *host, const char *service, int32_t family, int32_t numeric_only, portloop_win32_name_address *addresses,
    uint32_t capacity, uint32_t *count) {
    WCHAR wide_host[units_max], wide_service[units_max];
    if (!MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, host, -1, wide_host, units_max)) return GetLastError();
    if (!MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, service, -1, wide_service, units_max)) return GetLastError();
    // One kind of socket, or each address comes once for every kind.
    ADDRINFOW hints = {.ai_family = family, .ai_socktype = SOCK_STREAM};
    if (numeric_only) hints.ai_flags = AI_NUMERICHOST;
    ADDRINFOW *list = NULL;
    int code = GetAddrInfoW(wide_host, wide_service, &hints, &list);
    if (code != 0) return (uint32_t)code;
    uint32_t found = 0;
    for (ADDRINFOW *entry = list; entry && found < capacity; entry = entry->ai_next) {
        if (entry->ai_addrlen > sizeof addresses[found].storage) continue;
        ZeroMemory(&addresses[found], sizeof addresses[found]);
        addresses[found].length = (uint32_t)entry->ai_addrlen;
        CopyMemory(addresses[found].storage, entry->ai_addr, entry->ai_addrlen);
        found++;
    }
    FreeAddrInfoW(list);
    *count = found;
    return 0;
}

#endif
