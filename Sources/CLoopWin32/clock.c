#if defined(_WIN32)

#include "windows-headers.h"

CLOOPWIN32_CALL uint64_t portloop_win32_clock_nanoseconds(void) {
    // Fixed while the system runs, and the same for every thread that asks. Neither call fails since Windows XP.
    static uint64_t frequency;
    uint64_t per_second = __atomic_load_n(&frequency, __ATOMIC_RELAXED);
    if (per_second == 0) {
        LARGE_INTEGER found;
        QueryPerformanceFrequency(&found);
        per_second = (uint64_t)found.QuadPart;
        __atomic_store_n(&frequency, per_second, __ATOMIC_RELAXED);
    }
    LARGE_INTEGER counter;
    QueryPerformanceCounter(&counter);
    uint64_t ticks = (uint64_t)counter.QuadPart;
    // Seconds and the rest by themselves: the product of all ticks and 10^9 overflows after half an hour at 10 MHz.
    return ticks / per_second * 1000000000u + ticks % per_second * 1000000000u / per_second;
}

#ifndef CREATE_WAITABLE_TIMER_HIGH_RESOLUTION
#define CREATE_WAITABLE_TIMER_HIGH_RESOLUTION 0x2
#endif

CLOOPWIN32_CALL uint32_t portloop_win32_timer_create(intptr_t *timer, int32_t *is_fine) {
    HANDLE made = CreateWaitableTimerExW(NULL, NULL, CREATE_WAITABLE_TIMER_HIGH_RESOLUTION, TIMER_ALL_ACCESS);
    *is_fine = made != NULL;
    // Before Windows 10 1803: ERROR_INVALID_PARAMETER.
    if (!made) made = CreateWaitableTimerExW(NULL, NULL, 0, TIMER_ALL_ACCESS);
    if (!made) return GetLastError();
    *timer = (intptr_t)made;
    return 0;
}

// Being run is its whole effect: it ends the wait.
static void CALLBACK end_wait(void *context, DWORD low, DWORD high) {
    (void)context;
    (void)low;
    (void)high;
}

CLOOPWIN32_CALL uint32_t portloop_win32_timer_arm(intptr_t timer, uint64_t hundreds_ns) {
    // Negative times are relative. Zero would be the year 1601, which is due as well.
    LARGE_INTEGER due = {.QuadPart = hundreds_ns > INT64_MAX ? -INT64_MAX : -(LONGLONG)hundreds_ns};
    return PORTLOOP_CODE(SetWaitableTimer((HANDLE)timer, &due, 0, end_wait, NULL, FALSE));
}

CLOOPWIN32_CALL uint32_t portloop_win32_timer_cancel(intptr_t timer) { return PORTLOOP_CODE(CancelWaitableTimer((HANDLE)timer)); }

#endif
