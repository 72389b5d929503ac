// A Windows program that maps a statically linked ELF image at its own address, hands it the functions it imports, and runs it.
//
// usage: host.exe IMAGE SECONDS [ARGUMENT...]. A case that runs for longer than SECONDS ends the program, and so does a crash: with a
// sentence, the name of the case, and the addresses of the image that the stack has.
#define _WIN32_WINNT 0x0602
#include <windows.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CWINEHOST_CALL __attribute__((sysv_abi))
#include "CWineHost.h"

enum { status_unusable = 2, status_crashed = 3, status_hung = 4, status_unsupported = 99 };

// Generated: what the image imports, in the order of its slots.
extern void (*const portloop_wine_imports[])(void);
extern const uint64_t portloop_wine_import_count;

// MARK: what the image calls

static char **image_arguments;
static int image_argument_count;

static char case_name[512] = "(before the first case)";
static volatile LONG case_number;

CWINEHOST_CALL void portloop_wine_begin_case(const char *name) {
    strncpy(case_name, name, sizeof case_name - 1);
    InterlockedIncrement(&case_number);
}

CWINEHOST_CALL const char *portloop_wine_argument(int32_t index) { return index < image_argument_count ? image_arguments[index] : NULL; }

CWINEHOST_CALL void portloop_wine_flush(void) { fflush(stdout); }

// Called by the generated function that stands for one the host lacks.
CWINEHOST_CALL void portloop_wine_unsupported(const char *function) {
    fflush(stdout);
    printf("unsupported runtime call: %s, in the case: %s\n", function, case_name);
    fflush(stdout);
    ExitProcess(status_unsupported);
}

// MARK: the watchdog

static DWORD seconds_per_case;

static DWORD WINAPI watch(void *context) {
    (void)context;
    LONG seen = -1;
    for (DWORD seconds = 0;; seconds++) {
        LONG number = case_number;
        if (number != seen) seconds = 0;
        seen = number;
        if (seconds >= seconds_per_case) {
            printf("\nThis case was still running after %lu s: %s\n", (unsigned long)seconds, case_name);
            fflush(stdout);
            ExitProcess(status_hung);
        }
        Sleep(1000);
    }
}

// MARK: crashes

static uint64_t image_low, image_high;
static uint64_t code_low, code_high;

static int is_code(uint64_t address) { return address >= code_low && address < code_high; }

// The host's own code runs for the image: `memcpy` to a wrong address is the image's mistake.
static int is_in_host(uint64_t address) {
    MEMORY_BASIC_INFORMATION facts;
    if (!VirtualQuery((void *)address, &facts, sizeof facts)) return 0;
    HMODULE module = facts.AllocationBase;
    return module == GetModuleHandleW(NULL) || module == GetModuleHandleW(L"msvcrt.dll");
}

static LONG CALLBACK report_crash(EXCEPTION_POINTERS *pointers) {
    const EXCEPTION_RECORD *record = pointers->ExceptionRecord;
    uint64_t address = (uint64_t)record->ExceptionAddress;
    // Windows raises and handles exceptions of its own, which are none of ours.
    if (record->ExceptionCode < 0xC0000000 || !(is_code(address) || is_in_host(address))) return EXCEPTION_CONTINUE_SEARCH;
    fflush(stdout);
    printf("\nThe image crashed (exception 0x%08lX), in the case: %s\n", (unsigned long)record->ExceptionCode, case_name);
    printf("  at 0x%llx\n", (unsigned long long)address);
    // No unwinder knows the frames: whatever on the stack looks like an address of the image's code is told.
    const uint64_t *stack = (const uint64_t *)pointers->ContextRecord->Rsp;
    ULONG_PTR low, high;
    GetCurrentThreadStackLimits(&low, &high);
    int told = 0;
    for (; (uint64_t)stack < high && told < 40; stack++) {
        if (!is_code(*stack)) continue;
        printf("  at 0x%llx\n", (unsigned long long)*stack);
        told++;
    }
    fflush(stdout);
    TerminateProcess(GetCurrentProcess(), status_crashed);
    return EXCEPTION_CONTINUE_SEARCH;
}

// MARK: the image

typedef struct {
    unsigned char id[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, segments_offset, sections_offset;
    uint32_t flags;
    uint16_t header_size, segment_size, segment_count, section_size, section_count, names_index;
} elf_header;

typedef struct {
    uint32_t type, flags;
    uint64_t offset, address, physical, file_size, memory_size, alignment;
} elf_segment;

enum { elf_loadable = 1, elf_executable = 1 };

static char *read_file(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    char *bytes = malloc(*size);
    if (bytes && fread(bytes, 1, *size, file) != *size) bytes = NULL;
    fclose(file);
    return bytes;
}

// Puts the loadable segments where they are linked to be.
static int map_image(const char *bytes, const elf_header *header) {
    const elf_segment *segments = (const elf_segment *)(bytes + header->segments_offset);
    image_low = UINT64_MAX;
    for (int i = 0; i < header->segment_count; i++) {
        if (segments[i].type != elf_loadable) continue;
        uint64_t end = segments[i].address + segments[i].memory_size;
        // Windows reserves in steps of 64 KiB.
        if (segments[i].address < image_low) image_low = segments[i].address & ~UINT64_C(0xFFFF);
        if (end > image_high) image_high = end;
        if (segments[i].flags & elf_executable) {
            code_low = segments[i].address;
            code_high = end;
        }
    }
    if (!VirtualAlloc((void *)image_low, image_high - image_low, MEM_RESERVE | MEM_COMMIT, PAGE_EXECUTE_READWRITE)) return 0;
    for (int i = 0; i < header->segment_count; i++)
        if (segments[i].type == elf_loadable)
            memcpy((void *)segments[i].address, bytes + segments[i].offset, segments[i].file_size);
    return 1;
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "usage: host.exe IMAGE SECONDS [ARGUMENT...]\n");
        return status_unusable;
    }
    image_arguments = argv + 3;
    image_argument_count = argc - 3;
    seconds_per_case = (DWORD)atoi(argv[2]);
    size_t size = 0;
    char *bytes = read_file(argv[1], &size);
    const elf_header *header = (const elf_header *)bytes;
    if (!bytes || size < sizeof *header || memcmp(header->id, "\177ELF", 4) != 0) {
        fprintf(stderr, "%s is no image\n", argv[1]);
        return status_unusable;
    }
    if (!map_image(bytes, header)) {
        fprintf(stderr, "the image's addresses are taken: error %lu\n", (unsigned long)GetLastError());
        return status_unusable;
    }
    AddVectoredExceptionHandler(1, report_crash);
    CloseHandle(CreateThread(NULL, 0, watch, NULL, 0, NULL));
    typedef CWINEHOST_CALL int32_t (*entry)(void (*const *)(void), uint64_t);
    int32_t status = ((entry)header->entry)(portloop_wine_imports, portloop_wine_import_count);
    fflush(stdout);
    // At once: threads of a case that failed may still run.
    ExitProcess((UINT)status);
}
