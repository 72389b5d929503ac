#if defined(_WIN32)

#include "windows-headers.h"

#include "CLoopWin32.h"

#endif
