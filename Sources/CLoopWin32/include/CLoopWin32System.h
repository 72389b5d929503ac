// Threads, events, the console, jobs and processes, and the text of a code.
#ifndef CLOOPWIN32_SYSTEM_H
#define CLOOPWIN32_SYSTEM_H

#include "CLoopWin32Base.h"

// The calling thread: the value itself, never 0.
CLOOPWIN32_CALL uint32_t portloop_win32_thread_id(void);

typedef void(CLOOPWIN32_CALL *portloop_win32_thread_body)(void *context);

// A thread that runs `body` and ends. The handle is to be waited for and closed.
CLOOPWIN32_CALL uint32_t portloop_win32_thread_start(portloop_win32_thread_body body, void *context, intptr_t *thread);

// The name that debuggers show; 127 before Windows 10 1607. The corresponding function is `SetThreadDescription`.
CLOOPWIN32_CALL uint32_t portloop_win32_thread_name(const uint16_t *name);

// Blocks until a thread has ended, an event or a timer is set, a process has ended: 258 when the time is up first. The corresponding
// function is `WaitForSingleObject`.
CLOOPWIN32_CALL uint32_t portloop_win32_wait(intptr_t handle, uint32_t timeout_ms);

// The same of several, 64 at most: which of them it was. The corresponding function is `WaitForMultipleObjects`.
CLOOPWIN32_CALL uint32_t portloop_win32_wait_any(const intptr_t *handles, uint32_t count, uint32_t timeout_ms, uint32_t *which);

CLOOPWIN32_CALL uint32_t portloop_win32_event_create(int32_t is_manual, intptr_t *event);
CLOOPWIN32_CALL uint32_t portloop_win32_event_set(intptr_t event);
CLOOPWIN32_CALL uint32_t portloop_win32_event_reset(intptr_t event);

// MARK: console control

// Somebody who wants to know: the caller's memory, in place from start to stop. Only `port` and `key` are the caller's.
typedef struct portloop_win32_console_watch {
    intptr_t port;
    uintptr_t key;
    struct portloop_win32_console_watch *next;
} portloop_win32_console_watch;

// From now on Ctrl-C (0), Ctrl-Break (1), close (2), logoff (5) and shutdown (6) are packets on `port`: no control block, `key`, and the
// number as the byte count. After a close, logoff or shutdown the system grants the process a few seconds; the first two no longer end
// it. The corresponding function is `SetConsoleCtrlHandler`.
CLOOPWIN32_CALL uint32_t portloop_win32_console_watch_start(portloop_win32_console_watch *watch);
// No packet is posted once this has returned. 1168 if it was not watching.
CLOOPWIN32_CALL uint32_t portloop_win32_console_watch_stop(portloop_win32_console_watch *watch);
// The corresponding function is `GenerateConsoleCtrlEvent`, to the processes of this console.
CLOOPWIN32_CALL uint32_t portloop_win32_console_raise(uint32_t control);

// MARK: jobs and processes

CLOOPWIN32_CALL uint32_t portloop_win32_job_create(intptr_t *job);
// The job's messages become packets: the message as the count, the process's number as the control block, so nothing to follow. The
// corresponding class is JobObjectAssociateCompletionPortInformation.
CLOOPWIN32_CALL uint32_t portloop_win32_job_associate(intptr_t job, intptr_t port, uintptr_t key);
CLOOPWIN32_CALL uint32_t portloop_win32_job_assign(intptr_t job, intptr_t process);
CLOOPWIN32_CALL uint32_t portloop_win32_job_terminate(intptr_t job, uint32_t exit_code);

// Starts this program once more, suspended: a process that does nothing and can be ended.
CLOOPWIN32_CALL uint32_t portloop_win32_process_start_suspended(intptr_t *process);
CLOOPWIN32_CALL uint32_t portloop_win32_process_terminate(intptr_t process, uint32_t exit_code);
CLOOPWIN32_CALL uint32_t portloop_win32_process_id(void);

// A handle to wait for a process's end with, by its number: SYNCHRONIZE and PROCESS_QUERY_LIMITED_INFORMATION. 87 where there is none of
// that number. The corresponding function is `OpenProcess`.
CLOOPWIN32_CALL uint32_t portloop_win32_process_open(uint32_t id, intptr_t *process);
// 258 while it runs: the code alone cannot tell, because a process may end with STILL_ACTIVE. The corresponding function is
// `GetExitCodeProcess`.
CLOOPWIN32_CALL uint32_t portloop_win32_process_exit_code(intptr_t process, uint32_t *exit_code);

// Somebody who wants to know that a process has ended: the caller's memory, in place from start to stop. `wait` is the shim's.
typedef struct portloop_win32_exit_watch {
    intptr_t port;
    uintptr_t key;
    uint32_t number;
    intptr_t wait;
} portloop_win32_exit_watch;

// When the process has ended one packet is posted on `port`: no control block, `key`, and `number` as the byte count. The corresponding
// function is `RegisterWaitForSingleObject`; its thread is the system's and runs nothing of ours but the post.
CLOOPWIN32_CALL uint32_t portloop_win32_exit_watch_start(portloop_win32_exit_watch *watch, intptr_t process);
// No packet is posted once this has returned. The corresponding function is `UnregisterWaitEx`, which waits for the post.
CLOOPWIN32_CALL uint32_t portloop_win32_exit_watch_stop(portloop_win32_exit_watch *watch);

// MARK: whose system it is

// 1 under Wine, whose serial ports differ from Windows' in what its own documents promise. The value itself. The corresponding function is
// `wine_get_version`, which no Windows has.
CLOOPWIN32_CALL int32_t portloop_win32_is_wine(void);

// MARK: text

// The system's words for a Win32 or Winsock code, without a line end. `*length` counts code units. 317 where it has none. The
// corresponding function is `FormatMessageW`.
CLOOPWIN32_CALL uint32_t portloop_win32_error_text(uint32_t code, uint16_t *text, uint32_t capacity, uint32_t *length);

#endif
