// The C library as the image knows it: each function that the image imports, under its name with `image_` before it, made of Windows'.
#include <windows.h>

#include <malloc.h>
#include <math.h>
#include <ntsecapi.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IMAGE __attribute__((sysv_abi))

// A `FILE *` of the image is its `stderr`: it has no other.

IMAGE void image_abort(void) {
    fflush(stdout);
    fputs("The image aborted.\n", stderr);
    ExitProcess(134);
}

IMAGE void image_arc4random_buf(void *buffer, size_t count) { RtlGenRandom(buffer, (ULONG)count); }

IMAGE double image_ceil(double x) { return ceil(x); }
IMAGE double image_round(double x) { return round(x); }

IMAGE int image_fflush(void *file) {
    (void)file;
    return fflush(NULL);
}
IMAGE int image_fputc(int character, void *file) {
    (void)file;
    return fputc(character, stderr);
}
IMAGE int image_fputs(const char *string, void *file) {
    (void)file;
    return fputs(string, stderr);
}
IMAGE size_t image_fwrite(const void *bytes, size_t size, size_t count, void *file) {
    (void)file;
    return fwrite(bytes, size, count, stderr);
}
IMAGE int image_putchar(int character) { return putchar(character); }
IMAGE int image_puts(const char *string) { return puts(string); }

// Memory from here and from `posix_memalign` goes to the same `free`.
IMAGE void *image_malloc(size_t count) { return _aligned_malloc(count ? count : 1, 16); }
IMAGE void *image_realloc(void *memory, size_t count) { return _aligned_realloc(memory, count ? count : 1, 16); }
IMAGE void image_free(void *memory) { _aligned_free(memory); }
IMAGE int image_posix_memalign(void **memory, size_t alignment, size_t count) {
    *memory = _aligned_malloc(count ? count : 1, alignment < 16 ? 16 : alignment);
    return *memory ? 0 : 12;
}

IMAGE void *image_memcpy(void *to, const void *from, size_t count) { return memcpy(to, from, count); }
IMAGE void *image_memmove(void *to, const void *from, size_t count) { return memmove(to, from, count); }
IMAGE int image_memcmp(const void *a, const void *b, size_t count) { return memcmp(a, b, count); }
IMAGE void *image_memset(void *memory, int byte, size_t count) { return memset(memory, byte, count); }

IMAGE int image_strcmp(const char *a, const char *b) { return strcmp(a, b); }
IMAGE size_t image_strlen(const char *string) { return strlen(string); }
IMAGE int image_strncmp(const char *a, const char *b, size_t count) { return strncmp(a, b, count); }
IMAGE char *image_strncpy(char *to, const char *from, size_t count) { return strncpy(to, from, count); }
