// What the Windows program around the image does for the Swift code in it, beyond what CLoopWin32 has.
#ifndef CWINEHOST_H
#define CWINEHOST_H

#include <stdint.h>

// System V's convention, which the image is compiled for; empty in the image itself, where it is the default.
#ifndef CWINEHOST_CALL
#define CWINEHOST_CALL
#endif

// Which case runs from here on, for the watchdog and for the report of a crash.
CWINEHOST_CALL void portloop_wine_begin_case(const char *name);

// The words that the runner was started with; NULL past the last.
CWINEHOST_CALL const char *portloop_wine_argument(int32_t index);

// Sends what was printed on its way: a case may be the last.
CWINEHOST_CALL void portloop_wine_flush(void);

// The image's own main function, in Swift. Its result is the program's.
int32_t portloop_wine_main(void);

// A function that no host has: what becomes of a call that the image must not make.
void portloop_wine_missing(void);

#endif
