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

// Lists a port in the registry as its driver would, or strikes it from the list; port and device are UTF-8. 0, or an error code.
CWINEHOST_CALL uint32_t portloop_wine_port_list(const char *device, const char *port);
CWINEHOST_CALL uint32_t portloop_wine_port_strike(const char *device);

// Makes a device of the class Ports, as Windows would for one that is plugged in, or removes it. 0, or an error code.
CWINEHOST_CALL uint32_t portloop_wine_device_add(const char *instance, const char *hardware, const char *name, const char *port);
CWINEHOST_CALL uint32_t portloop_wine_device_remove(const char *instance);

// The image's own main function, in Swift. Its result is the program's.
int32_t portloop_wine_main(void);

// A function that no host has: what becomes of a call that the image must not make.
void portloop_wine_missing(void);

#endif
