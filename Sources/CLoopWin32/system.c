#if defined(_WIN32)

#include "windows-headers.h"

CLOOPWIN32_CALL uint32_t portloop_win32_thread_id(void) { return GetCurrentThreadId(); }

typedef struct thread_start {
    portloop_win32_thread_body body;
    void *context;
} thread_start;

static DWORD WINAPI thread_main(void *argument) {
    thread_start start = *(thread_start *)argument;
    HeapFree(GetProcessHeap(), 0, argument);
    start.body(start.context);
    return 0;
}

CLOOPWIN32_CALL uint32_t portloop_win32_thread_start(portloop_win32_thread_body body, void *context, intptr_t *thread) {
    thread_start *start = HeapAlloc(GetProcessHeap(), 0, sizeof *start);
    if (!start) return ERROR_NOT_ENOUGH_MEMORY;
    *start = (thread_start){body, context};
    HANDLE made = CreateThread(NULL, 0, thread_main, start, 0, NULL);
    if (!made) {
        uint32_t code = GetLastError();
        HeapFree(GetProcessHeap(), 0, start);
        return code;
    }
    *thread = (intptr_t)made;
    return 0;
}

CLOOPWIN32_CALL uint32_t portloop_win32_thread_name(const uint16_t *name) {
    typedef HRESULT(WINAPI * Describe)(HANDLE, PCWSTR);
    static portloop_entry_point point = {.library = L"kernel32.dll", .name = "SetThreadDescription", .address = NULL};
    FARPROC describe = portloop_find(&point);
    if (!describe) return ERROR_PROC_NOT_FOUND;
    HRESULT result = PORTLOOP_AS(Describe, describe)(GetCurrentThread(), (const WCHAR *)name);
    return result >= 0 ? 0 : (uint32_t)HRESULT_CODE(result);
}

CLOOPWIN32_CALL uint32_t portloop_win32_wait(intptr_t handle, uint32_t timeout_ms) {
    DWORD answer = WaitForSingleObject((HANDLE)handle, timeout_ms);
    return answer == WAIT_FAILED ? GetLastError() : answer;
}

CLOOPWIN32_CALL uint32_t portloop_win32_wait_any(const intptr_t *handles, uint32_t count, uint32_t timeout_ms, uint32_t *which) {
    DWORD answer = WaitForMultipleObjects(count, (const HANDLE *)handles, FALSE, timeout_ms);
    if (answer == WAIT_FAILED) return GetLastError();
    if (answer == WAIT_TIMEOUT) return answer;
    *which = answer < WAIT_ABANDONED_0 ? answer - WAIT_OBJECT_0 : answer - WAIT_ABANDONED_0;
    return 0;
}

CLOOPWIN32_CALL uint32_t portloop_win32_event_create(int32_t is_manual, intptr_t *event) {
    HANDLE made = CreateEventW(NULL, is_manual != 0, FALSE, NULL);
    if (!made) return GetLastError();
    *event = (intptr_t)made;
    return 0;
}

CLOOPWIN32_CALL uint32_t portloop_win32_event_set(intptr_t event) { return PORTLOOP_CODE(SetEvent((HANDLE)event)); }

CLOOPWIN32_CALL uint32_t portloop_win32_event_reset(intptr_t event) { return PORTLOOP_CODE(ResetEvent((HANDLE)event)); }

// MARK: jobs and processes

CLOOPWIN32_CALL uint32_t portloop_win32_job_create(intptr_t *job) {
    HANDLE made = CreateJobObjectW(NULL, NULL);
    if (!made) return GetLastError();
    *job = (intptr_t)made;
    return 0;
}

CLOOPWIN32_CALL uint32_t portloop_win32_job_associate(intptr_t job, intptr_t port, uintptr_t key) {
    JOBOBJECT_ASSOCIATE_COMPLETION_PORT target = {.CompletionKey = (void *)key, .CompletionPort = (HANDLE)port};
    return PORTLOOP_CODE(SetInformationJobObject((HANDLE)job, JobObjectAssociateCompletionPortInformation, &target, sizeof target));
}

