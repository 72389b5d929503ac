// Runs a program with a console of its own, which nobody sees: what a program that Wine starts without a terminal lacks.
//
// usage: console.exe SECONDS PROGRAM [ARGUMENT...]. The program's output is this one's, and its status too; it is ended after SECONDS.
// The corresponding function is `CreatePseudoConsole` (Windows 10 1809); without it the program runs without a console.
#define _WIN32_WINNT 0x0603
#include <windows.h>

#include <stdio.h>
#include <stdlib.h>

enum { status_unusable = 2, status_late = 124 };

#ifndef PROC_THREAD_ATTRIBUTE_PSEUDOCONSOLE
#define PROC_THREAD_ATTRIBUTE_PSEUDOCONSOLE 0x00020016
#endif

typedef HRESULT(WINAPI *create_console)(COORD, HANDLE, HANDLE, DWORD, void **);

// What the console draws goes nowhere, but has to be taken.
static DWORD WINAPI drain(void *screen) {
    char bytes[512];
    DWORD count;
    while (ReadFile(screen, bytes, sizeof bytes, &count, NULL)) {}
    return 0;
}

static void *make_console(void) {
    create_console create = (create_console)(void (*)(void))GetProcAddress(GetModuleHandleW(L"kernel32.dll"), "CreatePseudoConsole");
    HANDLE keyboard, keys, screen, drawing;
    COORD size = {80, 25};
    void *console = NULL;
    if (!create || !CreatePipe(&keyboard, &keys, NULL, 0) || !CreatePipe(&screen, &drawing, NULL, 0)) return NULL;
    if (create(size, keyboard, drawing, 0, &console) < 0) return NULL;
    CreateThread(NULL, 0, drain, screen, 0, NULL);
    return console;
}

// The same handle, for a child to inherit.
static HANDLE inheritable(DWORD which) {
    HANDLE copy = NULL;
    HANDLE process = GetCurrentProcess();
    DuplicateHandle(process, GetStdHandle(which), process, &copy, 0, TRUE, DUPLICATE_SAME_ACCESS);
    return copy;
}

static BOOL start(WCHAR *command, void *console, HANDLE *child) {
    STARTUPINFOEXW startup = {
        .StartupInfo = {
            .cb = sizeof startup,
            .dwFlags = STARTF_USESTDHANDLES,
            .hStdOutput = inheritable(STD_OUTPUT_HANDLE),
            .hStdError = inheritable(STD_ERROR_HANDLE),
        },
    };
    SIZE_T size = 0;
    InitializeProcThreadAttributeList(NULL, 1, 0, &size);
    startup.lpAttributeList = malloc(size);
    if (!startup.lpAttributeList || !InitializeProcThreadAttributeList(startup.lpAttributeList, 1, 0, &size)) return FALSE;
    if (console
        && !UpdateProcThreadAttribute(
            startup.lpAttributeList, 0, PROC_THREAD_ATTRIBUTE_PSEUDOCONSOLE, console, sizeof console, NULL, NULL))
        return FALSE;
    PROCESS_INFORMATION made;
    if (!CreateProcessW(NULL, command, NULL, NULL, TRUE, EXTENDED_STARTUPINFO_PRESENT, NULL, NULL, &startup.StartupInfo, &made))
        return FALSE;
    *child = made.hProcess;
    return TRUE;
}

// Past one word of the command line.
static WCHAR *next_word(WCHAR *place) {
    BOOL is_quoted = FALSE;
    for (; *place && (is_quoted || *place != L' '); place++)
        if (*place == L'"') is_quoted = !is_quoted;
    while (*place == L' ') place++;
    return place;
}

int main(void) {
    WCHAR *seconds = next_word(GetCommandLineW());
    WCHAR *command = next_word(seconds);
    DWORD seconds_max = (DWORD)_wtoi(seconds);
    HANDLE child;
    if (seconds_max == 0 || !*command) {
        fprintf(stderr, "usage: console.exe SECONDS PROGRAM [ARGUMENT...]\n");
        return status_unusable;
    }
    if (!start(command, make_console(), &child)) {
        fprintf(stderr, "the program could not be started: error %lu\n", (unsigned long)GetLastError());
        return status_unusable;
    }
    if (WaitForSingleObject(child, seconds_max * 1000) != WAIT_OBJECT_0) {
        TerminateProcess(child, status_late);
        return status_late;
    }
    DWORD status = status_unusable;
    GetExitCodeProcess(child, &status);
    return (int)status;
}
