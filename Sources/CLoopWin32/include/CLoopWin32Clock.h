// Time.
#ifndef CLOOPWIN32_CLOCK_H
#define CLOOPWIN32_CLOCK_H

#include "CLoopWin32Base.h"

// Nanoseconds of the monotonic clock: the value itself, not a result. The corresponding function is `QueryPerformanceCounter`.
CLOOPWIN32_CALL uint64_t portloop_win32_clock_nanoseconds(void);

// A waitable timer of the finest resolution that the system has (CREATE_WAITABLE_TIMER_HIGH_RESOLUTION, Windows 10 1803), or an
// ordinary one: `*is_fine` says which. Close it with `portloop_win32_close_handle`.
CLOOPWIN32_CALL uint32_t portloop_win32_timer_create(intptr_t *timer, int32_t *is_fine);

// Arms it, for once, `hundreds_ns` times 100 ns from now. It ends an alertable wait of the calling thread: an APC that does nothing is
// queued to it, which is how `portloop_win32_port_wait` comes back with 192. The corresponding function is `SetWaitableTimer`.
CLOOPWIN32_CALL uint32_t portloop_win32_timer_arm(intptr_t timer, uint64_t hundreds_ns);

// Disarms it; an APC that is queued already is taken back too. The corresponding function is `CancelWaitableTimer`.
CLOOPWIN32_CALL uint32_t portloop_win32_timer_cancel(intptr_t timer);

#endif
