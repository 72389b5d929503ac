#if defined(__linux__)
#include "CSocketOps.h"

#include <sys/stat.h>

int32_t portloop_socket_unlink(const char *path) {
    struct stat facts;
    if (lstat(path, &facts) != 0) return -errno;
    if (!S_ISSOCK(facts.st_mode)) return -ENOTSOCK;
    return unlink(path) == 0 ? 0 : -errno;
}
#endif
