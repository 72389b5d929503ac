// The calls of Windows that LoopWin32 and the adapters make, declared with fixed-width types only: Swift sees one API, whichever Windows
// headers the .c files are compiled against, and can type-check its callers where there are none.
//
// Unless a comment says otherwise a function returns the Win32 or Winsock error code of the call, and 0 for success. It reads the code
// itself, right after the call: nothing can clobber `GetLastError` in between. Results go through pointers, written on success only.
// Handles and sockets are `intptr_t`, strings are UTF-16 and end with NUL.
//
// No function blocks unless its name or its comment says so, and none keeps a pointer past its return, but for the control block and the
// buffers of an overlapped call, which are the kernel's until the packet.
#ifndef CLOOPWIN32_H
#define CLOOPWIN32_H

#include "CLoopWin32Base.h"

#include "CLoopWin32Clock.h"
#include "CLoopWin32Comm.h"
#include "CLoopWin32Devices.h"
#include "CLoopWin32Files.h"
#include "CLoopWin32Handles.h"
#include "CLoopWin32Ports.h"
#include "CLoopWin32Readiness.h"
#include "CLoopWin32Sockets.h"
#include "CLoopWin32System.h"

#endif
