// What a handle is, before anybody relies on it. No question here changes the handle. Whether some port has it is one that the kernel
// does not answer: `portloop_win32_port_associate` fails with 87 on an overlapped handle that is bound.
#ifndef CLOOPWIN32_HANDLES_H
#define CLOOPWIN32_HANDLES_H

#include "CLoopWin32Base.h"

enum {
    portloop_win32_type_unknown = 0,
    portloop_win32_type_disk = 1,
    portloop_win32_type_character = 2,
    portloop_win32_type_pipe = 3,  // sockets are pipes here
};

// One of the types above. The corresponding function is `GetFileType`.
CLOOPWIN32_CALL uint32_t portloop_win32_file_type(intptr_t handle, uint32_t *type);

// Either bit: FILE_SYNCHRONOUS_IO_ALERT, FILE_SYNCHRONOUS_IO_NONALERT. Opened without FILE_FLAG_OVERLAPPED.
enum { portloop_win32_mode_synchronous = 0x30 };

// How the handle was opened. The corresponding function is `NtQueryInformationFile` with FileModeInformation.
CLOOPWIN32_CALL uint32_t portloop_win32_file_mode(intptr_t handle, uint32_t *mode);

enum {
    portloop_win32_skip_port_on_success = 1,
    portloop_win32_skip_set_event = 2,
};

// FILE_SKIP_COMPLETION_PORT_ON_SUCCESS and its like, as somebody set them. The corresponding function is `NtQueryInformationFile` with
// FileIoCompletionNotificationInformation.
CLOOPWIN32_CALL uint32_t portloop_win32_completion_modes(intptr_t handle, uint32_t *modes);

// Sets them, for good. The corresponding function is `SetFileCompletionNotificationModes`.
CLOOPWIN32_CALL uint32_t portloop_win32_set_completion_modes(intptr_t handle, uint32_t modes);

// 0 if the handle is a console's input or screen. The corresponding function is `GetConsoleMode`.
CLOOPWIN32_CALL uint32_t portloop_win32_console_mode(intptr_t handle, uint32_t *mode);

// The corresponding function is `GetFileInformationByHandleEx` with FileStandardInfo.
CLOOPWIN32_CALL uint32_t portloop_win32_is_directory(intptr_t handle, int32_t *is_directory);

typedef struct portloop_win32_socket_facts {
    int32_t family;
    int32_t type;
    int32_t protocol;
    int32_t is_listening;
    uint32_t provider;        // dwCatalogEntryId
    uint32_t provider_flags;  // dwServiceFlags1; XP1_IFS_HANDLES is 0x20000
} portloop_win32_socket_facts;

// 10038 if the handle is no socket. The corresponding option is SO_PROTOCOL_INFO.
CLOOPWIN32_CALL uint32_t portloop_win32_socket_look(intptr_t socket, portloop_win32_socket_facts *facts);

// HANDLE_FLAG_INHERIT is 1. 6 if no handle has the number: the one question that harms nothing, whatever the handle is. The corresponding
// function is `GetHandleInformation`.
CLOOPWIN32_CALL uint32_t portloop_win32_handle_flags(intptr_t handle, uint32_t *flags);

// Handles of all kinds that this process has open. The corresponding function is `GetProcessHandleCount`.
CLOOPWIN32_CALL uint32_t portloop_win32_handle_count(uint32_t *count);

// A second handle of the same kernel object, in this process. The corresponding function is `DuplicateHandle`.
CLOOPWIN32_CALL uint32_t portloop_win32_duplicate(intptr_t handle, intptr_t *copy);

// The corresponding function is `GetStdHandle`, of -10 (input), -11 (output) or -12 (errors).
CLOOPWIN32_CALL uint32_t portloop_win32_standard_handle(int32_t which, intptr_t *handle);

#endif