CLOOPWIN32_CALL uint32_t portloop_win32_job_assign(intptr_t job, intptr_t process) {
    return PORTLOOP_CODE(AssignProcessToJobObject((HANDLE)job, (HANDLE)process));
}

CLOOPWIN32_CALL uint32_t portloop_win32_job_terminate(intptr_t job, uint32_t exit_code) {
    return PORTLOOP_CODE(TerminateJobObject((HANDLE)job, exit_code));
}

CLOOPWIN32_CALL uint32_t portloop_win32_process_start_suspended(intptr_t *process) {
    WCHAR path[MAX_PATH];
    DWORD length = GetModuleFileNameW(NULL, path, MAX_PATH);
    if (length == 0) return GetLastError();
    if (length == MAX_PATH) return ERROR_INSUFFICIENT_BUFFER;
    STARTUPINFOW startup = {.cb = sizeof startup};
    PROCESS_INFORMATION made;
    if (!CreateProcessW(path, NULL, NULL, NULL, FALSE, CREATE_SUSPENDED | CREATE_NO_WINDOW, NULL, NULL, &startup, &made))
        return GetLastError();
    CloseHandle(made.hThread);
    *process = (intptr_t)made.hProcess;
    return 0;
}

CLOOPWIN32_CALL uint32_t portloop_win32_process_terminate(intptr_t process, uint32_t exit_code) {
    return PORTLOOP_CODE(TerminateProcess((HANDLE)process, exit_code));
}

CLOOPWIN32_CALL uint32_t portloop_win32_process_id(void) { return GetCurrentProcessId(); }

CLOOPWIN32_CALL uint32_t portloop_win32_process_open(uint32_t id, intptr_t *process) {
    HANDLE found = OpenProcess(SYNCHRONIZE | PROCESS_QUERY_LIMITED_INFORMATION, FALSE, id);
    if (!found) return GetLastError();
    *process = (intptr_t)found;
    return 0;
}

CLOOPWIN32_CALL uint32_t portloop_win32_process_exit_code(intptr_t process, uint32_t *exit_code) {
    DWORD answer = WaitForSingleObject((HANDLE)process, 0);
    if (answer != WAIT_OBJECT_0) return answer == WAIT_FAILED ? GetLastError() : answer;
    DWORD code = 0;
    if (!GetExitCodeProcess((HANDLE)process, &code)) return GetLastError();
    *exit_code = code;
    return 0;
}

static VOID CALLBACK tell_of_exit(void *argument, BOOLEAN is_timeout) {
    portloop_win32_exit_watch *watch = argument;
    (void)is_timeout;
    PostQueuedCompletionStatus((HANDLE)watch->port, watch->number, watch->key, NULL);
}

CLOOPWIN32_CALL uint32_t portloop_win32_exit_watch_start(portloop_win32_exit_watch *watch, intptr_t process) {
    HANDLE wait = NULL;
    if (!RegisterWaitForSingleObject(&wait, (HANDLE)process, tell_of_exit, watch, INFINITE, WT_EXECUTEONLYONCE)) return GetLastError();
    watch->wait = (intptr_t)wait;
    return 0;
}

CLOOPWIN32_CALL uint32_t portloop_win32_exit_watch_stop(portloop_win32_exit_watch *watch) {
    return PORTLOOP_CODE(UnregisterWaitEx((HANDLE)watch->wait, INVALID_HANDLE_VALUE));
}

// MARK: whose system it is

CLOOPWIN32_CALL int32_t portloop_win32_is_wine(void) {
    static portloop_entry_point point = PORTLOOP_NTDLL("wine_get_version");
    return portloop_find(&point) != NULL;
}

// MARK: text

CLOOPWIN32_CALL uint32_t portloop_win32_error_text(uint32_t code, uint16_t *text, uint32_t capacity, uint32_t *length) {
    DWORD units = FormatMessageW(
        FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS | FORMAT_MESSAGE_MAX_WIDTH_MASK, NULL, code, 0, (WCHAR *)text, capacity,
        NULL);
    if (units == 0) return GetLastError();
    while (units > 0 && text[units - 1] <= ' ') units--;
    *length = units;
    return 0;
}

#endif
