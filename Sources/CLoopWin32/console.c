#if defined(_WIN32)

#include "windows-headers.h"

// Who wants to know. The handler runs on a thread of the system's; whoever starts or stops comes from any.
static SRWLOCK lock = SRWLOCK_INIT;
static portloop_win32_console_watch *watches;

// True if somebody was told.
static BOOL tell_all(DWORD control) {
    BOOL is_wanted = FALSE;
    AcquireSRWLockShared(&lock);
    for (portloop_win32_console_watch *watch = watches; watch; watch = watch->next)
        if (PostQueuedCompletionStatus((HANDLE)watch->port, control, watch->key, NULL)) is_wanted = TRUE;
    ReleaseSRWLockShared(&lock);
    return is_wanted;
}

static BOOL WINAPI handle_control(DWORD control) {
    BOOL is_wanted = tell_all(control);
    // After these the system ends the process as soon as the handler returns, and after some seconds when it does not. The loop gets them.
    if (is_wanted && control != CTRL_C_EVENT && control != CTRL_BREAK_EVENT) Sleep(INFINITE);
    return is_wanted;
}

// The handler stays for good: with nobody to tell it changes nothing. The system may hold a lock of its own around it and around its
// installation, so that ours must not be held there.
static uint32_t install(void) {
    static SRWLOCK install_lock = SRWLOCK_INIT;
    static BOOL is_installed;
    AcquireSRWLockExclusive(&install_lock);
    uint32_t code = is_installed ? 0 : PORTLOOP_CODE(SetConsoleCtrlHandler(handle_control, TRUE));
    if (code == 0) is_installed = TRUE;
    ReleaseSRWLockExclusive(&install_lock);
    return code;
}

CLOOPWIN32_CALL uint32_t portloop_win32_console_watch_start(portloop_win32_console_watch *watch) {
    uint32_t code = install();
    if (code != 0) return code;
    AcquireSRWLockExclusive(&lock);
    watch->next = watches;
    watches = watch;
    ReleaseSRWLockExclusive(&lock);
    return 0;
}

CLOOPWIN32_CALL uint32_t portloop_win32_console_watch_stop(portloop_win32_console_watch *watch) {
    AcquireSRWLockExclusive(&lock);
    portloop_win32_console_watch **place = &watches;
    while (*place && *place != watch) place = &(*place)->next;
    uint32_t code = *place ? 0 : ERROR_NOT_FOUND;
    if (*place) *place = watch->next;
    ReleaseSRWLockExclusive(&lock);
    return code;
}

CLOOPWIN32_CALL uint32_t portloop_win32_console_raise(uint32_t control) { return PORTLOOP_CODE(GenerateConsoleCtrlEvent(control, 0)); }

#endif
